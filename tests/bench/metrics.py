"""What it costs to be seen: a scrape of a daemon with 10,000 ports; counting and the flow log, on the path of a packet."""

import re
import statistics
import subprocess
import time
import urllib.request

import hosts
from commit_to_applied import answers, free_port
from figures import Effort, Figure, Unavailable
from hosts import wait_until

NAME = "metrics"
ABOUT = "one scrape at 10,000 ports; what counting and the flow log cost a packet worker"
NEEDS_ROOT = False
PORTS = {Effort.full: 10_000, Effort.quick: 10_000, Effort.smoke: 100}
SCRAPES = {Effort.full: 40, Effort.quick: 10, Effort.smoke: 2}
# Turns that each of two takes, and batches in one; the ratio is the median of turns'.
TURNS = {Effort.full: (100, 150), Effort.quick: (30, 150), Effort.smoke: (2, 20)}
WORKERS = ("counted_worker", "uncounted_worker")


def scrape(url):
    """The answer, and milliseconds from the request to its last byte."""
    started = time.perf_counter()
    with urllib.request.urlopen(url, timeout=30) as answer:
        text = answer.read()
    return text.decode(), (time.perf_counter() - started) * 1000


def shown(text):
    return len(re.findall(r"^viaduct_port_received_packets_total\{", text, re.M))


def number(text, name):
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])


def scrapes(build, effort):
    """Milliseconds of each, samples, bytes, milliseconds of the daemon's CPU for one."""
    with hosts.Hosts("vs") as world:
        directory, port, metrics = world.directory, free_port(), free_port()
        daemon = world.start(None, build / "actors/viaductd", "--datapath", "fake", "--state-dir", directory / "state",
                             "--run-dir", directory / "run", "--admin-port", port, "--metrics-port", metrics, "--rest-port", 0,
                             "--log-level", "warning", log="viaductd.log")
        token, url = directory / "run/admin.token", f"http://127.0.0.1:{metrics}/metrics"
        wait_until(lambda: token.exists() and answers(port), "viaductd to listen")
        hosts.run(build / "tests/bench/commit_to_applied", "--port", port, "--token-file", token, "--pid", daemon.pid,
                  "--sizes", PORTS[effort], "--commits", 1, timeout=300)
        wait_until(lambda: shown(scrape(url)[0]) >= PORTS[effort], "all ports to be shown")
        measured = [scrape(url) for _ in range(SCRAPES[effort])]
        text = measured[-1][0]
        cpu = (number(text, "process_cpu_seconds_total") - number(measured[0][0], "process_cpu_seconds_total")) * 1000
        return [took for _, took in measured], len(re.findall(r"^[^#]", text, re.M)), len(text), cpu / max(len(measured) - 1, 1)


class Turns:
    """A worker that measures when it is its turn."""

    def __init__(self, world, program, devices, rounds, *more):
        self.process = subprocess.Popen([str(program), str(devices), str(rounds), *map(str, more)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        world.processes.append(self.process)

    def take(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]}: ended with {self.process.wait()}")
        return float(line)


def compared(build, effort, devices, one, other):
    """Nanoseconds an upcall of two workers, each a program with more options; the first is the other's times the ratio of the two in
    the same turn."""
    turns, rounds = TURNS[effort]
    with hosts.Hosts("vw") as world:
        first, second = (Turns(world, build / "tests/bench" / name, devices, rounds, *more) for name, *more in (one, other))
        pairs = []
        for turn in range(turns + 1):  # who begins takes turns, too; the first turn warms up
            if turn % 2:
                theirs = second.take()
                pairs.append((first.take(), theirs))
            else:
                ours = first.take()
                pairs.append((ours, second.take()))
    pairs = pairs[1:]
    without = statistics.median(theirs for _, theirs in pairs)
    return without * statistics.median(ours / theirs for ours, theirs in pairs), without


def bench(build, effort):
    needed = [build / "actors/viaductd", *(build / "tests/bench" / name for name in ("commit_to_applied", *WORKERS))]
    missing = [str(program) for program in needed if not program.exists()]
    if missing:
        raise Unavailable(f"not built: {', '.join(missing)}")
    took, samples, size, cpu = scrapes(build, effort)
    ports = f"{PORTS[effort]:,} ports"
    figures = [Figure(f"scrape, {ports}: p50", statistics.median(took), "ms", target="<= 100"),
               Figure(f"scrape, {ports}: quickest of {len(took)}", min(took), "ms"),
               Figure(f"scrape, {ports}: CPU of the daemon", cpu, "ms"),
               Figure(f"scrape, {ports}: samples", samples, ""),
               Figure(f"scrape, {ports}: size", size / 1e6, "MB")]
    for devices, what in ((1, "bridge"), (3, "3 devices")):
        counted, without = compared(build, effort, devices, WORKERS[:1], WORKERS[1:])
        figures.append(Figure(f"upcall to flow with counting, CPU, fake datapath, {what}", counted, "ns", "without", without,
                              "<= 1.02"))
        logged, without = compared(build, effort, devices, (WORKERS[0], 1), WORKERS[:1])
        figures.append(Figure(f"upcall to flow, every flow logged, CPU, fake datapath, {what}", logged, "ns", "no flow log", without))
    return figures
