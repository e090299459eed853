"""New TCP connections a second through a stateful firewall and source NAT.

On the host, eBPF against Linux's own routing with nftables; in one guest, on the kernel's openvswitch module, against
ovs-vswitchd with `ct` as OVN uses it, and nftables. All switches of one kernel exist at once and take turns.
"""

import json
import statistics
import sys
from pathlib import Path

import hosts
from figures import Effort, Figure, Unavailable
from stateful_switches import Nftables, OvsConntrack, StatefulViaduct
from switches import ADDRESSES

NAME = "new_connections"
ABOUT = "new TCP connections a second, firewall and SNAT: eBPF against nftables; guest: against ct in ovs-vswitchd"
NEEDS_ROOT = True
HERE = Path(__file__).resolve().parent
HOST = {Effort.full: (5000, 7), Effort.quick: (3000, 3), Effort.smoke: (300, 1)}  # connections, rounds
GUEST = {Effort.full: (1000, 5), Effort.quick: (500, 3), Effort.smoke: (100, 1)}
WARM_UP = 200
MOST_FAILED = 0.001


class ViaductInGuest(StatefulViaduct):
    title = "Viaduct, kernel module"
    datapath = "ovs"


def connect(switch, count):
    """Connections a second."""
    rate, failed = hosts.run(switch.build / "tests/bench/connections", "--from", switch.guests["v1"], "--to",
                             switch.guests["v3"], "--address", ADDRESSES["v3"], "--count", count, timeout=60).split()
    if int(failed) > count * MOST_FAILED:
        raise RuntimeError(f"{switch.title}: {failed} of {count} connections failed")
    return float(rate)


def measure(kinds, build, count, rounds):
    """{title: connections a second}, each the median of the rounds."""
    rates = {}
    with hosts.Hosts("vc") as world:
        switches = [kind(world, build, short) for short, kind in kinds.items()]
        for switch in switches:
            connect(switch, WARM_UP)
        for turn in range(rounds):
            first = turn % len(switches)
            for switch in switches[first:] + switches[:first]:
                rates.setdefault(switch.title, []).append(connect(switch, count))
    return {title: statistics.median(values) for title, values in rates.items()}


def on_the_host(build, effort):
    rates = measure({"v": StatefulViaduct, "n": Nftables}, build, *HOST[effort])
    yield Figure("eBPF, new connections, firewall and SNAT", rates[StatefulViaduct.title], "/s", Nftables.title,
                 rates[Nftables.title])


def in_the_guest(build, effort):
    output = hosts.run(HERE.parent / "kernel/run_in_guest", "--memory", 2048, "--timeout", 500, "--", "python3", "-B",
                       __file__, build, *GUEST[effort], check=False, timeout=560)
    try:
        rates = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError) as problem:
        raise RuntimeError(f"the guest says:\n{output}") from problem
    for peer in (OvsConntrack, Nftables):
        yield Figure("kernel module, new connections, firewall and SNAT", rates[ViaductInGuest.title], "/s", peer.title,
                     rates[peer.title])


def bench(build, effort):
    for program, package in (("nft", "nftables"), ("ovs-vswitchd", "openvswitch-switch"),
                             ("qemu-system-x86_64", "qemu-system-x86")):
        if not hosts.has_program(program):
            raise Unavailable(f"{program} is missing: install Debian's package {package}")
    return [*on_the_host(build, effort), *in_the_guest(build, effort)]


if __name__ == "__main__":  # in the guest: BUILD CONNECTIONS ROUNDS
    KINDS = {"v": ViaductInGuest, "o": OvsConntrack, "n": Nftables}
    print(json.dumps(measure(KINDS, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
