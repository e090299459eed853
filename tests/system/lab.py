"""A laboratory on one machine: guests as network namespaces, a daemon, the tool. Used by the demo and the system tests.

Everything that a Lab makes it removes again: namespaces, interfaces, processes (by their pid), kernel state.
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from journal import Busy, Journal

ROOT = Path(__file__).resolve().parents[2]
GUESTS = {
    "vm1": ("vt-vm1", "10.0.1.10", "fd00:1::10", "10.0.1.1", "fd00:1::1"),
    "vm2": ("vt-vm2", "10.0.1.11", "fd00:1::11", "10.0.1.1", "fd00:1::1"),
    "vm3": ("vt-vm3", "10.0.2.10", "fd00:2::10", "10.0.2.1", "fd00:2::1"),
    "vm4": ("vt-vm4", "10.0.2.11", "fd00:2::11", "10.0.2.1", "fd00:2::1"),
}
TOPOLOGY = ROOT / "api/cli/examples/two-bridges.yaml"
# Deadlines are so much longer; for machines without hardware virtualization and the like.
TIME_SCALE = float(os.environ.get("VIADUCT_TIME_SCALE", "1"))


class Failure(Exception):
    """Something that should have worked did not."""


def run(*command, check=True, timeout=60, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            timeout=timeout * TIME_SCALE, **options)
    if check and result.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: status {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def watch(read, good, seconds=15.0, pause=0.02):
    """Reads until good(value) is true, or the deadline has passed: the last value, for the caller to judge. `pause`: seconds
    between two readings, more where one costs."""
    deadline = time.monotonic() + seconds * TIME_SCALE
    while True:
        value = read()
        if good(value) or time.monotonic() > deadline:
            return value
        time.sleep(pause)


def wait_for(condition, what, seconds=15.0, pause=0.02):
    """Polls until condition() is true; the deadline is the test's failure, not its duration."""
    value = watch(condition, bool, seconds, pause)
    if not value:
        raise Failure(f"{what}: not within {seconds * TIME_SCALE:.0f} s")
    return value


def order(process, word):
    """A word to a program that answers each with a line of JSON."""
    process.stdin.write(word + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


class Daemon:
    """One daemon and the tool that speaks with it. Whoever derives gives `build`, `directory`, `datapath` and the ports, and
    says how it is started: `daemon_command`, and what it notes in the journal."""

    daemon = None
    metrics_url = None
    noted_datapath = False

    def beside(self):
        """What a command begins with that runs where the daemon does."""
        return []

    def start_daemon(self, *extra):
        if not self.noted_datapath and self.datapath != "fake":
            self.note_datapath()
            self.noted_datapath = True
        log_path = self.directory / "viaductd.log"
        offset = log_path.stat().st_size if log_path.exists() else 0
        with open(log_path, "a") as log:
            self.daemon = subprocess.Popen([str(word) for word in [*self.beside(), *self.daemon_command(), *extra]],
                                           stdout=log, stderr=log, start_new_session=True)

        def ready():
            if self.daemon.poll() is not None:
                raise Failure(f"viaductd ended with {self.daemon.returncode}:\n{log_path.read_text()[offset:]}")
            for line in log_path.read_text()[offset:].splitlines():
                if 'msg="ready"' in line:
                    return dict(word.split("=", 1) for word in line.split() if "=" in word)
            return None

        fields = wait_for(ready, "viaductd starts", 30)
        self.admin_port = int(fields["admin_port"])
        self.metrics_url = fields["metrics"].strip('"')
        self.rest_url = fields.get("rest", "").strip('"')
        self.metrics_port = int(self.metrics_url.split(":")[2].split("/")[0])
        return fields

    def kill_daemon(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def stop_daemon(self):
        self.daemon.send_signal(signal.SIGTERM)
        status = self.daemon.wait(timeout=60)
        if status != 0:
            raise Failure(f"viaductd ended with status {status}:\n{self.log()[-2000:]}")

    def log(self):
        return (self.directory / "viaductd.log").read_text()

    def environment(self):
        return {**os.environ, "VIADUCT_DAEMON": f"127.0.0.1:{self.admin_port}",
                "VIADUCT_ADDRESS": f"127.0.0.1:{self.admin_port}",
                "VIADUCT_TOKEN_FILE": str(self.directory / "run/admin.token")}

    def viaduct(self, *words, check=True):
        patience = ["--timeout", int(10 * TIME_SCALE)] if TIME_SCALE > 1 else []
        return run(*self.beside(), self.build / "api/cli/viaduct", *patience, *words, check=check,
                   env=self.environment())

    def json(self, *words):
        return json.loads(self.viaduct("--json", *words).stdout)

    def metrics(self):
        return run(*self.beside(), "curl", "-sf", "--max-time", "5", self.metrics_url).stdout

    def apply(self, document, *words):
        """Makes the topology what the document (in the terms of `viaduct apply`) says."""
        path = self.directory / "topology.yaml"
        path.write_text(json.dumps(document))  # JSON is YAML
        return self.viaduct("apply", "-f", path, "--yes", "--wait", *words)

    def wait_active(self, names, what="ports active"):
        def active():
            lines = {line["name"]: line["active"] for line in self.json("status")["ports"]}
            return all(lines.get(name) for name in names)

        wait_for(active, what)


class Guests:
    """Machines that are network namespaces. Whoever derives gives `prefix`, `journal`, `guests` and `background`."""

    def namespace(self, guest):
        return f"{self.prefix}-{guest}"

    def add_guest(self, name, interface, v4, v6, gateway4, gateway6, prefix4=24, mac=None, at=()):
        """`at`: what `ip` is told to find the namespace where its interface comes; that namespace's end is the interface's."""
        space = self.namespace(name)
        self.journal.note("namespace", space)
        if not at:
            self.journal.note("link", interface)
        run("ip", "netns", "add", space)
        self.guests[name] = interface
        run("ip", *at, "link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", space)
        inside = ["ip", "-n", space]
        run(*inside, "link", "set", "lo", "up")
        if mac:
            run(*inside, "link", "set", "eth0", "address", mac)
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "addr", "add", f"{v4}/{prefix4}", "dev", "eth0")
        run(*inside, "route", "add", "default", "via", gateway4)
        run(*inside, "-6", "addr", "add", f"{v6}/64", "dev", "eth0", "nodad")
        run("ip", *at, "link", "set", interface, "up")
        run(*inside, "-6", "route", "add", "default", "via", gateway6)
        # Probes of a neighbour are flows that a machine may begin while no daemon looks; three, a second apart, are not
        # enough where a start takes many seconds.
        for family in ("ipv4", "ipv6"):
            self.guest(name, "sysctl", "-qw", f"net.{family}.neigh.eth0.ucast_solicit=60")

    def add_guests(self):
        for name, details in GUESTS.items():
            self.add_guest(name, *details)

    # nsenter, not `ip netns exec`: the latter gives the command a /sys of its own.
    def inside(self, guest):
        return ["nsenter", f"--net=/run/netns/{self.namespace(guest)}"]

    def guest(self, name, *words, **options):
        return run(*self.inside(name), *words, **options)

    def start_in(self, name, *words, output=subprocess.PIPE, stdin=False):
        process = subprocess.Popen([*self.inside(name), *map(str, words)], stdout=output, stderr=subprocess.STDOUT,
                                   stdin=subprocess.PIPE if stdin else None, text=True)
        self.background.append(process)
        return process

    def ping(self, source, address, count=5, interval=0.05, wait=5):
        result = self.guest(source, "ping", "-n", "-c", count, "-i", interval, "-W", wait, address, check=False)
        summary = [line for line in result.stdout.splitlines() if "packets transmitted" in line]
        if not summary:
            raise Failure(f"ping {source} -> {address}:\n{result.stdout}{result.stderr}")
        words = summary[0].replace("+", "").split()
        return int(words[0]), int(words[3]), result.stdout

    def iperf(self, source, target, address, seconds=3, *extra):
        server = self.start_in(target, "iperf3", "-s", "-1", "-B", address, output=subprocess.DEVNULL)
        wait_for(lambda: ":5201" in self.guest(target, "ss", "-ltn").stdout, "iperf3 listens")
        client = self.guest(source, "iperf3", "-c", address, "-t", seconds, "-J", *extra, timeout=seconds + 30)
        server.wait(timeout=30)
        end = json.loads(client.stdout)["end"]
        return end["sum_received"]["bits_per_second"] / 1e9, end["sum_sent"].get("retransmits", 0)


class Lab(Daemon, Guests):
    def __init__(self, build, datapath="auto", prefix="vd", admin_port=0, metrics_port=0, keep=False):
        self.build = Path(build).resolve()
        self.datapath = datapath
        self.prefix = prefix
        self.keep = keep
        self.admin_port = admin_port
        self.metrics_port = metrics_port
        try:
            self.journal = Journal(prefix)
        except Busy as busy:
            raise Failure(str(busy)) from None
        self.directory = Path(tempfile.mkdtemp(prefix="viaduct-lab-"))
        self.journal.note("directory", self.directory)
        self.background = []
        self.cleanups = []
        self.guests = {}
        self.name = prefix

    def daemon_identity(self):
        """The beginning of each of its command lines."""
        return [self.build / "actors/viaductd", "--state-dir", self.directory / "state", "--run-dir",
                self.directory / "run", "--datapath", self.datapath, "--datapath-name", self.name]

    def daemon_command(self):
        return [*self.daemon_identity(), "--admin-port", str(self.admin_port), "--metrics-port", str(self.metrics_port),
                "--rest-port", "0"]

    def note_datapath(self):
        self.journal.note("datapath", " ".join(map(str, self.daemon_identity())))

    # --- the end ---

    def at_close(self, cleanup):
        """Something that a test made besides; called in reverse order, when the daemon is gone."""
        self.cleanups.append(cleanup)

    def close(self):
        for process in self.background:
            if process.poll() is None:
                process.kill()
                process.wait()
        if self.daemon and self.daemon.poll() is None:
            self.daemon.terminate()
            try:
                self.daemon.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        if self.datapath != "fake" and self.daemon:
            run(*self.daemon_command(), "--cleanup", check=False)
        for cleanup in reversed(self.cleanups):
            cleanup()
        for name, interface in self.guests.items():
            run("ip", "link", "del", interface, check=False)
            run("ip", "netns", "del", self.namespace(name), check=False)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.journal.close()

    def stop_command(self):
        """What ends a laboratory that is kept, as one line for a shell."""
        spaces = " ".join(map(self.namespace, self.guests))
        return (f"kill {self.daemon.pid}; tail --pid={self.daemon.pid} -f /dev/null; "
                f"{' '.join(map(str, self.daemon_command()))} --cleanup && for n in {spaces}; do ip netns del $n; done && rm -r {self.directory} {self.journal.path}")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            log = self.directory / "viaductd.log"
            if log.exists():
                print(f"--- the daemon's last words\n{log.read_text()[-3000:]}")
        if self.keep and kind is None:
            self.journal.keep(self.stop_command())
            return
        self.close()
