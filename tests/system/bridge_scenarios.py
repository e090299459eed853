"""Group A of the acceptance scenarios, and what else bridges must do: the same as tests/scenario, with real packets."""
import re

from frames import BROADCAST, describe, ethernet, ip, link_local, udp, udp_frame, who_has
from two_subnets import GREEN_MAC, UNKNOWN_MAC
from lab import wait_for
from wire import ethernet_of, only


def a1_unknown_unicast_is_flooded_once_to_all_others(scene):
    scene.play(scene.hub())
    out = scene.udp(scene.guest(1), UNKNOWN_MAC, scene.address(1, 77))
    scene.goes_to("an unknown MAC", out, "p2 p3")
    flows = scene.flow_actions("p1", UNKNOWN_MAC)
    scene.checks.check("one flow with two outputs", len(flows) == 1 and len(re.findall("output|tunnel", flows[0])) == 2, flows)
    again = scene.udp(scene.guest(1), UNKNOWN_MAC, scene.address(1, 77))
    scene.goes_to("again, by the flow", again, "p2 p3")
    frame = udp_frame(scene.guest(1).mac, UNKNOWN_MAC, scene.guest(1).ip, scene.address(1, 77))
    scene.checks.check("bytes unchanged", only(again, "p2") == frame and only(again, "p3") == frame)


def a2_a_learned_mac_gets_its_own_port_and_the_flood_flow_goes(scene):
    scene.play(scene.hub())
    vm1, vm2 = scene.guest(1), scene.guest(2)
    scene.goes_to("before", scene.udp(vm1, vm2.mac, vm2.ip), "p2 p3")
    scene.goes_to("vm2 speaks", scene.udp(vm2, UNKNOWN_MAC, scene.address(1, 77)), "p1 p3")
    wait_for(lambda: not scene.flow_actions("p1", vm2.mac), "the flood flow goes")
    scene.goes_to("after", scene.udp(vm1, vm2.mac, vm2.ip), "p2")


def a2_a_moved_mac_is_followed(scene):
    scene.play(scene.hub())
    vm1, vm2 = scene.guest(1), scene.guest(2)
    scene.announce(vm2)
    scene.goes_to("behind p2", scene.udp(vm1, vm2.mac, vm2.ip), "p2")
    scene.announce(vm2.but(port="p3"))
    scene.moved_to("behind p3", lambda: scene.udp(vm1, vm2.mac, vm2.ip), "p3")
    scene.udp(vm2, vm1.mac, vm1.ip)
    scene.moved_to("back, by a frame for one", lambda: scene.udp(vm1, vm2.mac, vm2.ip), "p2")


def a4_a_multicast_source_is_dropped_and_not_learned(scene):
    scene.play(scene.hub())
    liar = scene.guest(1).but(mac="03:00:00:00:00:01")
    before = scene.drops("multicast_source_mac")
    scene.goes_to("dropped", scene.udp(liar, UNKNOWN_MAC, scene.address(1, 77)), "nothing")
    scene.checks.equal("counted", scene.drops("multicast_source_mac") - before, 1)
    scene.checks.check("not learned", liar.mac not in str(scene.state("hub")))


def a9_static_neighbours_are_answered_for(scene):
    topology = scene.hub()
    mac, address = "02:00:00:00:00:50", scene.address(1, 50)
    topology["bridges"][0]["static_neighbours"] = [{"ip": address, "mac": mac}]
    scene.play(topology)
    out = scene.ask(scene.guest(1), address)
    scene.says("answered on p1, flooded nowhere", out, "p1", scene.is_at_text(address, mac))
    scene.checks.equal("addressed to who asked", ethernet_of(only(out, "p1")), f"{mac} > {scene.guest(1).mac}")


def a9_overheard_neighbours_are_answered_for(scene):
    scene.play(scene.hub())
    vm1, vm2 = scene.guest(1), scene.guest(2)
    scene.goes_to("vm2 announces itself", scene.announce(vm2), "p1 p3")
    scene.says("answered in its place", scene.ask(vm1, vm2.ip), "p1", scene.is_at_text(vm2.ip, vm2.mac))
    scene.flush("hub")
    scene.goes_to("forgotten: everybody is asked", scene.ask(vm1, vm2.ip), "p2 p3")


def a10_a_router_on_the_bridge_is_answered_for(scene):
    scene.play(scene.network())
    out = scene.ask(scene.guest(1), scene.address(1, 254))
    scene.says("the router's address", out, "p1",
               scene.is_at_text(scene.address(1, 254), GREEN_MAC, "router solicited override"))
    if not scene.v4:
        local = link_local(GREEN_MAC)
        scene.says("its link-local address", scene.ask(scene.guest(1), local), "p1",
                   f"na {local} is-at {GREEN_MAC} router solicited override")


def a_who_asks_whether_an_address_is_free_reaches_its_owner(scene):
    scene.play(scene.hub())
    scene.announce(scene.guest(2))
    probe = who_has(scene.guest(1).mac, scene.unspecified(), scene.guest(2).ip)
    scene.goes_to("duplicate address detection is flooded", scene.send(scene.guest(1), probe), "p2 p3")
    state = scene.state("hub")
    scene.checks.check("teaches no address", f"'{scene.unspecified()}'" not in str(state))


def a_a_frame_never_leaves_by_its_own_port(scene):
    scene.play(scene.hub())
    scene.udp(scene.guest(2).but(port="p1"), UNKNOWN_MAC, scene.address(1, 77))
    before = scene.drops("hairpin")
    scene.goes_to("hairpin", scene.udp(scene.guest(1), scene.guest(2).mac, scene.guest(2).ip), "nothing")
    scene.checks.equal("counted", scene.drops("hairpin") - before, 1)


def a_a_static_mac_is_not_moved_by_learning(scene):
    topology = scene.hub()
    vm1, vm2 = scene.guest(1), scene.guest(2)
    topology["bridges"][0]["static_macs"] = [{"mac": vm2.mac, "port": "p2"}]
    scene.play(topology)
    scene.udp(vm2.but(port="p3"), UNKNOWN_MAC, scene.address(1, 77))
    scene.goes_to("still behind p2", scene.udp(vm1, vm2.mac, vm2.ip), "p2")


def a_a_port_that_comes_and_goes_joins_and_leaves_the_flood(scene):
    scene.play(scene.hub())
    wire, vm1 = scene.wire, scene.guest(1)

    def flood(what, ports):
        scene.goes_to(what, scene.udp(vm1, BROADCAST, scene.address(1, 255), 67), ports)

    flood("all", "p2 p3")
    wire.set_link("p3", "down")
    scene.wait_inactive("p3")
    flood("p3's interface is down", "p2")
    scene.admin("port", "p2", False)
    flood("p2 administratively down", "nothing")
    wire.set_link("p3", "up")
    scene.wait_active(["p3"])
    flood("p3 is back", "p3")
    scene.lab.viaduct("unbind", "p3", "--wait")
    flood("p3 unbound", "nothing")
    scene.admin("port", "p2", True)
    scene.lab.viaduct("bind", "p3", wire.interface("p3"), "--wait")
    scene.wait_active(["p2", "p3"])
    flood("all again", "p2 p3")


def b13_a_bridge_that_is_down_is_silent(scene):
    scene.play(scene.hub())
    scene.admin("bridge", "hub", False)
    before = scene.drops("device_down")
    scene.goes_to("down", scene.ping(scene.guest(1), UNKNOWN_MAC, scene.address(1, 77)), "nothing")
    scene.checks.equal("counted", scene.drops("device_down") - before, 1)
    scene.admin("bridge", "hub", True)
    scene.goes_to("up again", scene.ping(scene.guest(1), UNKNOWN_MAC, scene.address(1, 77)), "p2 p3")


def a_frames_with_vlan_tags_are_forwarded_as_they_are(scene):
    scene.play(scene.hub())
    vm1, vm2 = scene.guest(1), scene.guest(2)
    for tags in ([(0x8100, 3 << 13 | 10)], [(0x88A8, 7), (0x8100, 11)]):
        frame = udp_frame(vm1.mac, UNKNOWN_MAC, vm1.ip, vm2.ip, tags=tags)
        for turn in ("first", "by the flow"):
            out = scene.send(vm1, frame)
            what = f"{len(tags)} tags, {turn}"
            if scene.goes_to(what, out, "p2 p3"):
                good = only(out, "p2") == frame and only(out, "p3") == frame
                scene.checks.check(f"{what}: unchanged", good, "" if good else only(out, "p2").hex())


def a_any_ethertype_and_size_is_carried_unchanged(scene):
    scene.play(scene.hub())
    vm1, vm2 = scene.guest(1), scene.guest(2)
    scene.announce(vm2)
    body = udp(vm1.ip, vm2.ip, 1, 2, bytes(range(256)) * 32)
    frames = {"ethertype 0x88cc": ethernet(vm1.mac, vm2.mac, 0x88CC, b"neighbour" * 8),
              "LLC": ethernet(vm1.mac, vm2.mac, 43, b"\x42\x42\x03" + bytes(40)),
              "8 kB": ethernet(vm1.mac, vm2.mac, 0x0800 if scene.v4 else 0x86DD, ip(vm1.ip, vm2.ip, 17, body))}
    for what, frame in frames.items():
        for turn in ("first", "again"):
            out = scene.send(vm1, frame)
            good = list(out) == ["p2"] and only(out, "p2") == frame
            scene.checks.check(f"{what}, {turn}", good, f"{len(frame)} bytes" if good else
                               {port: [describe(one) for one in frames] for port, frames in out.items()})


SCENARIOS = [
    a1_unknown_unicast_is_flooded_once_to_all_others,
    a2_a_learned_mac_gets_its_own_port_and_the_flood_flow_goes,
    a2_a_moved_mac_is_followed,
    a4_a_multicast_source_is_dropped_and_not_learned,
    a9_static_neighbours_are_answered_for,
    a9_overheard_neighbours_are_answered_for,
    a10_a_router_on_the_bridge_is_answered_for,
    a_who_asks_whether_an_address_is_free_reaches_its_owner,
    a_a_frame_never_leaves_by_its_own_port,
    a_a_static_mac_is_not_moved_by_learning,
    a_a_port_that_comes_and_goes_joins_and_leaves_the_flood,
    b13_a_bridge_that_is_down_is_silent,
    a_frames_with_vlan_tags_are_forwarded_as_they_are,
    a_any_ethertype_and_size_is_carried_unchanged,
]
