"""Full tables: two gateways whose peer (BIRD) tells 100,000 prefixes by each, or 800,000 by one of them; three hosts, one
cluster node, all on this machine.

From the peer's new configuration until the host of a machine, which speaks with no peer, goes by all routes; the memory of
a gateway's daemons; and for how long, at most, one of many flows goes unanswered when an uplink fails, with one route and
with all. One that falls silent is found by BFD after 300 ms, give or take the phase of its timers; of one whose link goes
down, which the gateway's kernel says at once, all of the silence is ours: the median of several times, asked every 2 ms.
"""
import statistics
import sys
import time
from pathlib import Path

import hosts
from figures import Effort, Figure, Unavailable

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "system"))
from bgp_gateways import BgpGateways  # noqa: E402
from gateways import make_lab  # noqa: E402
from lab import wait_for  # noqa: E402

NAME = "bgp_scale"
ABOUT = "routes of BGP peers by the hundred thousand: told to used on another host, memory, a next hop lost"
NEEDS_ROOT = True
# prefixes, by so many gateways
SIZES = {Effort.full: [(100_000, 2), (800_000, 1)], Effort.quick: [(100_000, 2)], Effort.smoke: [(1_000, 2)]}
ROUNDS = {Effort.full: 7, Effort.quick: 3, Effort.smoke: 1}  # of a link that goes down
PATIENCE = 200
FLOWS, SELDOM = 16, 500  # milliseconds between two questions of a flow while nothing is measured


def prefixes(count):
    """Of many lengths would be more like the Internet; of one they are the worst case for tables that share."""
    return [f"{16 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24" for n in range(count)]


def memory(pid):
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def total(cloud, host):
    return cloud.lab.host(host).json("bgp", "routes", "r1", "--limit", "1")["total"]


def tell(cloud, count):
    """Seconds until the machines' host goes by all of them, from each gateway. Counting them costs, so not too often."""
    cloud.bird.extra[4] = prefixes(count)
    wanted = (len(cloud.gateways) - len(cloud.bird.only_defaults)) * count + 4
    began = time.monotonic()
    cloud.bird.reconfigure()
    wait_for(lambda: total(cloud, 1) >= wanted, f"{count} prefixes are everywhere", PATIENCE, pause=0.5)
    return time.monotonic() - began


def lose(cloud, echoes, milliseconds, fail, mend):
    """Milliseconds, at most, that a flow goes unanswered when the first uplink fails. All is as before when it returns."""
    before = total(cloud, 1)
    echoes.every(milliseconds)
    fail()
    wait_for(lambda: not cloud.established(1), "the sessions end")
    wait_for(lambda: total(cloud, 1) < before, "the machines' host is told", PATIENCE, pause=0.5)
    out = echoes.longest_ms()
    echoes.every(SELDOM)
    mend()
    cloud.wait_established(60)
    cloud.wait_routes(1, 60)
    wait_for(lambda: total(cloud, 1) == before, "all routes are back", PATIENCE, pause=0.5)
    return out


def failures(cloud, echoes, rounds):
    """Milliseconds without answer: when the uplink falls silent, and, of so many times, when its link goes down."""
    silent = lose(cloud, echoes, 10, lambda: cloud.silence(1), lambda: cloud.speak(1))
    downs = [lose(cloud, echoes, 2, lambda: cloud.set_uplink(1, "down"), lambda: cloud.set_uplink(1, "up"))
             for _ in range(rounds)]
    print(f"{NAME}: {total(cloud, 1)} routes: silent {silent} ms, link down {sorted(downs)} ms", file=sys.stderr)
    return silent, statistics.median(downs)


def measure(build, count, gateways, rounds):
    """Seconds, MiB of the agent, MiB of FRR; and failures() with one route of a peer and with all, of two gateways."""
    with make_lab(build, "ebpf", hosts=3, prefix="vt-s") as lab:
        lab.start()
        cloud = BgpGateways(lab)
        cloud.limit = 1_000_000
        cloud.make()
        if gateways == 1:
            cloud.bird.only_defaults = {2}
        gateway = cloud.gateways[1]
        empty = memory(gateway.daemon.pid)
        echoes = cloud.start_echoes(FLOWS, SELDOM)  # all flows are open before anything fails
        with_one = failures(cloud, echoes, rounds) if gateways > 1 else None
        seconds = tell(cloud, count)
        size = memory(gateway.daemon.pid) - empty
        frr = sum(memory(pid) for daemon in ("bgpd", "zebra", "bfdd") for pid in cloud.speaker_pids(1, daemon))
        with_all = failures(cloud, echoes, rounds) if gateways > 1 else None
        return seconds, size, frr, with_one, with_all


def bench(build, effort):
    for program, package in (("bird", "bird2"), ("birdc", "bird2")):
        if not hosts.has_program(program):
            raise Unavailable(f"{program} is missing: install Debian's package {package}")
    figures = []
    for count, gateways in SIZES[effort]:
        seconds, size, frr, with_one, with_all = measure(build, count, gateways, ROUNDS[effort])
        name = f"{count:,} prefixes by each of two gateways" if gateways > 1 else f"{count:,} prefixes by a gateway"
        figures += [Figure(f"{name}: told to used on another host", seconds, "s"),
                    Figure(f"{name}: more memory of a gateway's daemon", size, "MiB"),
                    Figure(f"{name}: memory of its zebra, bgpd and bfdd", frr, "MiB")]
        if with_all:
            (silent_one, down_one), (silent, down) = with_one, with_all
            figures += [Figure("one route: longest silence when an uplink is silent, BFD 3 x 100 ms", silent_one, "ms"),
                        Figure(f"{name}: longest silence when an uplink is silent", silent, "ms", target="<= 500"),
                        Figure("one route: longest silence when an uplink's link goes down", down_one, "ms"),
                        Figure(f"{name}: longest silence when an uplink's link goes down", down, "ms"),
                        Figure(f"{name}: of it, more than with one route", down - down_one, "ms", target="<= 50")]
    return figures
