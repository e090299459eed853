"""An etcd of some members on this machine, for system tests: own ports and directory, gone with the object.

  with EtcdCluster() as etcd:
      daemon("--etcd", ",".join(etcd.endpoints))
      etcd.kill_leader()

`python3 etcd.py` runs what it offers once.
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from lab import Failure, run, wait_for

FLAGS = ["--max-txn-ops=10000", "--max-request-bytes=10485760", "--logger=zap", "--log-level=warn"]
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def end_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_ports(count, host):
    """Ports that were free a moment ago; all are held until all are known, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind((host, 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class EtcdCluster:
    """Members are numbered from 0. Started and ready when made. `host` is an address of this network namespace; of another
    one when `inside` is what a command begins with that runs there, a namespace in which nobody else listens."""

    def __init__(self, members=3, host="127.0.0.1", flags=(), inside=(), directory=None):
        self.directory = Path(tempfile.mkdtemp(prefix="viaduct-etcd-", dir=directory))
        self.flags, self.inside = [*FLAGS, *flags], list(inside)
        ports = range(2379, 2379 + 2 * members) if inside else free_ports(2 * members, host)
        self.endpoints = [f"{host}:{port}" for port in ports[:members]]
        self.peers = [f"{host}:{port}" for port in ports[members:]]
        self.processes = [None] * members
        try:
            self.start_all()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stop_all()
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- members ---

    def start(self, member):
        name = f"m{member}"
        everyone = ",".join(f"m{number}=http://{peer}" for number, peer in enumerate(self.peers))
        client, peer = f"http://{self.endpoints[member]}", f"http://{self.peers[member]}"
        command = [*self.inside, "etcd", f"--name={name}", f"--data-dir={self.directory / name}", f"--listen-client-urls={client}",
                   f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
                   f"--initial-advertise-peer-urls={peer}", f"--initial-cluster={everyone}",
                   f"--initial-cluster-token={self.directory.name}", *self.flags]
        with open(self.directory / f"{name}.log", "ab") as log:
            self.processes[member] = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=end_with_parent)

    def kill(self, member):
        """As by kill -9."""
        process, self.processes[member] = self.processes[member], None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self, member):
        os.kill(self.processes[member].pid, signal.SIGSTOP)

    def thaw(self, member):
        os.kill(self.processes[member].pid, signal.SIGCONT)

    def restart(self, member):
        self.kill(member)
        self.start(member)

    def stop_all(self):
        for member in range(len(self.processes)):
            self.kill(member)

    def start_all(self):
        for member in range(len(self.processes)):
            self.start(member)
        self.wait_until_ready()

    # --- the whole ---

    def control(self, *words, check=True):
        """etcdctl on all endpoints that run."""
        running = [endpoint for endpoint, process in zip(self.endpoints, self.processes) if process is not None]
        return run(*self.inside, "etcdctl", "--endpoints", ",".join(running), "--command-timeout=1s", *words, check=check,
                   env={**os.environ, "ETCDCTL_API": "3"})

    def _status(self):
        result = self.control("endpoint", "status", "-w", "json", check=False)
        return json.loads(result.stdout) if result.stdout.strip() else []

    def leader(self):
        """The number of the member that leads; waits until the running members agree on one that runs."""
        def agreed():
            status = self._status()
            leaders = {entry["Status"].get("leader", 0) for entry in status}  # of none it says nothing
            running = sum(process is not None for process in self.processes)
            if len(status) != running or len(leaders) != 1 or 0 in leaders:
                return None
            for entry in status:
                if entry["Status"]["header"]["member_id"] in leaders:
                    return entry["Endpoint"]
            return None
        return self.endpoints.index(wait_for(agreed, "a leader of etcd", 30))

    def kill_leader(self):
        """Kills the member that leads, and says which one it was."""
        leader = self.leader()
        self.kill(leader)
        return leader

    def wait_until_ready(self):
        self.leader()


def main():
    with EtcdCluster() as etcd:
        etcd.control("put", "a", "1")
        killed = etcd.kill_leader()
        if etcd.leader() == killed:
            raise Failure("a dead member leads")
        etcd.control("put", "a", "2")
        etcd.start(killed)
        etcd.wait_until_ready()
        etcd.freeze(killed)
        etcd.thaw(killed)
        etcd.stop_all()
        etcd.start_all()
        etcd.restart(0)
        etcd.wait_until_ready()
        found = etcd.control("get", "a", "--print-value-only").stdout.strip()
        if found != "2":
            raise Failure(f"a is {found}")
    print("an etcd of three members was started, lost its leader, was restarted, and kept what it was told")


if __name__ == "__main__":
    main()
