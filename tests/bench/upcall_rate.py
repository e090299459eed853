"""Upcall to flow: new flows a second and the daemon's CPU for each, on the eBPF datapath and in the guest's kernel.

On the host against Open vSwitch's user-space datapath; in one guest, one after the other, against ovs-vswitchd on the
kernel's openvswitch module. The guest is emulated, so its absolute numbers are small; the ratios count.
"""

import json
import statistics

import hosts
import slow_path
from figures import Effort, Figure, Unavailable
from switches import OvsUserSpace, Viaduct

NAME = "upcall_rate"
ABOUT = "new flows a second and CPU of each: eBPF; the guest kernel's openvswitch module against ovs-vswitchd"
NEEDS_ROOT = True
HERE = hosts.Path(__file__).resolve().parent
GUEST = {Effort.full: (2000, 5), Effort.quick: (1000, 2), Effort.smoke: (200, 1)}  # flows, rounds
HOST = {Effort.full: (5000, 5), Effort.quick: (5000, 2), Effort.smoke: (500, 1)}
KINDS = {
    "sources": "bridge, each from a new MAC",
    "destinations": "bridge, each to another known MAC",
    "ports": "router with 2 next hops",
}
# Peer's key in the guest's answer: its name, the target of the ratio of rates.
PEERS = {
    "ovs": ("ovs-vswitchd, fewest rules", ">= 1"),
    "ovs, long pipeline": ("ovs-vswitchd, tables as OVN's", ">= 3"),
}
MOST_CPU = "<= 5"  # µs


def medians(results):
    """{kind: (rate, µs)}"""
    return {kind: tuple(map(statistics.median, zip(*rounds))) for kind, rounds in results.items()}


def on_the_host(build, effort):
    ours = medians(slow_path.measure(Viaduct, build, *HOST[effort]))
    theirs = medians(slow_path.measure(OvsUserSpace, build, *HOST[effort]))
    for kind, title in KINDS.items():
        (rate, cpu), (their_rate, their_cpu) = ours[kind], theirs[kind]
        yield Figure(f"eBPF, new flows: {title}", rate, "flows/s", OvsUserSpace.title, their_rate)
        yield Figure(f"eBPF, CPU of a new flow: {title}", cpu, "µs", target=MOST_CPU)
        yield Figure(f"eBPF, CPU of a new flow: {title}", cpu, "µs", OvsUserSpace.title, their_cpu)


def in_the_guest(build, effort):
    output = hosts.run(HERE.parent / "kernel/run_in_guest", "--memory", 2048, "--timeout", 600, "--", "python3", "-B",
                       HERE / "upcall_guest.py", build, *GUEST[effort], check=False, timeout=660)
    try:
        results = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError) as problem:
        raise RuntimeError(f"the guest says:\n{output}") from problem
    switches = {title: medians(result) for title, result in results.items()}
    for kind, title in KINDS.items():
        rate, cpu = switches["viaduct"][kind]
        for peer, (name, target) in PEERS.items():
            yield Figure(f"kernel module, new flows: {title}", rate, "flows/s", name, switches[peer][kind][0], target)
            yield Figure(f"kernel module, CPU of a new flow: {title}", cpu, "µs", name, switches[peer][kind][1])


def bench(build, effort):
    for program, package in (("ovs-vswitchd", "openvswitch-switch"), ("qemu-system-x86_64", "qemu-system-x86")):
        if not hosts.has_program(program):
            raise Unavailable(f"{program} is missing: install Debian's package {package}")
    return [*on_the_host(build, effort), *in_the_guest(build, effort)]
