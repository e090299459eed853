#!/usr/bin/env python3
"""Every query of the Grafana dashboards and every rule has data in a live system of three hosts and a cluster node, scraped by the packaged
Prometheus; and what should have none here, has none."""
import sys

from checks import run_program
from hosts_lab import HostsLab
from hosts_mesh import Mesh
from lab import wait_for
from observed import Asked, Observation, observe
from observed_network import ObservedNetwork
from prometheus import Prometheus

PORT = "blue1"


def judge_finds_what_is_wrong(checks, prometheus):
    """A judge who is always content would be none."""
    judge = Observation(prometheus)
    for what, query, legend in (("a metric that nobody counts", "rate(viaduct_wrong_total[1m])", ""),
                                ("a value that no label has", 'viaduct_flows{instance="nobody"}', ""),
                                ("labels that do not fit together", "viaduct_flows * viaduct_tunnel_up", ""),
                                ("a legend without its label", "viaduct_flows", "{{peer}}")):
        checks.check(f"{what} is found", not judge.query(Asked("test", what, query, legend)).good)
    liar = Observation(prometheus, {"viaduct_flows": "said to have none"})
    liar.query(Asked("test", "flows", "viaduct_flows"))
    checks.check("an exception that has data is found", [one.words for one in liar.liars() if "HAS DATA" in one.words])
    unused = Observation(prometheus, {"viaduct_flows": "said to have none"})
    checks.check("an exception that nobody asks for is found", [one for one in unused.liars() if not one.good])


def everything_has_data(checks, prometheus):
    findings = observe(prometheus, {"interface": PORT})
    checks.check("there is something to look at", len(findings) > 140, len(findings))
    for one in findings:
        checks.check(one.place, one.good, one.words)


def main(checks, lab, options):
    prometheus = Prometheus(lab, patience=1)
    for node in [*lab.nodes, *lab.agents]:
        prometheus.show(node)
    mesh = Mesh(lab)
    mesh.make()
    network = ObservedNetwork(lab, mesh)
    network.build()
    prometheus.start()
    prometheus.await_scrapes()
    network.speak()
    wait_for(lambda: prometheus.alerts(), "a server that is down is an alert", 20)
    checks.play([everything_has_data, judge_finds_what_is_wrong], prometheus)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, main, make_lab=HostsLab, prefix="gd", hosts=3, lease=60))
