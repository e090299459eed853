#!/usr/bin/env python3
"""Prometheus over three hosts and a cluster node, with the rules that operators load: alerts fire by their real causes (a tunnel that is
cut, an agent that is killed, a cluster node that is killed), nothing else does, and they end with the cause."""
import json
import sys

from checks import run_program
from hosts_lab import HostsLab
from lab import run, wait_for, watch
from prometheus import METRICS_PORT, Prometheus, complaints, families, ruled

LEASE = 5
# Loss is that of the last hundred probes: it fires for some time after a cut, which the durations that operators have do not show.
AFTER_A_CUT = ("ViaductTunnelLossy",)


def texts_of(alerts):
    return [alert["annotations"][part] for alert in alerts for part in ("summary", "description")]


def expect(checks, prometheus, what, wanted):
    """These fire and no others; with texts that say where."""
    checks.equal(what, prometheus.await_firing(wanted, AFTER_A_CUT), set(wanted))
    bad = [text for text in texts_of(prometheus.alerts())
           if f":{METRICS_PORT}" not in text or "<no value>" in text or "<error" in text]
    checks.equal(f"{what}: texts that do not say where", bad, [])


def all_is_well(checks, lab, prometheus):
    nodes = [*lab.agents, *lab.nodes]
    prometheus.await_scrapes()
    found = prometheus.discovered()
    jobs = {prometheus.target(node): "viaduct-agent" if node in lab.agents else "viaduct-cluster" for node in nodes}
    checks.equal("the cluster says what there is to scrape", {target: job for target, (job, _) in found.items()}, jobs)
    labels = found[prometheus.target(lab.host(1))][1]
    checks.equal("and of a host who it is", [labels[f"__meta_viaduct_{part}"] for part in ("job", "host", "state")],
                 ["viaduct-agent", lab.host(1).name, "served"])
    ids = {one["name"]: one["id"] for one in json.loads(lab.cluster.viaduct("host", "list", "--json").stdout)}
    checks.equal("and its id", labels["__meta_viaduct_host_id"], ids[lab.host(1).name])
    expect(checks, prometheus, "nothing fires", [])
    for node in nodes:
        checks.equal(f"{node.name}: promtool has no complaint", complaints(node.metrics()), [])
    wanted = {name for name in ruled() if name.startswith(("viaduct_tunnel_", "viaduct_replication_", "viaduct_connection_"))}
    seen = watch(lambda: set(families(lab.host(1).metrics())), wanted.issubset)
    checks.equal("what rules ask for of tunnels and connections is there", sorted(wanted - seen), [])


def down(prometheus, host, peer):
    return ("ViaductTunnelDown", prometheus.target(host), peer.name)


def tunnel_cut(checks, lab, prometheus):
    one, other = lab.host(1), lab.host(2)
    both = [down(prometheus, one, other), down(prometheus, other, one)]
    isolate = ["bridge", "-n", lab.network, "link", "set", "dev"]
    for host in (one, other):  # they no longer reach each other, and all others still do
        run(*isolate, f"to{host.number}", "isolated", "on")
    expect(checks, prometheus, "a tunnel that is cut, at both ends", both)
    for host in (one, other):
        run(*isolate, f"to{host.number}", "isolated", "off")
    wait_for(lab.tunnels_up, "the tunnel answers again")
    expect(checks, prometheus, "it answers again", [])


def agent_killed(checks, lab, prometheus):
    host, others = lab.host(3), [lab.host(1), lab.host(2)]
    host.kill_daemon()
    expect(checks, prometheus, "an agent that is killed, and tunnels to it",
           [("ViaductHostDown", prometheus.target(host)), *(down(prometheus, other, host) for other in others)])
    host.start_daemon()
    lab.wait_served()
    wait_for(lab.tunnels_up, "its tunnels answer again")
    expect(checks, prometheus, "it is back", [])


def node_killed(checks, lab, prometheus):
    node = lab.nodes[0]
    node.kill_daemon()
    expect(checks, prometheus, "a cluster node that is killed, and agents without one",
           [("ViaductClusterNodeDown", prometheus.target(node)),
            *(("ViaductAgentNotServed", prometheus.target(agent)) for agent in lab.agents)])
    node.start_daemon()
    lab.wait_served()
    expect(checks, prometheus, "it is back", [])


def main(checks, lab, options):
    prometheus = Prometheus(lab, patience=1)
    for node in [*lab.nodes, *lab.agents]:
        prometheus.show(node)
    lab.start()
    lab.cluster.apply({"tunnel_zones": [lab.zone()]})
    wait_for(lab.tunnels_up, "every host reaches every other")
    prometheus.start()
    checks.play([all_is_well, tunnel_cut, agent_killed, node_killed], lab, prometheus)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, main, make_lab=HostsLab, prefix="pa", hosts=3, lease=LEASE))
