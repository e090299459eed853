"""TCP, round trips and UDP packets/s through the same network on three switches and on none, side by side.

All exist at once, each with guests of its own; every round measures each path on each switch in turn, so that
what else the machine does hits all alike. A figure is the median of the rounds.
"""

import json
import statistics

import hosts
from figures import Effort, Figure, Unavailable
from hosts import wait_until
from switches import ADDRESSES, LinuxBridge, OvsUserSpace, VethPair, Viaduct

NAME = "datapath_throughput"
ABOUT = "eBPF datapath against the Linux bridge and Open vSwitch in user space: TCP, RTT, UDP packets/s"
NEEDS_ROOT = True
SWITCHES = {"v": Viaduct, "l": LinuxBridge, "o": OvsUserSpace, "p": VethPair}
PATHS = {"same bridge": "v2", "routed": "v3"}
UDP = [("same bridge", 1), ("same bridge", 1000), ("routed", 1), ("routed", 1000)]
TCP_SECONDS = 1.5
ROUNDS = {Effort.full: 5, Effort.quick: 1, Effort.smoke: 1}


def tcp_gbits(switch, far):
    """One flow, by iperf3."""
    world = switch.world
    server = world.start(switch.guests[far], "iperf3", "-s", "-1", log=f"iperf3-{switch.short}.log")
    try:
        wait_until(lambda: ":5201" in world.inside(switch.guests[far], "ss", "-Hltn"), "iperf3 to listen")
        report = world.inside(switch.guests["v1"], "iperf3", "-J", "-c", ADDRESSES[far], "-t", TCP_SECONDS, "-O", "0.3",
                              check=False)
        try:
            return json.loads(report)["end"]["sum_received"]["bits_per_second"] / 1e9
        except (ValueError, KeyError) as problem:
            raise RuntimeError(f"{switch.title}: iperf3 says {report[-300:]}") from problem
    finally:
        world.end(server)


def between(switch, far):
    return ["--from", switch.guests["v1"], "--to", switch.guests[far], "--address", ADDRESSES[far]]


def rtt_microseconds(switch, far):
    return [float(word) for word in
            hosts.run(switch.build / "tests/bench/rtt", *between(switch, far), "--count", 3000).split()]


def udp_packets(switch, far, flows):
    return float(hosts.run(switch.build / "tests/bench/packet_blaster", *between(switch, far), "--flows", flows,
                           "--milliseconds", 150).split()[0])


def measure(switch, samples):
    def add(*key_and_value):
        *key, value = key_and_value
        samples.setdefault(tuple(key), {}).setdefault(switch.title, []).append(value)

    for path, far in PATHS.items():
        if far not in switch.guests:
            continue
        add("TCP, one flow", path, "Gbit/s", tcp_gbits(switch, far))
        half, tail = rtt_microseconds(switch, far)
        add("round trip p50", path, "µs", half)
        add("round trip p99", path, "µs", tail)
    for path, flows in UDP:
        if PATHS[path] not in switch.guests:
            continue
        add(f"UDP, ≤ 0.1 % loss, {flows} flow{'s' * (flows > 1)}", path, "packets/s",
            udp_packets(switch, PATHS[path], flows))


# Against Linux; the others are shown for the record.
TARGETS = {"TCP": ">= 1", "round trip p50": "<= 1", "UDP": ">= 1.5"}


def figures_of(samples):
    for (what, path, unit), by_switch in samples.items():
        medians = {title: statistics.median(values) for title, values in by_switch.items()}
        ours = medians.pop(Viaduct.title)
        for title, theirs in medians.items():
            target = next((text for start, text in TARGETS.items() if what.startswith(start)), None)
            yield Figure(f"{what}, {path}", ours, unit, title, theirs, target if title == LinuxBridge.title else None)


def bench(build, effort):
    for program in ("iperf3", "nsenter", "ping"):
        if not hosts.has_program(program):
            raise Unavailable(f"{program} is missing")
    if not hosts.has_program("ovs-vswitchd"):
        raise Unavailable("ovs-vswitchd is missing: install Debian's package openvswitch-switch")
    samples = {}
    with hosts.Hosts("vb") as world:
        switches = [kind(world, build, short) for short, kind in SWITCHES.items()]
        for turn in range(ROUNDS[effort]):
            first = turn % len(switches)
            for switch in switches[first:] + switches[:first]:
                measure(switch, samples)
    return list(figures_of(samples))
