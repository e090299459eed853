#!/usr/bin/env python3
"""Two hosts over an IPv6 underlay of 1500 bytes: tunnels, path MTU for guests that have 1500 too, and zones of type gre."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from hosts_lab import HostsLab  # noqa: E402
from hosts_mesh import Mesh  # noqa: E402
from lab import wait_for, watch  # noqa: E402

MTU = 1500 - 70  # IPv6, UDP, VXLAN and the inner Ethernet header
TARGETS = ("blue2", "green2")  # on the same bridge, and behind the router


def over_ipv6(checks, lab, mesh):
    for host in lab.agents:
        tunnels = [(one["kind"], one["source"], one["mtu"], one["state"]) for one in host.json("status")["tunnels"]]
        checks.equal(f"the tunnel of {host.name}", tunnels, [("vxlan", host.address(), MTU, "up")])
    checks.check("pings between all pairs", mesh.ping_all() > 0)
    checks.check("TCP between all pairs", mesh.talk_all() > 0)


def told_mtu(lab, source, address, data):
    """What somebody says to an undividable ping with so much data; 0: it is answered."""
    for family in ("-4", "-6"):
        lab.guest(source, "ip", family, "route", "flush", "cache")  # what TCP has been told already
    result = lab.guest(source, "ping", "-n", "-c", "3", "-i", "0.05", "-W", "2", "-M", "do", "-s", data, address, check=False)
    told = re.search(r"From \S+ icmp_seq=1 .*mtu ?= ?(\d+)", result.stdout)
    return int(told.group(1)) if told else 0 if " 3 received" in result.stdout else result.stdout


def path_mtu(checks, lab, mesh):
    for target in TARGETS:
        for address, headers in ((mesh.v4_of(target), 28), (mesh.v6_of(target), 48)):
            checks.equal(f"{target}, {address}: what fits is answered", told_mtu(lab, "blue1", address, MTU - headers), 0)
            checks.equal("one byte more is too big", told_mtu(lab, "blue1", address, MTU - headers + 1), MTU)
            checks.equal("then what fits is answered still", told_mtu(lab, "blue1", address, MTU - headers), 0)
    mesh.quiet()
    for target in TARGETS:
        for address in mesh.addresses_of(target):
            rate, again = lab.iperf("green1", target, address, 1)
            checks.check(f"TCP to {target}, {address}", rate > 0.1, f"{rate:.1f} Gbit/s, {again} retransmits")


def zone_of_ipv4(lab, kind):
    lab.v6 = False
    try:
        return lab.zone(kind, f"{kind}-zone")
    finally:
        lab.v6 = True


def become(lab, mesh, zone):
    hosts = [{"name": agent.name} for agent in lab.agents]
    lab.cluster.apply({**mesh.topology(), "hosts": hosts, "tunnel_zones": [zone]}, "--prune")


def gre(checks, lab, mesh):
    """Where the kernel has no GRE, the host says so; where it has, packets go by it."""
    become(lab, mesh, zone_of_ipv4(lab, "gre"))
    host = lab.host(1)
    status = watch(lambda: host.json("status"), lambda seen: seen["problems"] or lab.tunnels_up())
    if status["problems"]:
        text = " ".join(status["problems"])
        checks.check("no GRE here: said in words", "GRE" in text and "vxlan" in text, text)
        checks.check("also to people", "problem: " in host.viaduct("status").stdout)
    else:
        checks.equal("by GRE", {one["kind"] for one in status["tunnels"]}, {"gre"})
        checks.check("pings between all pairs", mesh.ping_all() > 0)
    become(lab, mesh, zone_of_ipv4(lab, "vxlan"))
    wait_for(lab.tunnels_up, "VXLAN over IPv4")
    checks.equal("by VXLAN over IPv4", [one["source"] for one in host.json("status")["tunnels"]], ["192.0.2.11"])
    checks.equal("no problem is left", host.json("status")["problems"], [])
    checks.check("pings between all pairs", mesh.ping_all() > 0)


SCENARIOS = [over_ipv6, path_mtu, gre]


def play_all(checks, lab, options):
    mesh = Mesh(lab)
    mesh.make()
    checks.play(SCENARIOS, lab, mesh)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, make_lab=HostsLab, prefix="vt-u", hosts=2, v6=True))
