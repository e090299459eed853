#!/usr/bin/env python3
"""Gateways that speak BGP, with BIRD before the world: routes both ways, over two uplinks on two hosts; sessions, links, peers,
daemons and hosts that fail, come back or are configured anew, with connections open all the while; bad peers."""
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bgp_configured import configured_anew, far_peers, nat_announced  # noqa: E402
from bgp_gateways import WORLD_AS, BgpGateways, session  # noqa: E402
from checks import run_program  # noqa: E402
from failover_test import no_segment_lost, none_lost  # noqa: E402
from four_guests import metric  # noqa: E402
from gateways import make_lab, uplink4  # noqa: E402
from hosts_lab import speakers_spaces  # noqa: E402
from lab import TIME_SCALE, run, wait_for  # noqa: E402

FIRST_BAD, BAD_AS = 100, 65003
BFD_MS = 500  # a silent peer is lost, and traffic goes by the other, within so long
NOTICED_MS = 50  # who went by a silent link is not answered for longer


def both_ways(checks, cloud):
    """Both families, both uplinks; traffic takes both, and each flow one of them."""
    for number in cloud.gateways:
        lines = cloud.sessions(number)
        checks.equal(f"sessions of up{number}", sorted((line["state"], line["bfd"]) for line in lines.values()),
                     [("Established", "up" if cloud.bfd else "off")] * 2)
    for family in (4, 6):
        checks.equal(f"IPv{family} ways in, by the world", len(cloud.next_hops_in(family)), 2)
        checks.equal(f"IPv{family} ways out, by the machines' host", len(cloud.learned(family)), 2)
    cloud.mark()
    cloud.go_on(3)
    none_lost(checks, cloud)
    for number, host in cloud.gateways.items():
        [line] = [line for line in host.json("status")["ports"] if line["name"] == f"up{number}"]
        checks.check(f"up{number} carries connections out", line["tx_packets"] > cloud.total()["open"], line["tx_packets"])
        checks.check(f"up{number} carries connections in", line["rx_packets"] > cloud.total()["open"], line["rx_packets"])


def during(checks, cloud, what, lossless=False):
    """Something happens while connections go on; none is lost, and with `lossless` no segment either."""
    segments = cloud.segments_lost()
    cloud.mark()
    what()
    cloud.go_on(4)
    if lossless:
        no_segment_lost(checks, cloud, segments)
    else:
        none_lost(checks, cloud)


def silent_peer(checks, cloud):
    """BFD finds it; nobody else would for minutes. Echoes, a hundred a second in each of many flows, show how long."""
    echoes = cloud.start_echoes(16, milliseconds=10)
    cloud.mark()
    cloud.silence(1)
    wait_for(lambda: not cloud.established(1), "the session ends")
    longest = echoes.longest_ms()
    echoes.end()
    checks.check(f"traffic goes by the other within {BFD_MS} ms", NOTICED_MS < longest < BFD_MS * TIME_SCALE, f"{longest} ms")
    cloud.go_on(4)
    none_lost(checks, cloud)
    cloud.speak(1)
    cloud.wait_established()
    cloud.wait_routes(1)


def link_down(checks, cloud):
    during(checks, cloud, lambda: cloud.set_uplink(2, "down"))
    cloud.set_uplink(2, "up")
    cloud.wait_established(60)
    cloud.wait_routes(2)


def session_closed(checks, cloud):
    """Its own end of a session: the peer says goodbye, and goes on forwarding what still comes."""
    def close():
        for family in (4, 6):
            cloud.bird.ask("disable", session(1, family))
        for family in (4, 6):
            wait_for(lambda family=family: not cloud.leads_out(1, family), f"IPv{family} routes are withdrawn")

    during(checks, cloud, close, lossless=True)
    for family in (4, 6):
        cloud.bird.ask("enable", session(1, family))
    cloud.wait_established()
    cloud.wait_routes(1)


def speakers_die(checks, cloud):
    """With graceful restart nobody forgets a route: packets go on as if nothing had happened."""
    for daemon in ("bgpd", "zebra", "bfdd"):
        [before] = cloud.speaker_pids(1, daemon)

        def die(daemon=daemon, before=before):
            cloud.kill_speaker(1, daemon)
            wait_for(lambda: cloud.speaker_pids(1, daemon) not in ([], [before]), f"{daemon} is started again")
            cloud.wait_established(60)

        with checks.scenario(f"speakers_die: {daemon}"):
            during(checks, cloud, die, lossless=True)
    restarts = metric(cloud.gateways[1], "viaduct_bgp_daemon_restarts_total")
    checks.check("restarts are counted", restarts >= 3, restarts)


def daemon_ends(checks, cloud, number, end):
    def back():
        end()
        cloud.revive(number)

    during(checks, cloud, back)


def daemon_dies(checks, cloud):
    """The agent with all its speakers: flows in the kernel and the peer's patience carry the traffic."""
    daemon_ends(checks, cloud, 2, cloud.gateways[2].kill_daemon)


def daemon_restarted(checks, cloud):
    daemon_ends(checks, cloud, 1, cloud.gateways[1].stop_daemon)


def host_dies(checks, cloud):
    during(checks, cloud, lambda: cloud.cut(1))
    during(checks, cloud, lambda: cloud.mend(1))


def peer_restarts(checks, cloud):
    """Somebody else's router dies; its kernel goes on, and so do we. Not with BFD, which would say that it does not."""
    cloud.use_bfd(False)

    def die():
        cloud.bird.kill()
        cloud.bird.start("-R")  # after a crash: graceful restart
        cloud.wait_established(60)

    during(checks, cloud, die, lossless=True)
    cloud.use_bfd(True)


def bad_peers(checks, cloud):
    """What they tell is refused, counted and said; the sessions stay."""
    gateway = cloud.gateways[1]
    cloud.bird.extra[4] = ["203.0.113.128/25", "203.0.113.1/32"]
    cloud.bird.reconfigure()
    wait_for(lambda: metric(gateway, "viaduct_bgp_routes_refused_total") >= 2, "our own networks are refused", 30)
    seen = [(line["peer"], line["state"], line["up_seconds"], line["last_error"]) for line in cloud.sessions(1).values()]
    checks.check("both sessions stay", [state for _, state, *_ in seen] == ["Established"] * 2, seen)
    routes = gateway.json("bgp", "routes", "r1", "--to", "203.0.113.200")["routes"]
    checks.equal("nothing is learned of them", sorted({line["prefix"] for line in routes}), ["0.0.0.0/0"])
    cloud.bird.extra[4] = []
    cloud.bird.reconfigure()

    cluster, peer = cloud.lab.cluster, uplink4(1, 254)
    cluster.viaduct("bgp-peer", "set", session(1, 4), "--as-number", str(WORLD_AS + 1), "--wait")
    line = wait_for(lambda: (lambda one: one if "AS" in one["last_error"] and one["state"] != "Established" else None)(
        cloud.sessions(1)[peer]), "a wrong AS number is named", 30)
    checks.check("in words", "Bad Peer AS" in line["last_error"], line["last_error"])
    cluster.viaduct("bgp-peer", "set", session(1, 4), "--as-number", str(WORLD_AS), "--wait")
    cloud.wait_established(60)

    stray = ["bgp-peer", "create", "stray", "--router", "r1", "--ip", "172.31.0.9", "--as-number", "65009"]
    refused = cluster.viaduct(*stray, check=False)
    checks.check("an address on no subnet is refused", refused.returncode != 0 and "172.31.0.9" in refused.stderr,
                 refused.stderr.strip())
    cluster.viaduct(*stray, "--multihop", "4", "--wait")
    [problem] = wait_for(lambda: [text for text in gateway.json("bgp")["problems"] if "172.31.0.9" in text],
                         "one beyond the links that no route leads to is a problem")
    checks.check("which names the cure", "no route with a gateway" in problem, problem)
    cluster.viaduct("bgp-peer", "delete", "stray", "--wait")
    wait_for(lambda: not gateway.json("bgp")["problems"], "and gone with it")


def malformed_peers(checks, cloud):
    """Seventy more peers, each of which says one thing that it must not: bgpd lives, other sessions stay, and no route of theirs
    is used that leads into the network or nowhere."""
    cluster, gateway = cloud.lab.cluster, cloud.gateways[1]
    messages = Path(__file__).with_name("malformed_updates.txt")
    names = [line.split()[0] for line in messages.read_text().splitlines() if not line.startswith("#")]
    document = cloud.topology()
    document["routers"][0]["bgp-peers"] += [
        {"name": name, "ip": uplink4(1, FIRST_BAD + n), "as-number": BAD_AS, "prefix-limit": 10} for n, name in enumerate(names)]
    for n in range(len(names)):
        run("ip", "-n", cloud.lab.namespace("world"), "addr", "add", f"{uplink4(1, FIRST_BAD + n)}/24", "dev", "gw1")
    [bgpd] = cloud.speaker_pids(1, "bgpd")
    uptime = cloud.sessions(1)[uplink4(1, 254)]["up_seconds"]
    cluster.apply(document)
    told = json.loads(cloud.lab.guest("world", "python3", messages.with_name("bgp_bad_peers.py"), messages, uplink4(1, 1),
                                      uplink4(1, ""), FIRST_BAD, BAD_AS, timeout=120).stdout)
    ends = Counter(told.values())
    checks.check("all had a session", len(told) == len(names) and not ends["never"], dict(ends))
    checks.check("some were refused, others survived", len(ends) > 3 and ends["stays"] > 10, "")
    checks.equal("bgpd lives", cloud.speaker_pids(1, "bgpd"), [bgpd])
    checks.check("the good peers' sessions stay", cloud.sessions(1)[uplink4(1, 254)]["up_seconds"] > uptime)
    prefixes = {line["prefix"] for line in gateway.json("bgp", "routes", "r1")["routes"]}
    checks.check("nothing of theirs is used but what is well-formed", prefixes <= {"0.0.0.0/0", "::/0", "192.0.7.0/24", "240.0.0.0/4"},
                 sorted(prefixes))
    cloud.mark()
    cloud.go_on(2)
    none_lost(checks, cloud)
    for name in names:
        cluster.viaduct("bgp-peer", "delete", name)
    cluster.viaduct("wait")
    wait_for(lambda: len(cloud.sessions(1)) == 2, "they are gone")


def flapping_peer(checks, cloud):
    """A session that comes and goes twenty times: connections go by the other uplink."""
    def flap():
        for _ in range(20):
            cloud.bird.ask("disable", session(1, 4))
            cloud.bird.ask("enable", session(1, 4))
        cloud.wait_established(60)

    during(checks, cloud, flap)
    wait_for(lambda: cloud.leads_out(1, 4), "the route is back", 30)


def speakers_left(host):
    """What is on a host of its speakers: interfaces, directories."""
    links = run("ip", "-n", host.space, "-o", "link", "show").stdout
    return re.findall(r"vb[0-9a-f]{4}-[0-9a-f]{8}", links) + os.listdir(host.directory / "run" / "bgp")


def nothing_is_left(checks, cloud):
    """Without peers a router is silent, and nothing of its speakers is left on the hosts, nor a route on any; also on one that was
    killed before, and hears of it in its next life."""
    cluster, killed = cloud.lab.cluster, cloud.gateways[1]
    killed.kill_daemon()
    wait_for(lambda: not cloud.speaker_pids(1, "bgpd"), "a killed daemon takes its speakers along")
    checks.check("what is left waits for the next life", speakers_left(killed) != [])
    for line in cluster.json("bgp-peer", "list"):
        cluster.viaduct("bgp-peer", "delete", line["id"])
    killed.start_daemon()
    cloud.lab.wait_served(seconds=60)
    cluster.viaduct("wait")
    for number, host in cloud.gateways.items():
        wait_for(lambda host=host: not host.json("bgp")["sessions"], f"up{number} is silent")
        wait_for(lambda number=number: not cloud.speaker_pids(number, "bgpd"), "bgpd has ended")
        wait_for(lambda host=host: speakers_left(host) == [], f"nothing is left on {host.name}")
    spaces = set(speakers_spaces()) - cloud.lab.speakers_before
    checks.equal("network namespaces that are left", spaces, set())
    wait_for(lambda: not cloud.learned(4) and not cloud.learned(6), "no route is left")


def cleaned_up(checks, cloud):
    """viaductd --cleanup takes along what a killed daemon's speakers have left."""
    host = cloud.gateways[1]
    host.kill_daemon()
    wait_for(lambda: not cloud.speaker_pids(1, "bgpd"), "its speakers have ended")
    before = len(set(speakers_spaces()) - cloud.lab.speakers_before)
    said = run(*host.beside(), *host.daemon_command(), "--cleanup").stdout
    checks.check("it says what it removed", "BGP speaker" in said, said.strip())
    checks.equal("interfaces and directories that are left", speakers_left(host), [])
    checks.equal("namespaces that went", before - len(set(speakers_spaces()) - cloud.lab.speakers_before), 1)
    cloud.revive(1)


def play_all(checks, lab, options):
    BgpGateways.prepare(lab, options.probes)
    lab.start()
    cloud = BgpGateways(lab, options.within)
    cloud.bfd = not options.without_bfd
    cloud.make()
    cloud.open(options.connections, options.period)
    cloud.mark()
    cloud.go_on(3)
    checks.play([both_ways, silent_peer, link_down, session_closed, speakers_die, daemon_dies, daemon_restarted, host_dies,
                 peer_restarts, configured_anew, nat_announced, far_peers, bad_peers, malformed_peers, flapping_peer, cleaned_up, nothing_is_left], cloud)


def options(parser):
    parser.add_argument("--connections", type=int, default=400, help="a multiple of four")
    parser.add_argument("--within", type=int, default=5_000, help="milliseconds a connection may be silent")
    parser.add_argument("--probes", type=int, default=250, help="milliseconds between two probes of a host")
    parser.add_argument("--without-bfd", action="store_true",
                        help="for machines where a peer is silent for 300 ms at times; not for the scenarios that need it")
    parser.add_argument("--period", type=int, default=250, help="milliseconds between two questions on one connection")


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, options, make_lab=make_lab, prefix="vt-b"))
