#!/usr/bin/env python3
"""The daemon's configuration as an operator meets it: --check-config, --print-config, and SIGHUP on a running daemon.

Needs no root: the datapath is the fake one.
"""
import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Failure, run, wait_for  # noqa: E402

CONFIG = """roles = ["cluster", "agent"]
state_dir = "{directory}/state"
run_dir = "{directory}/run"
[datapath]
kind = "fake"
[admin]
port = 0
[metrics]
port = 0
"""


def expect(what, good, seen=""):
    print(f"{'ok  ' if good else 'FAIL'} {what}{'' if good else f': {seen}'}")
    if not good:
        raise Failure(what)


def check_and_print(daemon, file):
    valid = file.read_text()
    result = run(daemon, "--config", file, "--check-config", check=False)
    expect("a valid file", result.returncode == 0 and "valid" in result.stdout, result.stderr)
    file.write_text(valid + "[datapaht]\nworkers = 1\n[log]\nlevels = 7\n")
    result = run(daemon, "--config", file, "--check-config", check=False)
    lines = result.stderr.splitlines()
    expect("two mistakes are two lines, exit code 2", result.returncode == 2 and len(lines) == 2, result.stderr)
    expect("a mistake has its place and its cure",
           f"{file}:10:2: datapaht: there is no such table; did you mean datapath?" in result.stderr, result.stderr)
    expect("a daemon does not start with it", run(daemon, "--config", file, check=False).returncode == 2)
    file.write_text(valid)
    printed = run(daemon, "--config", file, "--print-config").stdout
    file.write_text(printed)
    again = run(daemon, "--config", file, "--print-config").stdout
    expect("what is printed is a configuration that prints the same", again == printed and 'kind = "fake"' in printed)
    file.write_text(valid)


def reload(file, process, log):
    valid = file.read_text()

    def after_hup(text, *says):
        offset = len(log.read_text())
        file.write_text(text)
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: all(word in log.read_text()[offset:] for word in says), f"the log says {says}")
        expect(f"SIGHUP: {' '.join(says)}", process.poll() is None, "it ended")

    after_hup(valid + '[log]\nlevels = "info,store=debug"\n', "configuration read again", "changed=log.levels")
    changed = valid.replace("[datapath]", "[datapath]\nworkers = 3")
    after_hup(changed + '[log]\nlevels = "info"\n', "changed=log.levels", "needs a restart", "keys=datapath.workers")
    after_hup("nonsense", "nothing changed", "toml:1:")
    after_hup(changed + "[log]\nlevels = 1\n", "nothing changed", "log.levels")
    after_hup(valid, "configuration read again")


class ServiceManager:
    """What systemd is to the daemon: a socket that it is told at (sd_notify(3)), and that is always read."""

    def __init__(self, directory):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{directory}/notify")
        self.environment = {**os.environ, "NOTIFY_SOCKET": f"{directory}/notify", "WATCHDOG_USEC": "1000000"}
        self.heard, self.read = [], 0
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.heard += self.socket.recv(1000).decode().splitlines()

    def hears(self, *wanted):
        """These, in this order, whatever else comes in between."""
        for word in wanted:
            wait_for(lambda: word in self.heard[self.read:], f"the service manager is told {word}", 30)
            self.read += self.heard[self.read:].index(word) + 1
            expect(f"the service manager is told {word}", True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    daemon = Path(parser.parse_args().build).resolve() / "actors/viaductd"
    with tempfile.TemporaryDirectory() as directory:
        file, log = Path(directory) / "viaductd.toml", Path(directory) / "log"
        file.write_text(CONFIG.format(directory=directory))
        check_and_print(daemon, file)
        with open(log, "w") as out:
            manager = ServiceManager(directory)
            process = subprocess.Popen([daemon, "--config", file], stdout=out, stderr=out, env=manager.environment)
        try:
            manager.hears("READY=1")
            wait_for(lambda: 'msg=ready' in log.read_text() or 'msg="ready"' in log.read_text(), "viaductd starts")
            manager.hears("WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1")
            process.send_signal(signal.SIGHUP)
            manager.hears("RELOADING=1", "READY=1", "WATCHDOG=1")
            reload(file, process, log)
            process.terminate()
            manager.hears("STOPPING=1")
            expect("it ends in order", process.wait(20) == 0)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"failed: {failure}")
