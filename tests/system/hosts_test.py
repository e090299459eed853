#!/usr/bin/env python3
"""Three hosts and a cluster node under traffic: daemons die, freeze and come back; ports move, appear and vanish."""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from four_guests import metric  # noqa: E402
from hosts_lab import HostsLab  # noqa: E402
from hosts_mesh import Mesh  # noqa: E402
from lab import run, wait_for  # noqa: E402
from traffic import Ping, Traffic  # noqa: E402

LEASE = 10


def start_traffic(lab, mesh):
    pings = [("blue1", mesh.v4_of("blue2")), ("green2", mesh.v6_of("blue3")), ("green3", mesh.v4_of("green1"))]
    return Traffic(lab, pings, [("blue3", "green2", mesh.v4_of("green2"))])


def adopted(host):
    return lambda: metric(host, "viaduct_flows_adopted_total") > 0


def cluster_killed(checks, lab, mesh):
    """Known flows notice nothing, and new ones begin as if it were there."""
    traffic = start_traffic(lab, mesh)
    lab.nodes[0].kill_daemon()
    new = [Ping(lab, "blue3", mesh.v6_of("blue1")), Ping(lab, "green1", mesh.v4_of("blue2"))]
    checks.check("pings between all pairs without a cluster", mesh.ping_all() > 0)
    traffic.await_replies(300, "without a cluster")
    lab.nodes[0].start_daemon()
    lab.wait_served()
    mesh.ping_all()
    for ping in new:
        good, words = ping.stop()
        checks.check(f"nothing lost, begun without a cluster, {ping.name}", good, words)
    traffic.stop(checks)


def agent_killed(checks, lab, mesh):
    host, traffic = lab.host(2), start_traffic(lab, mesh)
    host.kill_daemon()
    traffic.await_replies(300, "without the agent")
    host.start_daemon()
    wait_for(adopted(host), "flows are adopted")
    lab.wait_served()
    traffic.stop(checks)
    mesh.ping_all()


def agent_killed_without_cluster(checks, lab, mesh):
    host, traffic = lab.host(2), start_traffic(lab, mesh)
    lab.nodes[0].kill_daemon()
    host.kill_daemon()
    traffic.await_replies(300, "without the agent")
    host.start_daemon()
    wait_for(adopted(host), "flows are adopted")
    state = host.json("status")["cluster"]
    checks.check("it starts from its cache, and says that the cluster is away", state["last_error"], state["last_error"])
    checks.check("pings between all pairs, without a cluster, with a host that knows it from its cache", mesh.ping_all() > 0)
    lab.nodes[0].start_daemon()
    lab.wait_served()
    traffic.stop(checks)
    mesh.ping_all()


def wait_away(lab, host):
    def away():
        return any(line["name"] == host.name and line["state"] == "away" for line in lab.cluster.json("status")["agents"])

    wait_for(away, f"{host.name} is away", 3 * LEASE)


def dead_host(checks, lab, mesh):
    host = lab.host(3)
    checks.equal("blue is flooded to", mesh.flood("blue1"), ["h2", "h3"])
    host.kill_daemon()
    wait_away(lab, host)
    wait_for(lambda: mesh.flood("blue1") == ["h2"], "blue is flooded to h2 alone")
    wait_for(lambda: mesh.where("blue1", "blue3") == ["h2"], "what it had learned is forgotten")  # flooded: nobody has it
    checks.check("after its lease nothing is sent to a dead host", True)
    sent, received, _ = lab.ping("blue1", mesh.v4_of("blue2"))
    checks.equal("the others go on", received, sent)
    host.start_daemon()
    lab.wait_served()
    mesh.wait_ready()
    mesh.ping_all()
    checks.equal("it comes back", mesh.where("blue1", "blue3"), ["h3"])


def frozen_host(checks, lab, mesh):
    """While h3 is frozen its blue3 lives on h2, under the same addresses. What h3 knew is not put over it."""
    host, old, new = lab.host(3), mesh.machines["blue3"], mesh.machines["blue2"].host
    lab.guest("blue3", "ip", "link", "set", "eth0", "arp", "off")
    lab.guest("blue3", "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1")  # it says nothing by itself any more
    host.daemon.send_signal(signal.SIGSTOP)
    wait_away(lab, host)
    lab.add_guest_at(new, "twin", old.v4, old.v6, *old.gateways, mac=old.mac)
    lab.cluster.viaduct("port", "create", "twin", "--bridge", "blue", "--host", new.name, "--interface", "twin")
    new.wait_active(["twin"])
    for address in (mesh.v4_of("blue1"), mesh.v6_of("blue1")):
        sent, received, text = lab.ping("twin", address)
        checks.check("it is reached on its new host", sent == received, text if sent != received else "")
    wait_for(lambda: mesh.where("blue1", "blue3") == ["h2"], "h1 sends to h2")
    host.daemon.send_signal(signal.SIGCONT)
    lab.wait_served()
    # The ports of h3 are in the same write as what it has learned.
    wait_for(lambda: "h3" in mesh.flood("blue1"), "h1 knows the ports of h3 again")
    checks.equal("awake, it has not taken the address back", mesh.where("blue1", "blue3"), ["h2"])
    sent, received, _ = lab.ping("blue1", old.v4)
    checks.equal("who speaks with it notices nothing", received, sent)
    lab.cluster.viaduct("port", "delete", "twin", "--wait")
    run("ip", "netns", "del", lab.namespace("twin"))
    del lab.guests["twin"]
    lab.guest("blue3", "ip", "link", "set", "eth0", "arp", "on")
    lab.guest("blue3", "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=0")
    lab.guest("blue3", "ip", "addr", "add", f"{old.v6}/64", "dev", "eth0", "nodad")
    lab.guest("blue3", "ip", "-6", "route", "add", "default", "via", old.gateways[1])
    for address in mesh.addresses_of("blue1"):
        lab.ping("blue3", address)
    mesh.ping_all()


def longest_gap(ping):
    """How many packets in a row, one a millisecond, were not answered."""
    replies = sorted(ping.replies())
    return max(after - before - 1 for before, after in zip(replies, replies[1:]))


def add_mover(lab, mesh):
    """A machine with a leg on h2 and one on h3, as while it is moved from one to the other."""
    lab.add_guest_at(lab.host(2), "mover", "10.0.1.77", "fd00:1::77", "10.0.1.1", "fd00:1::1")
    space = lab.namespace("mover")
    run("ip", "-n", lab.host(3).space, "link", "add", "mover", "type", "veth", "peer", "name", "eth1", "netns", space)
    run("ip", "-n", lab.host(3).space, "link", "set", "mover", "up")
    run("ip", "-n", space, "link", "add", "legs", "address", "02:00:00:00:01:77", "type", "bridge")
    for leg in ("eth0", "eth1"):
        run("ip", "-n", space, "addr", "flush", "dev", leg)
        run("ip", "-n", space, "link", "set", leg, "master", "legs", "up")
    run("ip", "-n", space, "link", "set", "legs", "up")
    run("ip", "-n", space, "addr", "add", "10.0.1.77/24", "dev", "legs")
    run("ip", "-n", space, "route", "add", "default", "via", "10.0.1.1")


def port_moved(checks, lab, mesh):
    add_mover(lab, mesh)
    lab.cluster.viaduct("port", "create", "mover", "--bridge", "blue", "--host", "h2", "--interface", "mover", "--wait")
    lab.host(2).wait_active(["mover"])
    near, far = Ping(lab, "blue1", "10.0.1.77"), Ping(lab, "green3", "10.0.1.77")
    for to in ("h3", "h2", "h3"):
        until = {ping: len(ping.replies()) + 200 for ping in (near, far)}
        wait_for(lambda: all(len(ping.replies()) >= count for ping, count in until.items()), "pings go on")
        lab.cluster.viaduct("bind", "mover", "mover", "--host", to, "--wait")
    until = {ping: len(ping.replies()) + 200 for ping in (near, far)}
    wait_for(lambda: all(len(ping.replies()) >= count for ping, count in until.items()), "pings go on")
    for ping in (near, far):
        gap = longest_gap(ping)
        ping.stop()
        checks.check(f"moved three times, {ping.name}: at most 250 packets in a row lost", gap <= 250, f"{gap} packets, one a ms")
    lab.cluster.viaduct("port", "delete", "mover", "--wait")
    run("ip", "netns", "del", lab.namespace("mover"))
    del lab.guests["mover"]


def port_line(host, name):
    return next((line for line in host.json("status")["ports"] if line["name"] == name), None)


def late_interface(checks, lab, mesh):
    host = lab.host(2)
    lab.cluster.viaduct("port", "create", "late", "--bridge", "blue", "--host", host.name, "--interface", "late", "--wait")
    line = wait_for(lambda: port_line(host, "late"), "the host knows the port")
    checks.check("an interface that is not there", not line["active"] and "late" in line["reason"], line["reason"])
    lab.add_guest_at(host, "late", "10.0.1.88", "fd00:1::88", "10.0.1.1", "fd00:1::1", mac="02:00:00:00:01:88")
    host.wait_active(["late"])
    for address in ("10.0.1.88", "fd00:1::88"):
        sent, received, _ = lab.ping("blue1", address)
        checks.equal(f"it appears, and is reached from another host at {address}", received, sent)
    run("ip", "netns", "del", lab.namespace("late"))
    del lab.guests["late"]
    wait_for(lambda: not port_line(host, "late")["active"], "it vanishes")
    checks.check("it vanishes, with a reason", port_line(host, "late")["reason"], port_line(host, "late")["reason"])
    lab.cluster.viaduct("port", "delete", "late", "--wait")


def supposed(checks, lab, mesh):
    """A host without the cluster's role says what would become of a packet to another host if a change were applied."""
    host, change = lab.host(1), lab.host(1).directory / "change.yaml"
    document = {"chains": [{"name": "no-icmp", "rules": [{"ip-proto": "icmp", "drop": True}]}],
                "bridges": [{"name": "green", "ports": [{"name": "green2", "outbound-filter": "no-icmp"}]}]}
    change.write_text(json.dumps(document))
    packet = ("trace", "blue1", "icmp", "to", mesh.v4_of("green2"))
    answer = host.json(*packet, "--if", change)["supposed"]
    checks.equal("now and with the change", [answer[way]["outcome"] for way in ("now", "changed")], ["forward", "drop"])
    checks.check("it names its part of the topology", "part of the topology" in str(answer["notes"]), answer["notes"])
    lab.cluster.apply(document)
    steps = host.json(*packet)["steps"]
    checks.equal("applied, it is as was said", [step["detail"] for step in steps],
                 [step["detail"] for step in answer["changed"]["steps"]])
    lab.cluster.viaduct("chain", "delete", "no-icmp", "--wait")
    mesh.ping_all()


SCENARIOS = [cluster_killed, agent_killed, agent_killed_without_cluster, dead_host, frozen_host, port_moved,
             late_interface, supposed]


def revive(lab):
    """Whom a failure has left dead."""
    for node in [*lab.nodes, *lab.agents]:
        if not node.runs():
            node.start_daemon()


def play_all(checks, lab, options):
    mesh = Mesh(lab)
    mesh.make()
    checks.play(SCENARIOS, lab, mesh, after=lambda: revive(lab))


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, make_lab=HostsLab, prefix="vt-h", lease=LEASE))
