"""Full tables: two gateways whose peer (BIRD) tells 100,000 or 800,000 prefixes by each, four hosts, one cluster node.

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
SIZES = {Effort.full: [100_000, 800_000], Effort.quick: [100_000], Effort.smoke: [1_000]}
PATIENCE = 300
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
    """Seconds until the machines' host goes by all of them, from two gateways."""
    cloud.bird.extra[4] = prefixes(count)
    began = time.monotonic()
    cloud.bird.reconfigure()
    wait_for(lambda: total(cloud, 1) == 2 * count + 4, f"{count} prefixes are everywhere", PATIENCE)
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


def measure(build, count, with_one):
    with make_lab(build, "ebpf", hosts=4, prefix="vt-s") as lab:
        for agent in lab.agents:
            agent.settings["log"] = {"levels": "warning"}
        lab.start()
        cloud = BgpGateways(lab)
        cloud.limit = 1_000_000
        cloud.make()
        gateway = cloud.gateways[1]
        empty = memory(gateway.daemon.pid)
        if not with_one:
            with_one.append(lose(cloud))
            cloud.wait_routes(1)
        seconds = tell(cloud, count)
        size = memory(gateway.daemon.pid) - empty
        frr = sum(memory(pid) for daemon in ("bgpd", "zebra", "bfdd") for pid in cloud.speaker_pids(1, daemon))
        silent = lose(cloud)
        return seconds, size, frr, silent


def bench(build, effort):
    for program, package in (("bird", "bird2"), ("birdc", "bird2")):
        if not hosts.has_program(program):
            raise Unavailable(f"{program} is missing: install Debian's package {package}")
    figures, with_one = [], []
    for count in SIZES[effort]:
        seconds, size, frr, silent = measure(build, count, with_one)
        name = f"{count:,} prefixes by each of two gateways"
        figures += [Figure(f"{name}: told to used on a third host", seconds, "s"),
                    Figure(f"{name}: more memory of a gateway's daemon", size, "MiB"),
                    Figure(f"{name}: memory of its zebra, bgpd and bfdd", frr, "MiB"),
                    Figure(f"{name}: longest silence when an uplink is silent, BFD 3 x 100 ms", silent, "ms",
                           target="<= 500"),
                    Figure(f"{name}: of it, more than with one route", max(0, silent - with_one[0]), "ms", target="<= 50")]
    return figures
