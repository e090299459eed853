"""From commit to applied, and memory, against the number of ports: a daemon on the fake datapath."""

import socket

import hosts
from figures import Effort, Figure, Unavailable
from hosts import wait_until

NAME = "commit_to_applied"
ABOUT = "time from an operator's request to its being in force at 100 to 10,000 ports; memory"
NEEDS_ROOT = False
MOST_MEMORY = "<= 128"  # MiB: 64 for what is central, 64 for the agent; this daemon is both
COMMITS = {Effort.full: 200, Effort.quick: 50, Effort.smoke: 5}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lines_of(build, effort):
    """What the program printed, as {(word, ports): [numbers]}."""
    with hosts.Hosts("vc") as world:
        directory, port = world.directory, free_port()
        daemon = world.start(None, build / "actors/viaductd", "--datapath", "fake", "--state-dir", directory / "state",
                             "--run-dir", directory / "run", "--admin-port", port, "--metrics-port", 0, "--rest-port", 0,
                             "--log-level", "warning", log="viaductd.log")
        token = directory / "run/admin.token"
        wait_until(lambda: token.exists() and answers(port), "viaductd to listen")
        output = hosts.run(build / "tests/bench/commit_to_applied", "--port", port, "--token-file", token, "--pid",
                           daemon.pid, "--commits", COMMITS[effort], timeout=300)
    found = {}
    for line in output.splitlines():
        word, ports, *numbers = line.split()
        found[word, int(ports)] = [float(number) for number in numbers]
    return found


def bench(build, effort):
    if not (build / "actors/viaductd").exists():
        raise Unavailable(f"{build}/actors/viaductd is not built")
    found = lines_of(build, effort)
    sizes = sorted(ports for word, ports in found if word == "port")
    figures = []
    for word, title in (("port", "add a port"), ("route", "add a route")):
        for ports in sizes:
            half, tail = found[word, ports]
            figures.append(Figure(f"{title}, commit to applied p50, {ports:,} ports", half, "ms", target="<= 10"))
            figures.append(Figure(f"{title}, commit to applied p99, {ports:,} ports", tail, "ms"))
        figures.append(Figure(f"{title}: p50 at 10,000 ports", found[word, 10000][0], "ms", "at 1,000 ports",
                              found[word, 1000][0], "<= 2"))
    for ports in sizes:
        target = MOST_MEMORY if ports == 5000 else None
        figures.append(Figure(f"memory of the daemon, {ports:,} ports", found["rss", ports][0], "MiB", target=target))
    figures.append(Figure("bind 5,000 ports, commits to applied",
                          sum(found["bulk", size][0] for size in sizes if size <= 5000) / 1000, "s", target="<= 2"))
    return figures
