#!/usr/bin/env python3
"""Traffic that runs until it is told to stop, and says exactly what was lost: pings every millisecond, and bulk TCP.

As a program it is one end of a TCP transfer:  traffic.py serve ADDRESS | traffic.py send ADDRESS
"""
import re
import select
import signal
import socket
import subprocess
import sys

from lab import Failure, wait_for

PORT = 5999
BLOCK = bytes(65536)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(address):
    """Takes one connection, and answers its end with how many bytes came."""
    with socket.create_server((address, PORT), family=family(address)) as listening:
        print("listening", flush=True)
        connection, _ = listening.accept()
        with connection:
            total = 0
            while part := connection.recv(1 << 20):
                total += len(part)
            connection.sendall(str(total).encode())


def send(address):
    """Sends, about 250 Mbit/s, until its standard input ends; succeeds when all of it came."""
    with socket.create_connection((address, PORT)) as connection:
        print("connected", flush=True)
        total = 0
        while not select.select([sys.stdin], [], [], 0.002)[0]:
            connection.sendall(BLOCK)
            total += len(BLOCK)
        connection.shutdown(socket.SHUT_WR)
        came = int(connection.recv(64))
    print(f"{came} of {total} bytes came")
    return 0 if came == total > 0 else 1


class Ping:
    """A ping every millisecond, whose replies are known one by one."""

    def __init__(self, lab, source, address):
        self.name = f"ping {source} to {address}"
        self.path = lab.directory / f"ping-{len(lab.background)}"
        self.output = open(self.path, "w")
        self.process = lab.start_in(source, "stdbuf", "-oL", "ping", "-n", "-i", "0.001", "-W", "60", address,
                                    output=self.output)

    def replies(self):
        return [int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", self.path.read_text())]

    def stop(self):
        """What was lost: (good, in words). The very last one may be on its way when the ping is stopped."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        self.output.close()
        replies, text = self.replies(), self.path.read_text()
        sent = re.search(r"(\d+) packets transmitted", text)
        if not sent or not replies:
            return False, text[-500:]
        holes = sorted(set(range(1, max(replies) + 1)) - set(replies))
        tail = int(sent.group(1)) - max(replies)
        strange = [line for line in text.splitlines() if "DUP" in line or "Unreachable" in line or "From " in line]
        words = f"{len(replies)} of {sent.group(1)}, holes {holes[:5]}, twice or errors {strange[:2]}"
        return not holes and tail <= 1 and not strange and len(set(replies)) == len(replies), words


class Transfer:
    """One TCP connection that is kept full."""

    def __init__(self, lab, source, target, address):
        self.name = f"TCP {source} to {address}"
        self.server = lab.start_in(target, sys.executable, __file__, "serve", address)
        if self.server.stdout.readline().strip() != "listening":
            raise Failure(f"cannot listen on {address}")
        self.process = subprocess.Popen([*lab.inside(source), sys.executable, __file__, "send", address], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        lab.background.append(self.process)
        if self.process.stdout.readline().strip() != "connected":
            raise Failure(f"cannot connect to {address}: {self.process.stdout.read()}")

    def stop(self):
        said = self.process.communicate(timeout=60)[0].strip()
        return self.process.returncode == 0, said.splitlines()[-1] if said else "nothing"


class Traffic:
    """Several of both; `stop` judges them."""

    def __init__(self, lab, pings, transfers=()):
        self.pings = [Ping(lab, *words) for words in pings]
        self.transfers = [Transfer(lab, *words) for words in transfers]
        self.await_replies(200, "before")

    def await_replies(self, more, when):
        """Until every ping got so many more replies."""
        wanted = {ping: len(ping.replies()) + more for ping in self.pings}
        for ping, count in wanted.items():
            wait_for(lambda: len(ping.replies()) >= count, f"{ping.name} goes on {when}", 30)

    def stop(self, checks):
        self.await_replies(200, "after")
        for one in [*self.pings, *self.transfers]:
            good, words = one.stop()
            checks.check(f"nothing lost, {one.name}", good, words)


if __name__ == "__main__":
    sys.exit({"serve": serve, "send": send}[sys.argv[1]](sys.argv[2]))
