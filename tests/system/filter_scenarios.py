"""Group C of the acceptance scenarios, and what of A needs rules: the same as tests/scenario, with real packets.

What a connection has opened is known where its first packet entered. So that its answers enter there as well, also on
several hosts, those who talk to each other are on one host: vm1 and vm4, vm2 and the gateway.
"""
from frames import ICMP, ICMPV6, UDP, echo_frame, fragment_frame, icmp, ip_frame, tcp_frame, udp_frame
from two_subnets import BLUE_MAC, GREEN_MAC, UP_MAC
from wire import only

UNASKED = {"eth-type": "arp", "action": "accept"}


def discovery(scene):
    """What guests need to find each other, accepted."""
    return [UNASKED] if scene.v4 else [{"ip-proto": "icmpv6", "l4-src": "133-137", "action": "accept"}]


def port_of(topology, name):
    ports = [port for kind in ("bridges", "routers") for device in topology[kind] for port in device["ports"]]
    return next(port for port in ports if port["name"] == name)


def play(scene, topology, chains, *guests, **also):
    """The topology with these chains, in which all guests have made themselves known."""
    scene.play({**topology, **also, "chains": [{"name": name, "rules": rules} for name, rules in chains.items()]})
    for guest in guests or [scene.guest(number) for number in (1, 2, 3, 4)]:
        scene.announce(guest)
    if "up1" in str(topology):
        scene.ask(scene.gateway(), scene.address(9, 1))


def dropped(scene, what, send, count=1):
    before = scene.drops("dropped_by_rule")
    scene.goes_to(what, send(), "nothing")
    scene.checks.equal(f"{what}: counted", scene.drops("dropped_by_rule") - before, count)


def a6_a7_bridges_learn_what_they_drop_and_let_tagged_frames_pass(scene):
    topology = scene.hub()
    topology["bridges"][0]["inbound-filter"] = "no-ip"
    play(scene, topology, {"no-ip": [{"eth-type": scene.pick("ipv4", "ipv6"), "drop": True}]}, scene.guest(2))
    vm1, vm2 = scene.guest(1), scene.guest(2)
    dropped(scene, "by the bridge's chain", lambda: scene.udp(vm1, vm2.mac, vm2.ip))
    scene.checks.check("but its MAC is learned", vm1.mac in str(scene.state("hub")))
    scene.moved_to("a tagged frame passes", lambda: scene.udp(vm1, vm2.mac, vm2.ip, tags=[(0x8100, 10)]), "p2")


def c1_jumps_loops_and_ends(scene):
    topology = scene.network()
    port_of(topology, "p1")["inbound-filter"] = "a"
    play(scene, topology, {
        "a": [{"jump": "b"}, {"ip-proto": "udp", "l4-dst": 99, "drop": True}],
        "b": [{"jump": "a"}, {"ip-proto": "tcp", "drop": True}, {"jump": "c"}],  # back to a: nowhere
        "c": [{"action": "return"}, {"drop": True}]})
    vm1, vm2 = scene.guest(1), scene.guest(2)
    scene.goes_to("nobody decides: accepted", scene.udp(vm1, vm2.mac, vm2.ip, dport=98), "p2")
    dropped(scene, "after the return the caller's next rule decides", lambda: scene.udp(vm1, vm2.mac, vm2.ip, dport=99))
    dropped(scene, "behind the loop", lambda: scene.tcp(vm1, vm2.mac, vm2.ip))


def c2_every_condition_and_its_opposite(scene):
    """A rule at the router drops what it matches: vm1 to vm3, but not the other packet; its opposite just that."""
    topology = scene.network()
    topology["routers"][0]["outbound-filter"] = "c"
    vm1, vm2, vm3, vm4 = (scene.guest(number) for number in (1, 2, 3, 4))
    host = scene.pick("/32", "/128")
    play(scene, topology, {"c": [{"drop": True}]}, **{
        "port-groups": [{"name": name, "port-group-ports": [{"port": port}]}
                        for name, port in (("ones", "p1"), ("inner", "r1-green"), ("outer", "r1-blue"))],
        "ip-groups": [{"name": name, "ip-group-addresses": [{"ip": guest.ip + host}]}
                      for name, guest in (("sources", vm1), ("targets", vm3))]})
    matched = ("p1", "p3", udp_frame(vm1.mac, GREEN_MAC, vm1.ip, vm3.ip, 1000, 53, tos=0x20))
    from_two = ("p2", "p4", udp_frame(vm2.mac, GREEN_MAC, vm2.ip, vm4.ip, 1000, 53))
    from_four = ("p4", "p2", udp_frame(vm4.mac, BLUE_MAC, vm4.ip, vm2.ip, 1000, 53))
    other_port = ("p1", "p3", udp_frame(vm1.mac, GREEN_MAC, vm1.ip, vm3.ip, 1001, 54))
    over_tcp = ("p1", "p3", tcp_frame(vm1.mac, GREEN_MAC, vm1.ip, vm3.ip))
    later = ("p1", "p3", fragment_frame(vm1.mac, GREEN_MAC, vm1.ip, vm3.ip, UDP, bytes(64), 64, False))
    other_tos = ("p1", "p3", udp_frame(vm1.mac, GREEN_MAC, vm1.ip, vm3.ip, 1000, 53, tos=0x24))
    for field, value, other in (
            ("port-group", "ones", from_two), ("in-port-group", "inner", from_four), ("out-port-group", "outer", from_four),
            ("in-port", ["r1-green"], from_four), ("out-port", ["r1-blue"], from_four), ("traversed", "p1", from_two),
            ("ip-src", vm1.ip + host, from_two), ("ip-dst", scene.address(2, 0) + scene.pick("/24", "/64"), from_four),
            ("ip-src-group", "sources", from_two), ("ip-dst-group", "targets", from_two), ("ip-proto", "udp", over_tcp),
            ("l4-src", "900-1000", other_port), ("l4-dst", 53, other_port), ("ip-tos", 0x20, other_tos),
            ("eth-src", "02:00:00:00:00:01/ff:ff:ff:ff:ff:03", from_two), ("fragments", "unfragmented", later)):
        for opposite in (False, True):
            if opposite and field == "fragments":  # never inverted
                continue
            name = ("not-" if opposite else "") + field
            extra = {"ip-proto": "udp"} if field.startswith("l4") else {}
            scene.lab.apply({"chains": [{"name": "c", "rules": [{"position": 10, name: value, "drop": True, **extra}]}]})
            for what, (port, there, frame), gone in (("it", matched, not opposite), ("the other", other, opposite)):
                out = scene.wire.exchange(port, frame)
                scene.goes_to(f"{name} {value}: {what}", out, "nothing" if gone else there)


def c3_return_packets_pass_and_others_do_not(scene):
    topology = scene.network()
    port_of(topology, "p1").update({"inbound-filter": "in", "outbound-filter": "out"})
    play(scene, topology, {"in": [{"forward-flow": True, "action": "accept"}],
                           "out": [*discovery(scene), {"return-flow": True, "action": "accept"}, {"drop": True}]})
    vm1, vm3, vm4 = scene.guest(1), scene.guest(3), scene.guest(4)

    def back(guest=vm4, dport=5000):
        return scene.udp(guest, BLUE_MAC, vm1.ip, 53, dport=dport)

    dropped(scene, "nobody asked for it", back)
    scene.goes_to("vm1 asks", scene.udp(vm1, GREEN_MAC, vm4.ip, 5000, dport=53), "p4")
    scene.moved_to("the answer passes: what dropped it is gone", back, "p1")
    scene.goes_to("again, by the flow", back(), "p1")
    dropped(scene, "to another port", lambda: back(dport=5001))
    dropped(scene, "from somebody else", lambda: back(vm3))


def c3_answers_to_pings_and_errors_about_them_pass(scene):
    topology = scene.network()
    port_of(topology, "p1").update({"inbound-filter": "in", "outbound-filter": "out"})
    play(scene, topology, {"in": [{"forward-flow": True, "action": "accept"}],
                           "out": [*discovery(scene), {"return-flow": True, "action": "accept"}, {"drop": True}]})
    vm1, vm4 = scene.guest(1), scene.guest(4)
    request = echo_frame(vm1.mac, GREEN_MAC, vm1.ip, vm4.ip, ident=7)
    sent = scene.send(vm1, request)
    scene.goes_to("vm1 pings", sent, "p4")
    kind, proto = scene.pick((0, ICMP), (129, ICMPV6))

    def reply(ident):
        message = icmp(vm4.ip, vm1.ip, kind, 0, ident.to_bytes(2, "big") + b"\0\1", b"p" * 32)
        return scene.send(vm4, ip_frame(vm4.mac, BLUE_MAC, vm4.ip, vm1.ip, proto, message))

    scene.goes_to("the answer", reply(7), "p1")
    dropped(scene, "one that was not asked for", lambda: reply(8))
    unreachable = scene.pick((3, 3), (1, 4))
    message = icmp(vm4.ip, vm1.ip, *unreachable, payload=only(sent, "p4")[14:])
    error = ip_frame(vm4.mac, BLUE_MAC, vm4.ip, vm1.ip, proto, message)
    scene.says("an error about it", scene.send(vm4, error), "p1",
               scene.icmp("3/3", "1/4", vm4.ip, vm1.ip))
    scene.goes_to("the router's own answers", scene.ping(vm1, GREEN_MAC, scene.address(1, 254)), "p1")


def c5_a_firewall_at_the_router(scene):
    topology = scene.network()
    topology["routers"][0]["forward-filter"] = "wall"
    inside = scene.pick("10.0.1.0/24", "fd00:1::/64")
    play(scene, topology, {"wall": [
        {"return-flow": True, "action": "accept"},
        {"ip-src": inside, "ip-proto": "udp", "l4-dst": 53, "fragments": "unfragmented", "action": "accept"},
        {"ip-proto": "tcp", "action": "reject"}, {"drop": True}]})
    vm2, far = scene.guest(2), scene.gateway()

    def back(dport=5000):
        return scene.udp(far, UP_MAC, vm2.ip, 53, dport=dport)

    dropped(scene, "from outside", back)
    scene.goes_to("out", scene.udp(vm2, GREEN_MAC, far.ip, 5000, dport=53), "up1")
    scene.moved_to("and back", back, "p2")
    dropped(scene, "to what is not allowed", lambda: scene.udp(vm2, GREEN_MAC, far.ip, 5000, dport=54))
    dropped(scene, "from outside to another port", lambda: back(5001))
    told = scene.tcp(far, UP_MAC, vm2.ip)
    scene.says("TCP from outside is told", told, "up1", scene.icmp("3/13", "1/1", scene.address(9, 1), far.ip))


def c7_reject_is_told_by_routers_and_silent_at_bridges(scene):
    topology = scene.network()
    port_of(topology, "r1-green")["inbound-filter"] = "no"
    play(scene, topology, {"no": [{"ip-proto": "tcp", "action": "reject"}]})
    vm1, vm3 = scene.guest(1), scene.guest(3)
    told = scene.icmp("3/13", "1/1", scene.address(1, 254), vm1.ip)
    scene.says("at a router's port", scene.tcp(vm1, GREEN_MAC, vm3.ip), "p1", told)
    scene.set("port", "r1-green", "--inbound-filter", "none")
    scene.set("port", "p1", "--inbound-filter", "no")
    before = scene.drops("rejected_by_rule")
    scene.goes_to("at a bridge's port", scene.tcp(vm1, GREEN_MAC, vm3.ip), "nothing")
    scene.checks.equal("counted", scene.drops("rejected_by_rule") - before, 1)
    scene.set("port", "p1", "--inbound-filter", "none")
    scene.set("router", "r1", "--forward-filter", "no")
    scene.says("by the router's own rules", scene.tcp(vm1, GREEN_MAC, vm3.ip), "p1", told)


SCENARIOS = [
    a6_a7_bridges_learn_what_they_drop_and_let_tagged_frames_pass,
    c1_jumps_loops_and_ends,
    c2_every_condition_and_its_opposite,
    c3_return_packets_pass_and_others_do_not,
    c3_answers_to_pings_and_errors_about_them_pass,
    c5_a_firewall_at_the_router,
    c7_reject_is_told_by_routers_and_silent_at_bridges,
]
