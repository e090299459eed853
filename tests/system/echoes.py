#!/usr/bin/env python3
"""For how long flows are not answered.

  echoes.py serve PORT ADDRESS…                      answers every datagram
  echoes.py ask PORT FLOWS MILLISECONDS ADDRESS…     so many flows (UDP ports of their own) to each address, each asks so often

The latter says a line of JSON for each line of its input ("state", or "every MILLISECONDS": from then on it asks so often and
counts anew), and ends with it: datagrams "sent" and "answered", "silent": flows that have not been answered for 50 ms,
"longest_ms": the longest time between two questions of a flow that were answered, by when they were asked, with nothing
answered in between, less what there is always.
"""
import json
import select
import socket
import struct
import sys
import time

from lab import Failure, order, wait_for, watch

SILENT = 0.05  # seconds
PORT = 7007


class Echoes:
    """Flows from a machine to addresses of another, for each as many; each asks once in so many milliseconds."""

    @staticmethod
    def serve(lab, name, addresses):
        lab.start_in(name, sys.executable, __file__, "serve", PORT, *addresses)
        wait_for(lambda: lab.guest(name, "ss", "-Hlun", "sport", "=", f":{PORT}").stdout.count("\n") == len(addresses),
                 f"{name} answers echoes")

    def __init__(self, lab, name, addresses, flows, milliseconds):
        self.process = lab.start_in(name, sys.executable, __file__, "ask", PORT, flows, milliseconds, *addresses, stdin=True)
        self.wait_answered()

    def every(self, milliseconds):
        order(self.process, f"every {milliseconds}")
        self.wait_answered()

    def wait_answered(self):
        def all_answered(state):
            return state["answered"] and not state["silent"]

        state = watch(lambda: order(self.process, "state"), all_answered, 30)
        if not all_answered(state):
            raise Failure(f"flows are not answered: {state}")
        return state

    def longest_ms(self):
        """When all are answered: the longest silence of any."""
        return self.wait_answered()["longest_ms"]

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def bound(address, port):
    link = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    link.setblocking(False)
    link.bind((address, port))
    return link


def serve(port, addresses):
    links = [bound(address, port) for address in addresses]
    while True:
        for link in select.select(links, [], [])[0]:
            try:
                link.sendto(*link.recvfrom(64))
            except OSError:
                pass  # nobody listens any more, or no way leads there now: the other side notices


class Flow:
    def __init__(self, address, port, period):
        self.link = bound("::" if ":" in address else "0.0.0.0", 0)
        self.link.connect((address, port))
        self.begin(period)

    def begin(self, period):
        self.period = period
        self.sent = self.answered = 0
        self.longest = 0.0
        self.last = time.monotonic()  # when it asked last what was answered

    def ask(self):
        try:
            self.link.send(struct.pack("d", time.monotonic()))
        except OSError:
            pass  # of an earlier one the network says that it did not arrive
        self.sent += 1

    def take(self):
        try:
            while True:
                [asked] = struct.unpack("d", self.link.recv(64))
                self.answered += 1
                self.longest = max(self.longest, asked - self.last - self.period)
                self.last = max(self.last, asked)
        except OSError:
            pass


def state(flows):
    silent = sum(time.monotonic() - flow.last > SILENT + flow.period for flow in flows)
    return {"sent": sum(flow.sent for flow in flows), "answered": sum(flow.answered for flow in flows), "silent": silent,
            "longest_ms": round(1000 * max(flow.longest for flow in flows), 1)}


def ask(port, count, period, addresses):
    flows = [Flow(address, port, period) for address in addresses for _ in range(count)]
    of_link = {flow.link: flow for flow in flows}
    due = time.monotonic()
    while True:
        readable = select.select([*of_link, sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]
        for link in readable:
            if link in of_link:
                of_link[link].take()
        if time.monotonic() >= due:
            for flow in flows:
                flow.ask()
            due = max(due + period, time.monotonic())
        if sys.stdin in readable:
            words = sys.stdin.readline().split()
            if not words:
                return
            if words[0] == "every":
                period = float(words[1]) / 1000
                due = time.monotonic()
                for flow in flows:
                    flow.begin(period)
            print(json.dumps(state(flows)), flush=True)


def main():
    what, port, *words = sys.argv[1:]
    if what == "serve":
        serve(int(port), words)
    else:
        ask(int(port), int(words[0]), float(words[1]) / 1000, words[2:])


if __name__ == "__main__":
    main()
