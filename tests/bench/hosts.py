"""Processes and network namespaces that are gone when the work is done, also when it fails."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ENVIRONMENT = {**os.environ, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


# All waiting is so many times longer; for machines that are emulated.
SLOWNESS = 10 if "VIADUCT_GUEST" in os.environ else 1


def run(*command, check=True, timeout=60, variables=None):
    """Runs to the end and returns its output. `variables`: of its environment, besides."""
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout * SLOWNESS,
                          env={**ENVIRONMENT, **(variables or {})}, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout.strip()}")
    return done.stdout


def has_program(name):
    return shutil.which(name, path=ENVIRONMENT["PATH"]) is not None


def wait_until(condition, what, seconds=20):
    seconds *= SLOWNESS
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise RuntimeError(f"waited {seconds} s in vain for {what}")


class Hosts:
    """Namespaces, veth pairs, processes and a directory, all with one prefix; a context manager that ends them."""

    def __init__(self, prefix):
        self.prefix = f"{prefix}-{os.getpid()}"
        self.namespaces = []
        self.processes = []
        self.at_end = []
        self.directory = Path(tempfile.mkdtemp(prefix=f"{prefix}-"))

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for process in reversed(self.processes):
            self.end(process)
        for work in reversed(self.at_end):
            try:
                work()
            except Exception as problem:  # the rest has to go as well
                print(f"clean-up: {problem}")
        for namespace in self.namespaces:
            run("ip", "netns", "delete", namespace, check=False)
        if failure[0] is None or "VIADUCT_BENCH_KEEP" not in os.environ:
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            print(f"kept {self.directory}")

    def namespace(self, name):
        full = f"{self.prefix}-{name}"
        run("ip", "netns", "add", full)
        self.namespaces.append(full)
        run("ip", "-n", full, "link", "set", "lo", "up")
        for setting in ("ipv6/conf/all/disable_ipv6", "ipv6/conf/default/disable_ipv6"):
            self.inside(full, "sysctl", "-qw", f"net.{setting.replace('/', '.')}=1", check=False)
        return full

    @staticmethod
    def inside(namespace, *command, **options):
        return run("nsenter", f"--net=/run/netns/{namespace}", *command, **options)

    def start(self, namespace, *command, log):
        """A process of this namespace (None: of the caller's); its output goes to a file of the directory."""
        enter = ["nsenter", f"--net=/run/netns/{namespace}"] if namespace else []
        with open(self.directory / log, "w", encoding="utf-8") as output:
            process = subprocess.Popen([*enter, *map(str, command)], stdout=output, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL, env=ENVIRONMENT)
        self.processes.append(process)
        return process

    def end(self, process):
        if process in self.processes:
            self.processes.remove(process)
        if process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def guest(self, name, switch, interface, address, gateway, mac):
        """A namespace with one interface eth0, whose other end is `interface` in the namespace `switch`."""
        guest = self.namespace(name)
        run("ip", "link", "add", interface, "netns", switch, "type", "veth", "peer", "name", "eth0", "netns", guest)
        run("ip", "-n", guest, "link", "set", "eth0", "address", mac, "up")
        run("ip", "-n", switch, "link", "set", interface, "up")
        run("ip", "-n", guest, "address", "add", address, "dev", "eth0")
        run("ip", "-n", guest, "route", "add", "default", "via", gateway)
        return guest
