"""Gateways that speak BGP, configured anew while they do, as scenarios of bgp_test.py."""
from bgp_gateways import session
from failover_test import none_lost
from gateways import CLOUD, OUTSIDE, SERVICE, uplink4, uplink6
from lab import wait_for


def host_prefix(address):
    return f"{address}/{128 if ':' in address else 32}"


def configured_anew(checks, cloud):
    """Changes while sessions are up: what is not concerned stays."""
    cluster, gateway = cloud.lab.cluster, cloud.gateways[1]
    peer = uplink4(1, 254)
    uptime = cloud.sessions(2)[uplink4(2, 254)]["up_seconds"]

    cluster.viaduct("bgp-peer", "set", session(1, 4), "--password", "secret", "--wait")
    wait_for(lambda: cloud.sessions(1)[peer]["state"] != "Established", "a wrong password ends the session")
    checks.check("the other family's session stays", cloud.sessions(1)[uplink6(1, 254)]["state"] == "Established")
    cloud.bird.options[session(1, 4)] = 'password "secret";'
    cloud.bird.reconfigure()
    wait_for(lambda: cloud.sessions(1)[peer]["state"] == "Established", "the right one lets it come", 60)
    text = cluster.viaduct("bgp-peer", "show", session(1, 4)).stdout
    checks.check("no tool shows the password", "secret" not in text)
    with cloud.new_session(1, 4):
        cluster.viaduct("bgp-peer", "set", session(1, 4), "--password", "", "--wait")
        cloud.bird.options.clear()
        cloud.bird.reconfigure()

    cloud.bird.extra[4] = [f"10.77.{n}.0/24" for n in range(60)]
    cluster.viaduct("bgp-peer", "set", session(1, 4), "--prefix-limit", "20", "--wait")
    cloud.bird.reconfigure()
    wait_for(lambda: any("beyond the peers' prefix limits" in problem for problem in gateway.json("bgp")["problems"]),
             "the surplus is said", 30)
    known = gateway.json("bgp", "routes", "r1")["routes"]
    of_peer = [line for line in known if line["gateway"] == peer]
    checks.equal("routes that are used of a peer with a limit", len(of_peer), 20)
    checks.check("the session stays", cloud.sessions(1)[peer]["state"] == "Established")
    cloud.bird.extra[4] = []
    cloud.bird.reconfigure()
    cluster.viaduct("bgp-peer", "set", session(1, 4), "--prefix-limit", "10000", "--wait")
    wait_for(lambda: len(gateway.json("bgp", "routes", "r1")["routes"]) == 4, "all is as before", 30)
    checks.check("the other gateway's session was never touched",
                 cloud.sessions(2)[uplink4(2, 254)]["up_seconds"] > uptime)

    cluster.viaduct("bgp-peer", "set", session(1, 4), "--import-filter", "deny 0.0.0.0/0", "--import-filter",
                    "permit 0.0.0.0/0 ge 1 le 32", "--wait")
    wait_for(lambda: not cloud.leads_out(1, 4), "a default route against the filter is not taken")
    cloud.mark()
    cloud.go_on(2)
    none_lost(checks, cloud)
    checks.check("the session stays with another filter", cloud.sessions(1)[peer]["state"] == "Established")
    cluster.viaduct("bgp-peer", "set", session(1, 4), "--import-filter", "none", "--wait")
    wait_for(lambda: cloud.leads_out(1, 4), "without one it is")

    cluster.viaduct("bgp-network", "create", "--router", "r1", "--prefix", "192.0.2.0/24", "--wait")
    wait_for(lambda: "192.0.2.0/24" in cloud.bird.ask("show", "route"), "a new network is announced")
    [network] = [line["id"] for line in cluster.json("bgp-network", "list") if line["prefix"] == "192.0.2.0/24"]
    cluster.viaduct("bgp-network", "delete", network, "--wait")
    wait_for(lambda: "192.0.2.0/24" not in cloud.bird.ask("show", "route"), "and withdrawn")


def nat_announced(checks, cloud):
    """A router that announces its NAT addresses, and no network: the world knows these, each for itself, and nothing else of it."""
    cluster = cloud.lab.cluster
    addresses = {family: sorted(host_prefix(one[family]) for one in (OUTSIDE, SERVICE)) for family in (4, 6)}

    def wait_heard(wanted, what):
        for number in cloud.gateways:
            for family in (4, 6):
                wait_for(lambda number=number, family=family: cloud.bird.heard(number, family) == wanted[family],
                         f"by up{number} IPv{family}, {what}")

    networks = {family: [CLOUD[family]] for family in (4, 6)}
    wait_heard(networks, "the network at first")
    cluster.viaduct("router", "set", "r1", "--advertise-nat", "true", "--wait")
    ids = [line["id"] for line in cluster.json("bgp-network", "list")]
    cloud.mark()
    cluster.viaduct("bgp-network", "delete", *ids, "--wait")
    wait_heard(addresses, f"{addresses} and nothing else")
    for family in (4, 6):
        for address in addresses[family]:
            checks.equal(f"the world's ways to {address}", len(cloud.next_hops_in(family, address)), 2)
    cloud.go_on(2)
    none_lost(checks, cloud)

    for family in (4, 6):
        cluster.viaduct("bgp-network", "create", "--router", "r1", "--prefix", CLOUD[family], "--wait")
    wait_heard(networks, "the network alone, which holds the addresses")
    cluster.viaduct("router", "set", "r1", "--advertise-nat", "false", "--wait")
    cloud.mark()
    cloud.go_on(2)
    none_lost(checks, cloud)
    for family in (4, 6):
        checks.equal(f"heard of IPv{family} in the end", cloud.bird.heard(1, family), networks[family])
