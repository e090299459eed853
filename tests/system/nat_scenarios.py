"""Group D of the acceptance scenarios: the same as tests/scenario, with real packets. Translation at the router, between
guests and what is behind the gateway.

What a dynamic translation has made is known where the first packet entered. On several hosts answers that enter there as well
are those to guests on the uplink's host (scene.beside_uplink).
"""
import struct

from filter_scenarios import play
from frames import ICMP, ICMPV6, TCP, Parsed, echo_frame, ends_of, icmp, ip_frame, quote_of, tcp, tcp_frame
from lab import wait_for
from two_subnets import BLUE_MAC, GREEN_MAC, UP_MAC
from wire import only

GRE = 47


def outside(scene):
    return scene.pick("198.51.100.1", "2001:db8:100::1")


def floating(scene):
    return scene.pick("203.0.113.7", "2001:db8:7::7")


def at(address, first, last):
    return f"{address}:{first}-{last}" if ":" not in address else f"[{address}]:{first}-{last}"


def play_nat(scene, pre, post):
    topology = scene.network()
    router = topology["routers"][0]
    router.update({"inbound-filter": "pre", "outbound-filter": "post"})
    router["routes"] = [{"to": scene.everything(), "via": scene.gateway().ip, "port": "up1"}]
    play(scene, topology, {"pre": pre, "post": post})


def masquerade(scene, first, last):
    """What leaves by the uplink has its address, and ports of these."""
    play_nat(scene, [{"in-port": ["up1"], "reverse-snat": True}],
             [{"out-port": ["up1"], "snat": True, "target": [at(scene.address(9, 1), first, last)], "fragments": "header"}])


def gateway_mac(guest):
    return GREEN_MAC if guest.port in ("p1", "p2") else BLUE_MAC


def tcp_out(scene, guest, sport, target=None):
    return tcp_frame(guest.mac, gateway_mac(guest), guest.ip, target or outside(scene), sport, 80)


def tcp_in(scene, source, sport, target, dport):
    far = scene.gateway()
    body = tcp(source, target, sport, dport, flags=0x12)
    return ip_frame(far.mac, UP_MAC, source, target, TCP, body)


def leaves(scene, guest, frame):
    """The frame at the uplink. A packet without a port waits until the cluster has leased some."""
    scene.wire.send(guest.port, frame)
    out = scene.wire.await_frame("up1", lambda seen: Parsed(seen).proto == Parsed(frame).proto, "the packet")
    if not Parsed(out).checksums_right():
        scene.checks.check(f"checksums at the uplink of {ends_of(out)}", False)
    return out


def source_port(frame):
    return struct.unpack_from("!H", Parsed(frame).l4)[0]


def comes_back(scene, what, frame, guest, ends):
    out = scene.send(scene.gateway(), frame)
    scene.goes_to(what, out, guest.port)
    good = only(out, guest.port)
    scene.checks.equal(f"{what}: ends", ends_of(good) if good else "nothing", ends)
    scene.checks.check(f"{what}: checksums", bool(good) and Parsed(good).checksums_right())


def d1_sources_share_an_address_and_answers_find_back(scene):
    masquerade(scene, 1024, 1024 + 4 * 64 - 1)
    guests = [scene.guest(number) for number in scene.beside_uplink]
    first, second = outside(scene), scene.pick("198.51.100.2", "2001:db8:100::2")
    seen = {}
    for number in range(100):
        guest, target = guests[number % len(guests)], (first, second)[number // 3 % 2]
        out = leaves(scene, guest, tcp_out(scene, guest, 2000 + number, target))
        seen[ends_of(out)] = (guest, target, source_port(out), 2000 + number)
    scene.checks.equal("each its own ends", len(seen), 100)
    addresses = {text.rsplit(":", 1)[0] for text in (ends.split(" > ")[0] for ends in seen)}
    scene.checks.equal("all from the uplink's address", addresses, {scene.address(9, 1)})
    ports = {port for _, _, port, _ in seen.values()}
    scene.checks.check("by ports of the rule", all(1024 <= port < 1024 + 4 * 64 for port in ports), sorted(ports)[:3])
    scene.checks.check("ports serve each destination anew", len(ports) < 100, len(ports))
    for guest, target, port, sport in list(seen.values())[::20]:
        comes_back(scene, f"to {guest.port}", tcp_in(scene, target, 80, scene.address(9, 1), port), guest,
                   f"{target}:80 > {guest.ip}:{sport}")
    stranger = tcp_in(scene, scene.pick("198.51.100.9", "2001:db8:100::9"), 80, scene.address(9, 1), min(ports))
    deliveries = scene.send(scene.gateway(), stranger)
    scene.checks.check("from somebody else: to no guest", not {"p1", "p2", "p3", "p4"} & set(deliveries), list(deliveries))


def d1_more_connections_take_another_block_and_then_none_are_left(scene):
    masquerade(scene, 2048, 2048 + 2 * 64 - 1)
    vm2 = scene.guest(2)
    ports = {source_port(leaves(scene, vm2, tcp_out(scene, vm2, 3000 + number))) for number in range(128)}
    scene.checks.equal("128 connections to one place, two blocks", len(ports), 128)
    before = scene.drops("nat_ports_exhausted")

    def refused():
        scene.goes_to("one more", scene.send(vm2, tcp_out(scene, vm2, 4000)), "nothing")
        return scene.drops("nat_ports_exhausted") > before

    wait_for(refused, "the packet, which waits for a block first, is dropped and counted")
    out = leaves(scene, vm2, tcp_out(scene, vm2, 3000))
    scene.checks.check("those that it has go on", source_port(out) in ports)
    scene.wire.fence()
    scene.wire.collected()


def d3_pings_of_two_guests_with_one_identifier(scene):
    masquerade(scene, 1024, 65535)
    kind, proto = scene.pick((0, ICMP), (129, ICMPV6))
    identifiers = set()
    for number in scene.beside_uplink[:2]:
        guest = scene.guest(number)
        out = leaves(scene, guest, echo_frame(guest.mac, gateway_mac(guest), guest.ip, outside(scene), ident=7))
        identifier = Parsed(out).l4[4:6]
        identifiers.add(identifier)
        message = icmp(outside(scene), scene.address(9, 1), kind, 0, identifier + b"\0\1", b"p" * 32)
        far = scene.gateway()
        frame = ip_frame(far.mac, UP_MAC, outside(scene), scene.address(9, 1), proto, message)
        comes_back(scene, f"the answer to {guest.port}", frame, guest, f"{outside(scene)}:7 > {guest.ip}:7")
    scene.checks.equal("identifiers of their own", len(identifiers), len(scene.beside_uplink[:2]))


def d5_both_ends_are_translated_and_back_in_order(scene):
    vm2, inner = scene.guest(2), scene.address(1, 254)
    play_nat(scene,
             [{"reverse-snat": True, "action": "continue"},
              {"ip-dst": floating(scene), "ip-proto": "tcp", "l4-dst": 80, "dnat": True, "target": [at(vm2.ip, 8080, 8080)]}],
             [{"reverse-dnat": True, "action": "continue"},
              {"destination-rewritten": True, "snat": True, "target": [at(inner, 5000, 5999)]}])
    frame = tcp_in(scene, outside(scene), 4000, floating(scene), 80)
    scene.wire.send("up1", frame)
    got = scene.wire.await_frame("p2", lambda seen: Parsed(seen).proto == TCP, "the packet")
    parsed, port = Parsed(got), source_port(got)
    scene.checks.equal("in", ends_of(got), f"{inner}:{port} > {vm2.ip}:8080")
    scene.checks.check("in: a port of the rule, checksums", 5000 <= port <= 5999 and parsed.checksums_right(), port)
    body = tcp(vm2.ip, inner, 8080, port, flags=0x12)
    out = scene.send(vm2, ip_frame(vm2.mac, GREEN_MAC, vm2.ip, inner, TCP, body))
    scene.goes_to("out", out, "up1")
    scene.checks.equal("out: both translated back", ends_of(only(out, "up1")), f"{floating(scene)}:80 > {outside(scene)}:4000")


def d6_a_floating_address_both_ways_with_errors(scene):
    vm1, public = scene.guest(1), floating(scene)
    play_nat(scene, [{"ip-dst": public, "dnat": True, "target": [vm1.ip]}],
             [{"ip-src": vm1.ip, "out-port": ["up1"], "snat": True, "target": [public]}])
    before = scene.connections()
    comes_back(scene, "TCP in", tcp_in(scene, outside(scene), 4000, public, 22), vm1, f"{outside(scene)}:4000 > {vm1.ip}:22")
    out = scene.send(vm1, tcp_frame(vm1.mac, GREEN_MAC, vm1.ip, outside(scene), 22, 4000))
    scene.goes_to("TCP out", out, "up1")
    sent = only(out, "up1")
    scene.checks.equal("TCP out: ends", ends_of(sent), f"{public}:22 > {outside(scene)}:4000")
    scene.checks.check("static: nothing is kept", scene.connections() <= before, f"{before} entries before")
    far = scene.gateway()
    comes_back(scene, "a ping", echo_frame(far.mac, UP_MAC, outside(scene), public, ident=9), vm1,
               f"{outside(scene)}:9 > {vm1.ip}:9")
    error_about(scene, sent, public, vm1, f"{vm1.ip}:22 > {outside(scene)}:4000")


def error_about(scene, sent, public, guest, ends):
    """The gateway could not deliver what the guest has sent, and says so to the address that it came from."""
    far = scene.gateway()
    kind, proto = scene.pick(((3, 1), ICMP), ((1, 0), ICMPV6))
    message = icmp(far.ip, public, *kind, payload=sent[14:])
    told = scene.send(far, ip_frame(far.mac, UP_MAC, far.ip, public, proto, message))
    scene.says("an error about it", told, guest.port, scene.icmp("3/1", "1/0", far.ip, guest.ip))
    frame = only(told, guest.port)
    if frame:
        scene.checks.equal("what it quotes is what the guest has sent", ends_of(quote_of(frame)), ends)
        scene.checks.check("error: checksums", Parsed(frame).checksums_right())


def d6_errors_about_a_masqueraded_connection_find_back(scene):
    masquerade(scene, 1024, 65535)
    vm2 = scene.guest(2)
    sent = leaves(scene, vm2, tcp_out(scene, vm2, 2000))
    error_about(scene, sent, scene.address(9, 1), vm2, f"{vm2.ip}:2000 > {outside(scene)}:80")


def d6_a_whole_network_is_renamed(scene):
    inside, outer = scene.pick(("10.0.1.0/24", "203.0.113.0/24"), ("fd00:1::/64", "2001:db8:5::/64"))
    play_nat(scene, [{"ip-dst": outer, "dnat": True, "target": [inside]}],
             [{"ip-src": inside, "out-port": ["up1"], "snat": True, "target": [outer]}])
    vm1, named = scene.guest(1), scene.pick("203.0.113.1", "2001:db8:5::1")
    out = scene.send(vm1, tcp_out(scene, vm1, 1000))
    scene.goes_to("out", out, "up1")
    scene.checks.equal("out: ends", ends_of(only(out, "up1")), f"{named}:1000 > {outside(scene)}:80")
    comes_back(scene, "in", tcp_in(scene, outside(scene), 80, named, 1000), vm1, f"{outside(scene)}:80 > {vm1.ip}:1000")


def d8_what_cannot_be_translated_is_for_the_next_rule(scene):
    play_nat(scene, [{"in-port": ["up1"], "reverse-snat": True}],
             [{"out-port": ["up1"], "snat": True, "target": [at(scene.address(9, 1), 1024, 2000)]},
              {"ip-proto": "gre", "drop": True}])
    vm2 = scene.guest(2)
    leaves(scene, vm2, tcp_out(scene, vm2, 2000))
    before = scene.drops("dropped_by_rule")
    frame = ip_frame(vm2.mac, GREEN_MAC, vm2.ip, outside(scene), GRE, bytes(24))
    scene.goes_to("GRE", scene.send(vm2, frame), "nothing")
    scene.checks.equal("GRE: counted", scene.drops("dropped_by_rule") - before, 1)


SCENARIOS = [
    d1_sources_share_an_address_and_answers_find_back,
    d1_more_connections_take_another_block_and_then_none_are_left,
    d3_pings_of_two_guests_with_one_identifier,
    d5_both_ends_are_translated_and_back_in_order,
    d6_a_floating_address_both_ways_with_errors,
    d6_errors_about_a_masqueraded_connection_find_back,
    d6_a_whole_network_is_renamed,
    d8_what_cannot_be_translated_is_for_the_next_rule,
]
