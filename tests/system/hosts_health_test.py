#!/usr/bin/env python3
"""Health checks over three hosts: one of them checks, the others hear of it, and another one goes on when it dies. Where new
connections would go is what each host's trace says; real ones are made too."""
import re
import sys

from checks import run_program
from health_test import members, serve_http, served_by, stop, wait_state
from hosts_lab import HostsLab
from hosts_mesh import Mesh
from lab import wait_for

VIP = "203.0.113.10"
LEASE = 5


def checkers(lab):
    """Names of the hosts that say that they check the pool."""
    def says(agent):
        return any(entry["table"] == "checker" and entry["key"] == "this host"
                   for entry in agent.json("state", "web")["entries"])

    return [agent.name for agent in lab.agents if agent.runs() and says(agent)]


def known_to(agent):
    return {address: state for address, (state, _) in members(agent, "web").items()}


def wait_known(lab, wanted, what, seconds=20):
    """Every host that runs knows these members to be so."""
    wait_for(lambda: all({address: known_to(agent).get(address) for address in wanted} == wanted
                         for agent in lab.agents if agent.runs()), what, seconds)


def chosen_by(mesh, client, connections=12):
    """The members that a client's new connections go to, by its host's word."""
    names = {mesh.v4_of(name): name for name in mesh.machines}
    found, one = set(), mesh.machines[client]
    for port in range(10_000, 10_000 + connections):
        trace = one.host.json("trace", client, "tcp", "smac", one.mac, "to", VIP, "dport", "80", "sport", str(port))
        text = " ".join(step["detail"] for step in trace["steps"])
        found |= {names[address] for address in re.findall(r"becomes (10\.0\.2\.\d+)", text)}
    return found


def build(lab, mesh):
    lab.cluster.apply({"health-monitors": [{"name": "watch", "type": "http", "delay": 1, "timeout": 1, "max-retries": 2}]})
    lab.cluster.apply({"load-balancers": [{"name": "front", "pools": [
        {"name": "web", "health-monitor": "watch", "vips": [{"name": "www", "ip": VIP, "port": 80}],
         "pool-members": [{"ip": mesh.v4_of(f"green{n}"), "port": 8080} for n in (1, 2, 3)]}]}],
        "routers": [{"name": "r1", "load-balancer": "front"}]})
    lab.cluster.viaduct("wait")


def one_checks(checks, lab, mesh, servers):
    wait_for(lambda: len(checkers(lab)) == 1, "one host checks")
    wait_known(lab, {mesh.v4_of(name): "up" for name in servers}, "every host knows that all members are up")
    for client in ("blue1", "blue2", "blue3"):
        checks.equal(f"{client}: all members get connections", chosen_by(mesh, client), set(servers))
    stop(servers["green2"])
    wait_known(lab, {mesh.v4_of("green2"): "down", mesh.v4_of("green1"): "up"}, "every host knows that green2 is down")
    for client in ("blue1", "blue2", "blue3"):
        checks.equal(f"{client}: the others do", chosen_by(mesh, client), {"green1", "green3"})
    checks.equal("real connections, also to other hosts", served_by(lab, VIP, 20, client="blue1"), {"green1", "green3"})
    servers["green2"] = serve_http(lab, "green2", mesh.v4_of("green2"))
    wait_known(lab, {mesh.v4_of("green2"): "up"}, "every host knows that green2 is back")
    checks.equal("still one checks", len(checkers(lab)), 1)


def the_checker_dies(checks, lab, mesh, servers):
    first = next(agent for agent in lab.agents if agent.name == checkers(lab)[0])
    number = first.name[1:]
    stopped = next(name for name in servers if not name.endswith(number))
    stop(servers[stopped])
    wait_known(lab, {mesh.v4_of(stopped): "down"}, f"every host knows that {stopped} is down")
    first.kill_daemon()
    wait_for(lambda: checkers(lab), "another host checks", 3 * LEASE + 15)
    checks.check("another host checks when the first one has died", checkers(lab) != [first.name], checkers(lab))
    wait_known(lab, {mesh.v4_of(stopped): "down"}, "what the first one had found goes on to count")
    servers[stopped] = serve_http(lab, stopped, mesh.v4_of(stopped))
    wait_known(lab, {mesh.v4_of(stopped): "up"}, f"the new one finds that {stopped} is back")
    wait_known(lab, {mesh.v4_of(f"green{number}"): "down"}, "and that what is on the dead host is not reached")
    client = "blue" + stopped[-1]
    checks.equal("new connections go where somebody answers", chosen_by(mesh, client),
                 set(servers) - {f"green{number}"})
    first.start_daemon()
    lab.wait_served()
    mesh.wait_ready()
    wait_known(lab, {mesh.v4_of(name): "up" for name in servers}, "all are up when it is back", 30)
    checks.equal("and one checks", len(checkers(lab)), 1)


def cluster_dies(checks, lab, mesh, servers):
    lab.nodes[0].kill_daemon()
    first = next(agent for agent in lab.agents if agent.name == checkers(lab)[0])
    stop(servers["green2"])
    wait_state(first, "web", mesh.v4_of("green2"), "down")
    checks.check("without a cluster who checks goes on, and goes by what it finds", True)
    servers["green2"] = serve_http(lab, "green2", mesh.v4_of("green2"))
    lab.nodes[0].start_daemon()
    lab.wait_served()
    wait_known(lab, {mesh.v4_of(name): "up" for name in servers}, "all hosts know the same again", 30)
    wait_for(lambda: len(checkers(lab)) == 1, "and one checks")
    checks.check("and the others hear of it when it is back", True)


def main(checks, lab, options):
    mesh = Mesh(lab)
    mesh.make()
    servers = {f"green{n}": serve_http(lab, f"green{n}", mesh.v4_of(f"green{n}")) for n in (1, 2, 3)}
    build(lab, mesh)
    checks.play([one_checks, the_checker_dies, cluster_dies], lab, mesh, servers)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, main, make_lab=HostsLab, prefix="hh", hosts=3, lease=LEASE))
