"""Group B of the acceptance scenarios, and what else routers must do: the same as tests/scenario, with real packets."""
import time

from frames import (BROADCAST, ICMP, ICMPV6, Parsed, UDP, announcement, checksum, describe, echo_frame, ethernet,
                    fragment_frame, icmp, ip_frame, is_at, pseudo, udp, udp_frame, who_has)
from lab import wait_for
from two_subnets import BLUE_MAC, GREEN_MAC, UNKNOWN_MAC, UP_MAC, Guest
from wire import ethernet_of, only


def error_to_vm1(scene, what, deliveries, four, six, source=None):
    source = source or scene.address(1, 254)
    return scene.says(what, deliveries, "p1", scene.icmp(four, six, source, scene.guest(1).ip))


def sound(scene, what, frame):
    scene.checks.check(f"{what}: checksums", bool(frame) and Parsed(frame).checksums_right())


def b1_a_ping_between_subnets_after_one_question(scene):
    scene.play(scene.network())
    wire, vm1, vm3 = scene.wire, scene.guest(1), scene.guest(3)
    request = echo_frame(vm1.mac, GREEN_MAC, vm1.ip, vm3.ip)
    question = scene.who_has_text(vm3.ip, scene.address(2, 254), BLUE_MAC)
    seen = []
    wire.send("p1", request)
    wire.expect("p3", question, others=seen)
    wire.expect("p4", question)
    wire.send("p1", request)
    wire.fence()
    seen += wire.pending("p3")
    scene.checks.check("asked once, although two packets wait", not seen, [describe(frame) for frame in seen])
    wire.send("p3", is_at(vm3.mac, vm3.ip, BLUE_MAC, scene.address(2, 254)))
    for turn in ("first", "second"):
        frame = wire.expect("p3", scene.icmp("8/0", "128/0", vm1.ip, vm3.ip))
        scene.checks.equal(f"{turn}: MACs", ethernet_of(frame), f"{BLUE_MAC} > {vm3.mac}")
        scene.checks.equal(f"{turn}: TTL", Parsed(frame).ttl, 63)
        sound(scene, turn, frame)
    wire.collected()
    scene.announce(vm1)
    for turn in ("third", "by the flow"):
        out = scene.send(vm1, request)
        scene.says(turn, out, "p3", scene.icmp("8/0", "128/0", vm1.ip, vm3.ip))
        sound(scene, turn, only(out, "p3"))
    actions = scene.flow_actions("p1", vm3.ip)
    good = len(actions) == 1 and actions[0].startswith(f"set_eth(src={BLUE_MAC},dst={vm3.mac}),dec_ttl,")
    scene.checks.check("one flow rewrites and outputs", good, actions)


def b1_both_ways_with_what_the_bridges_overheard(scene):
    scene.play(scene.network())
    vm1, vm3 = scene.guest(1), scene.guest(3)
    scene.announce(vm1)
    scene.announce(vm3)
    scene.goes_to("there", scene.ping(vm1, GREEN_MAC, vm3.ip), "p3")
    scene.goes_to("and back", scene.ping(vm3, BLUE_MAC, vm1.ip), "p1")


def b2_time_exceeded_quotes_the_packet(scene):
    scene.play(scene.network())
    vm1, vm3 = scene.guest(1), scene.guest(3)
    scene.announce(vm1)
    scene.announce(vm3)
    scene.goes_to("a longer-lived packet has a flow", scene.udp(vm1, GREEN_MAC, vm3.ip), "p3")
    request = udp_frame(vm1.mac, GREEN_MAC, vm1.ip, vm3.ip, ttl=1)
    before = scene.drops("ttl_exceeded")
    out = scene.send(vm1, request)
    error_to_vm1(scene, "from the port where it came in", out, "11/0", "3/0")
    frame = only(out, "p1")
    scene.checks.equal("MACs", ethernet_of(frame), f"{GREEN_MAC} > {vm1.mac}")
    scene.checks.check("quotes the packet as it was", Parsed(frame).quoted() == request[14:])
    sound(scene, "error", frame)
    scene.checks.equal("counted", scene.drops("ttl_exceeded") - before, 1)


def b4_blackholes_are_silent_and_rejects_say_so(scene):
    topology = scene.network()
    black, no = scene.pick("10.66.0.1", "fd66::1"), scene.pick("10.67.0.1", "fd67::1")
    topology["routers"][0]["routes"] = [{"to": scene.pick("10.66.0.0/16", "fd66::/16"), "blackhole": True},
                                        {"to": scene.pick("10.67.0.0/16", "fd67::/16"), "reject": True}]
    scene.play(topology)
    vm1 = scene.guest(1)
    scene.announce(vm1)
    scene.goes_to("blackhole", scene.tcp(vm1, GREEN_MAC, black), "nothing")
    scene.goes_to("blackhole, by the flow", scene.tcp(vm1, GREEN_MAC, black), "nothing")
    error_to_vm1(scene, "reject", scene.tcp(vm1, GREEN_MAC, no), "3/13", "1/1")
    route = next(one for one in scene.lab.json("route", "list") if one["next_hop"] == "blackhole")
    scene.lab.viaduct("route", "delete", route["id"], "--wait")
    error_to_vm1(scene, "no route at all", scene.tcp(vm1, GREEN_MAC, black), "3/0", "1/0")


def b5_near_far_and_extra_addresses_answer_pings(scene):
    topology = scene.network()
    extra = scene.pick("10.99.0.9", "fd99::9")
    topology["routers"][0]["routes"] = [{"to": scene.pick("10.99.0.9/32", "fd99::9/128"), "local": True}]
    scene.play(topology)
    vm1 = scene.guest(1)
    scene.announce(vm1)
    for what, target in (("near", scene.address(1, 254)), ("far", scene.address(2, 254)), ("extra", extra)):
        out = scene.ping(vm1, GREEN_MAC, target)
        error_to_vm1(scene, what, out, "0/0", "129/0", target)
        frame = only(out, "p1")
        scene.checks.equal(f"{what}: MACs", ethernet_of(frame), f"{GREEN_MAC} > {vm1.mac}")
        good = Parsed(frame).quoted() == b"p" * 32 and Parsed(frame).l4[4:8] == b"\0\7\0\1"
        scene.checks.check(f"{what}: identifier, sequence and data are those asked", good)
        sound(scene, what, frame)


def b5_pings_in_fragments_are_answered_in_fragments(scene):
    scene.play(scene.network())
    vm1, there = scene.guest(1), scene.address(2, 254)
    scene.announce(vm1)
    whole = Parsed(echo_frame(vm1.mac, GREEN_MAC, vm1.ip, there, payload=bytes(range(96)))).l4
    proto, cut = scene.pick(ICMP, ICMPV6), 64
    answers = []
    for offset, piece in ((0, whole[:cut]), (cut, whole[cut:])):
        frame = fragment_frame(vm1.mac, GREEN_MAC, vm1.ip, there, proto, piece, offset, offset == 0)
        out = scene.send(vm1, frame)
        scene.goes_to(f"the piece at {offset}", out, "p1")
        answers.append(Parsed(only(out, "p1")))
    scene.checks.equal("an echo reply", describe(answers[0].frame), scene.icmp("0/0", "129/0", there, vm1.ip))
    scene.checks.equal("in the same pieces", [answer.flags & 0x3FFF for answer in answers], [0x2000, cut // 8])
    joined = answers[0].l4 + answers[1].l4
    total = checksum(joined) if scene.v4 else checksum(pseudo(there, vm1.ip, ICMPV6, len(joined)) + joined)
    scene.checks.check("whose whole is right", total == 0 and joined[8:] == whole[8:], len(joined))


def b5_nothing_else_is_served(scene):
    scene.play(scene.network())
    vm1 = scene.guest(1)
    scene.announce(vm1)
    error_to_vm1(scene, "UDP", scene.udp(vm1, GREEN_MAC, scene.address(1, 254)), "3/3", "1/4")
    scene.goes_to("TCP", scene.tcp(vm1, GREEN_MAC, scene.address(1, 254), 22), "nothing")


def resolve_gateway(scene, frame):
    """vm1's packet to the gateway's network: the question is asked, answered, and the packet arrives."""
    wire, far = scene.wire, scene.gateway()
    wire.send("p1", frame)
    wire.expect("up1", scene.who_has_text(far.ip, scene.address(9, 1), UP_MAC))
    wire.send("up1", is_at(far.mac, far.ip, UP_MAC, scene.address(9, 1)))
    return wire.await_frame("up1", lambda seen: Parsed(seen).proto == UDP, "the packet")


def b7_a_stale_neighbour_is_used_and_asked_again(scene):
    """A restart makes every neighbour stale: the next packet uses it at once, and it is asked again meanwhile."""
    scene.play(scene.network())
    wire, vm1, far = scene.wire, scene.guest(1), scene.gateway()
    frame = udp_frame(vm1.mac, GREEN_MAC, vm1.ip, far.ip)
    arrived = resolve_gateway(scene, frame)
    scene.checks.equal("MACs", ethernet_of(arrived), f"{UP_MAC} > {far.mac}")
    wait_for(lambda: any(line["state"] == "fresh" for line in neighbours(scene)), "reachable")
    scene.restart("up1")
    scene.wait_active(["p1", "up1"])
    state = [line["state"] for line in neighbours(scene)]
    scene.checks.equal("after the restart", state, ["stale"])
    other = udp_frame(vm1.mac, GREEN_MAC, vm1.ip, scene.address(9, 254), 5001, ttl=40)
    wire.send("p1", other)
    wire.await_frame("up1", lambda seen: Parsed(seen).ttl == 39, "the packet, although the neighbour is stale")
    scene.checks.check("no packet waits for the answer", True)
    scene.flush("r1")
    wait_for(lambda: not scene.flow_actions("p1", far.ip), "its flows go")
    wire.send("p1", frame)
    wire.expect("up1", scene.who_has_text(far.ip, scene.address(9, 1), UP_MAC))
    scene.checks.check("forgotten: asked before anything is sent", True)


def neighbours(scene):
    far = scene.gateway()
    return [line for line in scene.state("r1", far.port)["entries"] if far.ip in line["key"]]


def b7_by_the_clock(scene):
    """Takes three minutes: traffic goes on past 60 s, when the neighbour is asked again; then nobody speaks for 90 s."""
    scene.play(scene.network())
    wire, vm1, frames, questions = scene.wire, scene.guest(1), {}, {}
    for scene.v4 in (True, False):
        guest, far = scene.guest(1), scene.gateway()
        frames[scene.v4] = udp_frame(vm1.mac, GREEN_MAC, guest.ip, far.ip)
        resolve_gateway(scene, frames[scene.v4])
        question = scene.who_has_text(far.ip, scene.address(9, 1), UP_MAC)
        questions[question] = is_at(far.mac, far.ip, UP_MAC, scene.address(9, 1))
    began, sent, arrived, asked = time.monotonic(), 0, 0, {}

    def all_asked_again():
        nonlocal sent, arrived
        for frame in frames.values():
            wire.send("p1", frame)
            sent += 1
        for frame in wire.pending("up1"):
            arrived += Parsed(frame).proto == UDP
            if describe(frame) in questions:
                asked[describe(frame)] = int(time.monotonic() - began)
                wire.send("up1", questions[describe(frame)])
        return len(asked) == len(questions)

    wait_for(all_asked_again, "both neighbours are asked again", 100)
    wire.fence()
    arrived += sum(Parsed(frame).proto == UDP for frame in wire.pending("up1"))
    scene.checks.check("asked again in the background, nothing lost", arrived == sent, f"{arrived} of {sent}, {asked} s")
    wait_for(lambda: not scene.state("r1")["entries"], "unused neighbours are forgotten", 150)
    scene.checks.check("forgotten when nobody spoke", True, f"{time.monotonic() - began:.0f} s")
    scene.checks.equal("their flows too", scene.flow_actions("p1", "ip_dst=10.0.9.254"), [])


def b7_who_never_answers_is_unreachable(scene):
    scene.play(scene.network())
    wire, vm1 = scene.wire, scene.guest(1)
    scene.announce(vm1)
    question = scene.who_has_text(scene.gateway().ip, scene.address(9, 1), UP_MAC)
    before = scene.drops("next_hop_unresolved")
    wire.send("p1", udp_frame(vm1.mac, GREEN_MAC, vm1.ip, scene.gateway().ip))
    for turn in ("first", "second", "third"):
        wire.expect("up1", question)
    frame = wire.expect("p1", scene.icmp("3/1", "1/3", scene.address(1, 254), vm1.ip))
    sound(scene, "asked three times, then host unreachable", frame)
    wait_for(lambda: scene.drops("next_hop_unresolved") == before + 1, "the drop is counted")


def b9_only_who_is_on_the_link_and_was_asked_teaches(scene):
    scene.play(scene.network())
    far = scene.gateway()
    stranger = far.but(ip=scene.address(7, 7))
    before = scene.drops("neighbour_ignored")
    scene.goes_to("of another subnet", scene.announce(stranger), "nothing")
    scene.checks.equal("counted", scene.drops("neighbour_ignored") - before, 1)
    scene.goes_to("an answer to somebody else", scene.answer(far, "02:00:00:00:00:98", scene.address(9, 7)), "nothing")
    scene.checks.equal("nothing learned", scene.state("r1")["entries"], [])


def b9_a_router_answers_for_its_own_address_and_learns_who_asks(scene):
    scene.play(scene.network())
    far = scene.gateway()
    out = scene.ask(far, scene.address(9, 1))
    scene.says("its own address", out, "up1",
               scene.is_at_text(scene.address(9, 1), UP_MAC, "router solicited override"))
    scene.checks.equal("learned who asked", len(neighbours(scene)), 1)
    scene.goes_to("no proxy ARP", scene.ask(far, scene.address(9, 77)), "nothing")


def b9_probes_for_a_routers_address_are_answered_and_teach_nothing(scene):
    """RFC 4862 5.4, RFC 5227: by the router, or by the bridge before it."""
    scene.play(scene.network())
    prober = "02:00:00:00:00:66"
    for port, target, mac in (("up1", scene.address(9, 1), UP_MAC), ("p1", scene.address(1, 254), GREEN_MAC)):
        out = only(scene.wire.exchange(port, who_has(prober, scene.unspecified(), target)), port)
        scene.checks.equal(f"{port}: it is taken", describe(out), scene.is_at_text(target, mac, "router override"))
        scene.checks.equal(f"{port}: from whom, to whom", ethernet_of(out),
                           f"{mac} > {scene.pick(prober, '33:33:00:00:00:01')}")
    scene.checks.equal("nothing learned", scene.state("r1")["entries"], [])


def b9_a_gratuitous_announcement_moves_the_neighbour(scene):
    scene.play(scene.network())
    vm1, far = scene.guest(1), scene.gateway()
    frame = udp_frame(vm1.mac, GREEN_MAC, vm1.ip, far.ip)
    resolve_gateway(scene, frame)
    scene.wire.fence()
    scene.wire.collected()
    scene.checks.equal("before", ethernet_of(only(scene.send(vm1, frame), "up1")), f"{UP_MAC} > {far.mac}")
    moved = "02:00:00:00:00:9a"
    scene.send(far, announcement(moved, far.ip))
    wait_for(lambda: not any(far.mac in actions for actions in scene.flow_actions("p1")), "the flow to the old MAC goes")
    scene.checks.equal("after", ethernet_of(only(scene.send(vm1, frame), "up1")), f"{UP_MAC} > {moved}")


def two_default_routes(scene, topology, weights=(100, 100)):
    router = scene.second_uplink(topology)
    router["routes"] = [
        {"to": scene.everything(), "port": "up1", "via": scene.address(9, 254), "weight": weights[0]},
        {"to": scene.everything(), "port": "up2", "via": scene.address(8, 254), "weight": weights[1]}]
    scene.play(topology)
    scene.ask(scene.gateway(), scene.address(9, 1))
    scene.ask(scene.second_gateway(), scene.address(8, 1))


def b11_equal_routes_share_by_connection(scene):
    two_default_routes(scene, scene.network())
    vm1 = scene.guest(1)
    frames = [udp_frame(vm1.mac, GREEN_MAC, vm1.ip, scene.anywhere(), port) for port in range(1000, 1200)]
    chosen = []
    for _ in range(2):
        chosen.append({"up1": [], "up2": []})
        for at in range(0, len(frames), 50):  # fewer at once than a port's credit for upcalls
            out = scene.wire.exchange("p1", *frames[at:at + 50])
            for port, sources in chosen[-1].items():
                sources += sorted(Parsed(frame).l4[:2] for frame in out.get(port, []))
    counts = {port: len(chosen[0][port]) for port in chosen[0]}
    scene.checks.check("200 connections, both ways used", min(counts.values()) > 60 and sum(counts.values()) == 200, counts)
    scene.checks.check("a connection keeps its way", chosen[0] == chosen[1])


def b13_a_router_port_that_is_down_says_so(scene):
    scene.play(scene.network())
    scene.announce(scene.guest(1))
    scene.admin("port", "r1-green", False)
    error_to_vm1(scene, "port", scene.ping(scene.guest(1), GREEN_MAC, scene.guest(3).ip), "3/13", "1/1")


def b13_a_router_that_is_down_says_so(scene):
    scene.play(scene.network())
    vm1, vm3 = scene.guest(1), scene.guest(3)
    scene.announce(vm1)
    scene.announce(vm3)
    scene.goes_to("up", scene.ping(vm1, GREEN_MAC, vm3.ip), "p3")
    scene.admin("router", "r1", False)
    error_to_vm1(scene, "down", scene.ping(vm1, GREEN_MAC, vm3.ip), "3/13", "1/1")
    scene.admin("router", "r1", True)
    scene.goes_to("up again", scene.ping(vm1, GREEN_MAC, vm3.ip), "p3")


def b15_a_loop_of_routers_ends(scene):
    topology = scene.network()
    router, any_where = topology["routers"][0], scene.everything()
    router["ports"].append({"name": "r1-r2", "mac": "02:00:00:00:12:01", "addresses": ["10.12.0.1/30", "fd12::1/126"]})
    router["routes"] = [{"to": any_where, "port": "r1-r2", "via": scene.pick("10.12.0.2", "fd12::2")}]
    back = {"name": "r2-r1", "mac": "02:00:00:00:12:02", "addresses": ["10.12.0.2/30", "fd12::2/126"], "peer": "r1-r2"}
    topology["routers"].append({"name": "r2", "ports": [back], "routes": [
        {"to": any_where, "port": "r2-r1", "via": scene.pick("10.12.0.1", "fd12::1")}]})
    scene.play(topology)
    vm1 = scene.guest(1)
    scene.announce(vm1)
    before = scene.drops("too_many_devices")
    scene.goes_to("the loop guard", scene.udp(vm1, GREEN_MAC, scene.anywhere()), "nothing")
    scene.checks.equal("counted", scene.drops("too_many_devices") - before, 1)
    out = scene.udp(vm1, GREEN_MAC, scene.anywhere(), ttl=3)
    error_to_vm1(scene, "a short TTL ends first", out, "11/0", "3/0", scene.pick("10.12.0.1", "fd12::1"))


def b_a_route_follows_its_port(scene):
    two_default_routes(scene, scene.network(), (10, 20))
    vm1 = scene.guest(1)
    scene.goes_to("the better route", scene.udp(vm1, GREEN_MAC, scene.anywhere()), "up1")
    scene.lab.viaduct("unbind", "up1", "--wait")
    scene.goes_to("its port is unbound", scene.udp(vm1, GREEN_MAC, scene.anywhere()), "up2")
    scene.lab.viaduct("bind", "up1", scene.wire.interface("up1"), "--wait")
    scene.wait_active(["up1"])
    scene.ask(scene.gateway(), scene.address(9, 1))
    scene.goes_to("and bound again", scene.udp(vm1, GREEN_MAC, scene.anywhere()), "up1")


def b_too_big_is_told_or_cut(scene):
    scene.play(scene.network())
    vm1, vm3 = scene.guest(1), scene.guest(3)
    scene.announce(vm1)
    scene.announce(vm3)
    scene.set("port", "r1-blue", "--mtu", "1280")
    scene.goes_to("what fits", scene.udp(vm1, GREEN_MAC, vm3.ip), "p3")
    big = udp_frame(vm1.mac, GREEN_MAC, vm1.ip, vm3.ip, payload=b"y" * 1400, **({"flags": 0x4000} if scene.v4 else {}))
    out = scene.send(vm1, big)
    error_to_vm1(scene, "too big, after a flow was made by one that fits", out, "3/4", "2/0")
    told = Parsed(only(out, "p1"))
    sound(scene, "error", told.frame)
    mtu = int.from_bytes(told.l4[6:8] if scene.v4 else told.l4[4:8], "big")
    scene.checks.equal("names the MTU", mtu, 1280)
    scene.checks.check("quotes the packet", big[14:].startswith(told.quoted()[:500]))
    if scene.v4:
        pieces = scene.send(vm1, udp_frame(vm1.mac, GREEN_MAC, vm1.ip, vm3.ip, payload=bytes(range(200)) * 7))
        scene.goes_to("may be cut: two fragments", pieces, "p3 p3")
        parsed = sorted((Parsed(frame) for frame in pieces.get("p3", [])), key=lambda one: one.flags & 0x1FFF)
        whole = b"".join(one.l4 for one in parsed)
        good = whole[8:] == bytes(range(200)) * 7 and all(one.ttl == 63 and one.checksums_right() for one in parsed)
        scene.checks.check("that hold the whole, TTL 63", good, [hex(one.flags) for one in parsed])


def b_what_routers_do_not_take(scene):
    scene.play(scene.network())
    vm1, vm3, far = scene.guest(1), scene.guest(3), scene.gateway()
    scene.announce(vm1)

    def dropped(what, reason, guest, frame):
        before = scene.drops(reason)
        scene.goes_to(what, scene.send(guest, frame), "nothing")
        scene.checks.equal(f"{what}: counted as {reason}", scene.drops(reason) - before, 1)

    loopback = scene.pick("127.0.0.1", "::1")
    dropped("a loopback source", "martian_source", vm1, udp_frame(vm1.mac, GREEN_MAC, loopback, vm3.ip))
    dropped("another MAC", "not_for_router_mac", far, udp_frame(far.mac, UNKNOWN_MAC, far.ip, vm3.ip))
    dropped("broadcast", "l2_broadcast_at_router", far, udp_frame(far.mac, BROADCAST, far.ip, vm3.ip))
    tagged = udp_frame(far.mac, UP_MAC, far.ip, vm3.ip, tags=[(0x8100, 5)])
    dropped("a VLAN tag", "vlan_tagged_at_router", far, tagged)
    dropped("MPLS", "unsupported_ethertype", far, ethernet(far.mac, UP_MAC, 0x8847, bytes(60)))
    multicast = scene.pick("224.1.2.3", "ff0e::1:2:3")
    group = scene.pick("01:00:5e:01:02:03", "33:33:00:02:00:03")
    scene.goes_to("multicast is not routed", scene.send(far, udp_frame(far.mac, group, far.ip, multicast)), "nothing")


def b_errors_are_not_answered_with_errors(scene):
    scene.play(scene.network())
    vm1, there = scene.guest(1), scene.anywhere()
    scene.announce(vm1)
    message = icmp(vm1.ip, there, 3 if scene.v4 else 1, 0, bytes(4), bytes(60))
    frame = ip_frame(vm1.mac, GREEN_MAC, vm1.ip, there, ICMP if scene.v4 else ICMPV6, message)
    before = scene.drops("no_route")
    scene.goes_to("an error without a route", scene.send(vm1, frame), "nothing")
    scene.checks.equal("counted", scene.drops("no_route") - before, 1)
    error_to_vm1(scene, "but a packet is", scene.udp(vm1, GREEN_MAC, there), "3/0", "1/0")


def b_who_must_not_be_told_is_not_told(scene):
    scene.play(scene.network())
    vm1, nowhere = scene.guest(1), scene.anywhere()
    scene.announce(vm1)

    def told(frame):
        return "p1" in scene.send(vm1, frame)

    def packet(what, told_of, proto, payload, dst_mac=GREEN_MAC, target=nowhere, source=vm1.ip):
        scene.checks.equal(what, told(ip_frame(vm1.mac, dst_mac, source, target, proto, payload)), told_of)

    def piece(offset):
        datagram = udp(vm1.ip, nowhere, 1, 2, bytes(96))
        return fragment_frame(vm1.mac, GREEN_MAC, vm1.ip, nowhere, UDP, datagram[offset:offset + 64], offset, True)

    datagram = udp(vm1.ip, nowhere, 1, 2)
    packet("a packet without a route", True, UDP, datagram)
    scene.checks.equal("its first fragment", told(piece(0)), True)
    scene.checks.equal("a later fragment", told(piece(64)), False)
    redirect = icmp(vm1.ip, nowhere, scene.pick(5, 137), 0, bytes(4), bytes(60))
    packet("a redirect", False, scene.pick(ICMP, ICMPV6), redirect)
    packet("in a broadcast frame", False, UDP, datagram, dst_mac=BROADCAST)
    for target in (scene.pick("224.0.0.9", "ff05::9"), scene.pick("10.0.1.255", "ff02::1")):
        packet(f"to {target}", False, UDP, udp(vm1.ip, target, 1, 2), target=target)
    for source in (scene.pick("0.0.0.0", "::"), scene.pick("224.0.0.1", "ff02::1"), scene.pick("127.0.0.1", "::1"),
                   scene.pick("255.255.255.255", "ff0e::1"), scene.pick("10.0.1.255", "ff01::1")):
        packet(f"from {source}", False, UDP, udp(source, nowhere, 1, 2), source=source)
    packet("and it is not for their number", True, UDP, datagram)


def b_errors_come_from_the_port_that_the_packet_met(scene):
    scene.play(scene.network())
    vm1, vm3 = scene.guest(1), scene.guest(3)
    scene.announce(vm1)
    out = scene.udp(vm1, GREEN_MAC, vm3.ip, ttl=1, payload=bytes(2000))
    error_to_vm1(scene, "not from the one where it would leave", out, "11/0", "3/0")
    scene.checks.equal("quotes as much as fits", len(only(out, "p1")), 14 + scene.pick(576, 1280))


def b_a_guest_that_moves_is_followed_by_the_router(scene):
    scene.play(scene.network())
    vm1, vm3 = scene.guest(1), scene.guest(3)
    scene.announce(vm1)
    scene.announce(vm3)
    scene.goes_to("behind p3", scene.udp(vm1, GREEN_MAC, vm3.ip), "p3")
    scene.announce(Guest("p4", vm3.mac, vm3.ip))
    scene.moved_to("behind p4", lambda: scene.udp(vm1, GREEN_MAC, vm3.ip), "p4")
    scene.announce(Guest("p3", "02:00:00:00:00:3a", vm3.ip))
    wait_for(lambda: not any(vm3.mac in actions for actions in scene.flow_actions("p1")), "the flow to the old MAC goes")
    out = scene.udp(vm1, GREEN_MAC, vm3.ip)
    scene.goes_to("another machine has its address", out, "p3")
    scene.checks.equal("and its MAC", ethernet_of(only(out, "p3")), f"{BLUE_MAC} > 02:00:00:00:00:3a")


SCENARIOS = [
    b1_a_ping_between_subnets_after_one_question,
    b1_both_ways_with_what_the_bridges_overheard,
    b2_time_exceeded_quotes_the_packet,
    b4_blackholes_are_silent_and_rejects_say_so,
    b5_near_far_and_extra_addresses_answer_pings,
    b5_pings_in_fragments_are_answered_in_fragments,
    b5_nothing_else_is_served,
    b7_a_stale_neighbour_is_used_and_asked_again,
    b7_who_never_answers_is_unreachable,
    b9_only_who_is_on_the_link_and_was_asked_teaches,
    b9_a_router_answers_for_its_own_address_and_learns_who_asks,
    b9_probes_for_a_routers_address_are_answered_and_teach_nothing,
    b9_a_gratuitous_announcement_moves_the_neighbour,
    b11_equal_routes_share_by_connection,
    b13_a_router_port_that_is_down_says_so,
    b13_a_router_that_is_down_says_so,
    b15_a_loop_of_routers_ends,
    b_a_route_follows_its_port,
    b_too_big_is_told_or_cut,
    b_what_routers_do_not_take,
    b_errors_are_not_answered_with_errors,
    b_who_must_not_be_told_is_not_told,
    b_errors_come_from_the_port_that_the_packet_met,
    b_a_guest_that_moves_is_followed_by_the_router,
]

SLOW_SCENARIOS = [b7_by_the_clock]  # both families at once
