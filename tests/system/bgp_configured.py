"""Gateways that speak BGP, configured anew while they do, as scenarios of bgp_test.py."""
import time

from bgp_gateways import FAR_AS, UPLINKS, GoBgp, session
from failover_test import none_lost
from gateways import CLOUD, OUTSIDE, SERVICE, WORLD, uplink4, uplink6
from lab import run, wait_for

TTL = 4  # of what the router tells a peer beyond its links
FAR = {4: "198.18.0.0/15", 6: "2001:db8:70::/44"}
FAR_HOST = {4: "198.18.77.1", 6: "2001:db8:77::1"}  # within; a peer beyond the links announces it


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


def with_far_peers(cloud):
    """The topology with peers at the world's own addresses, which up1 leads to. Without them there is no way to what they
    announce, for all the default routes."""
    out = cloud.topology()
    [router] = out["routers"]
    router["routes"] = [{"to": to, "reject": True} for to in FAR.values()]
    for family in (4, 6):
        router["routes"].append({"to": host_prefix(WORLD[family]), "via": UPLINKS[family](1, 254), "port": "up1"})
        router["bgp-peers"].append({"name": f"far{family}", "ip": WORLD[family], "as-number": FAR_AS, "multihop": TTL,
                                    "connect-retry": 1})
    return out


def far_peer(checks, cloud, peer, family):
    gateway, address, host = cloud.gateways[1], WORLD[family], FAR_HOST[family]

    def session_with():
        line = cloud.sessions(1).get(address)
        return line if line and line["state"] == "Established" else None

    def known():
        routes = cloud.lab.host(1).json("bgp", "routes", "r1", "--to", host)["routes"]
        return [(one["gateway"], one["port_name"], one["state"]) for one in routes if one["prefix"] == host_prefix(host)]

    line = wait_for(session_with, f"a session with {address}", 60)
    checks.equal(f"the session with {address}", (line["port"], line["as_number"]), ("up1", FAR_AS))
    rows = [row.split() for row in gateway.viaduct("bgp").stdout.splitlines()]
    checks.check("the tool shows it", any(address in row and "Established" in row for row in rows))
    wait_for(lambda: CLOUD[family] in peer.table(family), f"{address} hears of {CLOUD[family]}")

    checks.equal(f"without a route of its, echoes of {host}", cloud.lab.ping("vm1", host, 1, wait=1)[1], 0)
    peer.announce(family, host_prefix(host))
    checks.equal(f"the way to {host}", wait_for(known, f"the machines' host knows of {host}"),
                 [(UPLINKS[family](1, 254), "up1", "used")])
    sent, received, _ = cloud.lab.ping("vm1", host)
    checks.equal(f"with it, echoes of {host}", received, sent)


def far_peers(checks, cloud):
    """Peers (GoBGP) on no link of the router: static routes lead to them, by gateways on a link, and so to what they tell."""
    cluster, inside = cloud.lab.cluster, ["ip", "-n", cloud.lab.namespace("world"), "addr"]
    for host in FAR_HOST.values():
        run(*inside, "add", host_prefix(host), "dev", "lo")
    # As a router between the two would: the world's own addresses are no hop away.
    rules = [f"{ip} daddr {WORLD[family]} tcp {end} 179 {ip} {field} 1 drop;"
             for family, ip, field in ((4, "ip", "ttl"), (6, "ip6", "hoplimit")) for end in ("dport", "sport")]
    cloud.lab.guest("world", "nft", f"table inet hop {{ chain i {{ type filter hook input priority 0; {' '.join(rules)} }}; }}")
    peer = GoBgp(cloud.lab)
    peer.start()
    began = {}  # before which the sessions on the link have begun: they know their age, in seconds
    for family in (4, 6):
        age = cloud.sessions(1)[UPLINKS[family](1, 254)]["up_seconds"]
        began[family] = time.monotonic() - max(0, age - 2)
    cluster.apply(with_far_peers(cloud))
    for family in (4, 6):
        far_peer(checks, cloud, peer, family)
    checks.equal("the other gateway has no session with them", sorted(cloud.sessions(2)),
                 sorted([uplink4(2, 254), uplink6(2, 254)]))
    checks.equal("and says no problem", [host.json("bgp")["problems"] for host in cloud.gateways.values()], [[], []])

    peer.kill()
    cluster.apply(cloud.topology(), "--prune")
    wait_for(lambda: len(cloud.sessions(1)) == 2, "they are gone")
    for family, since in began.items():
        line = cloud.sessions(1)[UPLINKS[family](1, 254)]
        checks.equal(f"the IPv{family} session on the link stays", line["state"], "Established")
        checks.check(f"it is the same one, up for {line['up_seconds']} s", line["up_seconds"] >= time.monotonic() - since)
    cloud.lab.guest("world", "nft", "delete", "table", "inet", "hop")
    for family, host in FAR_HOST.items():
        checks.equal(f"gateways to {host} in the end", sorted(cloud.learned(family, host)),
                     sorted(UPLINKS[family](number, 254) for number in cloud.gateways))
        run(*inside, "del", host_prefix(host), "dev", "lo")
    cloud.mark()
    cloud.go_on(2)
    none_lost(checks, cloud)
