"""Full tables: two gateways whose peer (BIRD) tells 100,000 prefixes by each, or 800,000 by one of them; three hosts, one
cluster node, all on this machine.

From the peer's new configuration until the host of a machine, which speaks with no peer, goes by all routes; the memory of
a gateway's daemons; and for how long, at most, a hundred echoes a second each of many programs go unanswered when one
uplink is silent, with one route and with all: BFD finds it after 300 ms, and what is more is ours.
"""
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
PATIENCE = 200
ECHOES = 16


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


def lose(cloud):
    """Milliseconds without answer when an uplink is silent."""
    echoes = cloud.start_echoes(ECHOES, seconds=4)
    cloud.silence(1)
    wait_for(lambda: not cloud.established(1), "the session ends")
    out = cloud.longest_silence(echoes)
    cloud.speak(1)
    cloud.wait_established(60)
    return out


def measure(build, count, gateways, with_one):
    with make_lab(build, "ebpf", hosts=3, prefix="vt-s") as lab:
        lab.start()
        cloud = BgpGateways(lab)
        cloud.limit = 1_000_000
        cloud.make()
        if gateways == 1:
            cloud.bird.only_defaults = {2}
        gateway = cloud.gateways[1]
        empty = memory(gateway.daemon.pid)
        if gateways > 1:
            with_one.append(lose(cloud))
            cloud.wait_routes(1)
        seconds = tell(cloud, count)
        size = memory(gateway.daemon.pid) - empty
        frr = sum(memory(pid) for daemon in ("bgpd", "zebra", "bfdd") for pid in cloud.speaker_pids(1, daemon))
        silent = lose(cloud) if gateways > 1 else None
        return seconds, size, frr, silent


def bench(build, effort):
    for program, package in (("bird", "bird2"), ("birdc", "bird2")):
        if not hosts.has_program(program):
            raise Unavailable(f"{program} is missing: install Debian's package {package}")
    figures, with_one = [], []
    for count, gateways in SIZES[effort]:
        seconds, size, frr, silent = measure(build, count, gateways, with_one)
        name = f"{count:,} prefixes by each of two gateways" if gateways > 1 else f"{count:,} prefixes by a gateway"
        figures += [Figure(f"{name}: told to used on another host", seconds, "s"),
                    Figure(f"{name}: more memory of a gateway's daemon", size, "MiB"),
                    Figure(f"{name}: memory of its zebra, bgpd and bfdd", frr, "MiB")]
        if silent is not None:
            figures += [Figure(f"{name}: longest silence when an uplink is silent, BFD 3 x 100 ms", silent, "ms",
                               target="<= 500"),
                        Figure(f"{name}: of it, more than with one route", max(0, silent - with_one[0]), "ms",
                               target="<= 50")]
    return figures
