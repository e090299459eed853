"""New flows through a switch: their rate, and what its daemon spends on each. Used on the host and in the guest."""

import sys
import time

import hosts
from switches import GATEWAYS, MACS

# Kind of new_flows: from, to, and the MAC of the frame that does not vary.
KINDS = {
    "sources": ("v2", "v1", ["--destination", MACS["v1"]]),
    "destinations": ("v1", "v2", []),
    "ports": ("v1", "v3", ["--destination", GATEWAYS[1][1]]),
}
WARM_UP = 8
# Of the packets, or the round does not count.
LEAST_ARRIVED = 0.97
LEAST_MISSES = 0.75  # needed an upcall


def send(switch, kind, first, count):
    """Flows a second, and how many packets did not arrive."""
    near, far, macs = KINDS[kind]
    rate, lost = hosts.run(switch.build / "tests/bench/new_flows", "--from", switch.guests[near], "--to",
                           switch.guests[far], "--kind", kind, "--count", count, "--first", first, "--source",
                           MACS[near], *macs, timeout=120).split()
    return float(rate), int(lost)


def cpu_seconds(process):
    """Of all its threads, to the ns: the clock ticks of /proc/PID/stat are as long as a thousand flows."""
    sched = 2  # clock_getcpuclockid(3), as the C library makes it: CPUCLOCK_SCHED of linux/posix-timers.h
    return time.clock_gettime((~process.pid << 3) | sched)


def measure_one(switch, kind, first, count):
    """Flows a second, and µs of the daemon's CPU for each; None when packets were lost or shared flows."""
    misses, cpu = switch.misses(), cpu_seconds(switch.daemon)
    rate, lost = send(switch, kind, first, count)
    cpu, misses = cpu_seconds(switch.daemon) - cpu, switch.misses() - misses
    if lost > count * (1 - LEAST_ARRIVED) or misses < count * LEAST_MISSES:
        print(f"{switch.title}, {kind}: {count} packets, {lost} lost, {misses} upcalls: does not count", file=sys.stderr)
        return None
    return rate, cpu / count * 1e6


def measure(switch_type, build, count, rounds):
    """{kind: [[rate, µs], one a round]}"""
    with hosts.Hosts("vu") as world:
        switch = switch_type(world, build, "u")
        hosts.run("ip", "-n", switch.guests["v3"], "address", "add", "10.0.2.2/24", "dev", "eth0")
        send(switch, "ports", 0, WARM_UP)  # next hops are known afterwards
        results = {kind: [] for kind in KINDS}
        for turn in range(rounds):
            for kind in KINDS:  # sources first: they are the destinations afterwards
                result = measure_one(switch, kind, WARM_UP + turn * count, count)
                results[kind] += [result] if result else []
        for kind, good in results.items():
            if not good:
                raise RuntimeError(f"{switch.title}, {kind}: no round counts")
        return results
