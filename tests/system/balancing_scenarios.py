"""Group F of the acceptance scenarios: the same as tests/scenario, with real packets. Clients are behind the gateway.

The way back of a balanced connection is known where its first packet entered, by the uplink: of answers those of vm2 are
checked, whose host on several hosts is the uplink's. Members that checks find dead are the health monitors' own tests.
"""
from collections import Counter

from filter_scenarios import play
from frames import TCP, echo_frame, ends_of, ip_frame, tcp, udp_frame
from two_subnets import GREEN_MAC, UP_MAC
from wire import only

CONNECTIONS, BATCH = 400, 40


def vip(scene):
    return scene.pick("203.0.113.10", "2001:db8:10::10")


def client(scene, number):
    return scene.pick("198.51.100.", "2001:db8:100::") + str(number % 200 + 1)


def play_pool(scene):
    """Members vm2, vm3 and vm1 with weights 3, 1 and 0."""
    topology = scene.network()
    router = topology["routers"][0]
    router["load-balancer"] = "lb"
    router["routes"] = [{"to": scene.everything(), "via": scene.gateway().ip, "port": "up1"}]
    members = [{"ip": scene.guest(number).ip, "port": 8080, "weight": weight} for number, weight in ((2, 3), (3, 1), (1, 0))]
    play(scene, topology, {}, **{"load-balancers": [{"name": "lb", "pools": [
        {"name": "web", "pool-members": members, "vips": [{"name": "www", "ip": vip(scene), "port": 80}]}]}]})


def request(scene, number, sport, flags=2):
    source = client(scene, number)
    return ip_frame(scene.gateway().mac, UP_MAC, source, vip(scene), TCP, tcp(source, vip(scene), sport, 80, flags))


def members_of(scene, requests):
    """Which port each went to, by the client's ends."""
    found = {}
    for first in range(0, len(requests), BATCH):
        for port, frames in scene.wire.exchange("up1", *requests[first:first + BATCH]).items():
            found.update({ends_of(frame).split(" > ")[0]: port for frame in frames})
    return found


def f1_members_share_by_weight_and_see_their_clients(scene):
    play_pool(scene)
    found = members_of(scene, [request(scene, number, 1000 + number) for number in range(CONNECTIONS)])
    scene.checks.equal("every connection has a member", len(found), CONNECTIONS)
    shares = Counter(found.values())
    expected = CONNECTIONS * 3 / 4
    good = set(shares) == {"p2", "p3"} and abs(shares["p2"] - expected) < CONNECTIONS / 8
    scene.checks.check("3 to 1, none for weight 0", good, dict(shares))
    vm2 = scene.guest(2)
    number = next(number for number in range(CONNECTIONS)
                  if found.get(f"{client(scene, number)}:{1000 + number}") == "p2")
    out = scene.send(scene.gateway(), request(scene, number, 1000 + number))
    there, sport = client(scene, number), 1000 + number
    scene.checks.equal("a member sees its client", ends_of(only(out, "p2")), f"{there}:{sport} > {vm2.ip}:8080")
    for turn in ("first", "by the flow"):
        answer = ip_frame(vm2.mac, GREEN_MAC, vm2.ip, there, TCP, tcp(vm2.ip, there, 8080, sport, 0x12))
        back = scene.send(vm2, answer)
        scene.goes_to(f"the answer, {turn}", back, "up1")
        scene.checks.equal(f"the answer, {turn}: from the VIP", ends_of(only(back, "up1")), f"{vip(scene)}:80 > {there}:{sport}")


def f3_a_disabled_member_keeps_what_it_has(scene):
    play_pool(scene)
    requests = [request(scene, number, 2000) for number in range(40)]
    before = members_of(scene, requests)
    member = next(one for one in scene.lab.json("pool-member", "list") if one["address"] == scene.guest(2).ip)
    scene.set("pool-member", member["id"], "--admin-up", "false")
    again = members_of(scene, [request(scene, number, 2000, 0x10) for number in range(40)])
    scene.checks.equal("connections that it had", again, before)
    new = members_of(scene, [request(scene, number, 2001) for number in range(40)])
    scene.checks.equal("new ones go elsewhere", set(new.values()), {"p3"})
    scene.checks.equal("all of them", len(new), 40)
    other = next(one for one in scene.lab.json("pool-member", "list") if one["address"] == scene.guest(3).ip)
    scene.set("pool-member", other["id"], "--admin-up", "false")
    dropped = scene.drops("no_pool_member")
    scene.goes_to("none left: dropped", scene.send(scene.gateway(), request(scene, 1, 2002)), "nothing")
    scene.checks.equal("none left: counted", scene.drops("no_pool_member") - dropped, 1)


def f5_other_protocols_and_ports_are_routed(scene):
    play_pool(scene)
    far, there = scene.gateway(), client(scene, 1)
    frame = udp_frame(far.mac, UP_MAC, there, vip(scene), 1000, 80)
    scene.goes_to("UDP, by the default route", scene.send(far, frame), "up1")
    other = ip_frame(far.mac, UP_MAC, there, vip(scene), TCP, tcp(there, vip(scene), 1000, 81))
    scene.goes_to("TCP to another port", scene.send(far, other), "up1")
    route = scene.pick("203.0.113.10/32", "2001:db8:10::10/128")
    scene.lab.apply({"routers": [{"name": "r1", "routes": [{"to": route, "local": True}]}]})
    ping = scene.send(far, echo_frame(far.mac, UP_MAC, there, vip(scene)))
    scene.says("a ping, with a local route", ping, "up1", scene.icmp("0/0", "129/0", vip(scene), there))


SCENARIOS = [
    f1_members_share_by_weight_and_see_their_clients,
    f3_a_disabled_member_keeps_what_it_has,
    f5_other_protocols_and_ports_are_routed,
]
