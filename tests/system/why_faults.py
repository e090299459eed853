"""Faults of one host's network, one at a time, for why_test.py: how each is made, what then does not arrive, and what
`viaduct why` has to call it.

  vm1 ── p1 ─┐                                  ┌─ p3 ── vm3       gateway: 10.0.9.254, behind up1
             green ── r1-green [r1] r1-blue ── blue                gateway2: 10.0.8.254, behind up2
  vm2 ── p2 ─┘            │  │                  └─ p4 ── vm4
                        up1  r2 ── up2                             vmN: 10.0.1.N or 10.0.2.N; fd00:1::N …
"""
from frames import announcement, echo_frame, tcp_frame, udp_frame, who_has

GREEN_MAC, BLUE_MAC, UP_MAC, UP2_MAC = "02:00:00:00:01:fe", "02:00:00:00:02:fe", "02:00:00:00:09:01", "02:00:00:00:08:01"
PORTS = ["p1", "p2", "p3", "p4", "up1", "up2"]


class Family:
    """The network's addresses in one family."""

    def __init__(self, name):
        self.name, self.v4 = name, name == "v4"

    def at(self, subnet, host):
        return f"10.0.{subnet}.{host}" if self.v4 else f"fd00:{subnet}::{host}"

    def vm(self, number):
        return self.at(1 if number <= 2 else 2, number)

    def prefix(self, four, six):
        return four if self.v4 else six

    @property
    def far(self):
        return self.prefix("198.51.100.9", "2001:db8:9::9")

    @property
    def far_prefix(self):
        return self.prefix("198.51.100.0/24", "2001:db8:9::/64")

    def target(self, host, first, last):
        return f"{host}:{first}-{last}" if self.v4 else f"[{host}]:{first}-{last}"


def mac(number):
    return f"02:00:00:00:00:0{number}"


class Fault:
    """`seed`, `mend`: command lines of the tool. `frames`: what is sent, [(port, frame)]. `port`, `packet`: the question.
    `by`: how it is asked, "packet", "history" or both. `device`: the name that the answer has to say."""

    def __init__(self, name, cause, seed=(), mend=(), frames=(), port="p1", packet=None, by=("history", "packet"),
                 device=None, before=None, after=None):
        self.name, self.cause, self.seed, self.mend, self.frames = name, cause, seed, mend, frames
        self.port, self.packet, self.by, self.device = port, packet, by, device
        self.before, self.after = before, after


# --- traffic -----------------------------------------------------------------------------------------------------------

def udp(number, target, sport=5000, dport=53, **more):
    """From a machine by its gateway."""
    family = Family("v4" if "." in target else "v6")
    gateway = GREEN_MAC if number <= 2 else BLUE_MAC
    return (f"p{number}", udp_frame(mac(number), gateway, family.vm(number), target, sport, dport, **more))


def words(number, target, kind="udp", dport=53, more=""):
    family = Family("v4" if "." in target else "v6")
    gateway = GREEN_MAC if number <= 2 else BLUE_MAC
    ports = "" if kind.startswith("icmp") else f" sport 5000 dport {dport}"
    return f"{kind} from {family.vm(number)} to {target}{ports} smac {mac(number)} dmac {gateway} {more}".split()


def topology(bound):
    """In the terms of `viaduct apply`; `bound(name)` is a port with its interface."""
    def linked(name, address, *addresses):
        return {"name": name, "mac": address, "addresses": list(addresses), "mtu": 1500}

    neighbours = {name: [{"ip": Family(family).vm(number), "mac": mac(number)} for family in ("v4", "v6") for number in numbers]
                  for name, numbers in (("green", (1, 2)), ("blue", (3, 4)))}
    macs = {name: [{"mac": mac(number), "port": f"p{number}"} for number in numbers]
            for name, numbers in (("green", (1, 2)), ("blue", (3, 4)))}
    bridges = [{"name": name, "static_macs": macs[name], "static_neighbours": neighbours[name],
                "ports": [*(bound(f"p{number}") for number in numbers), {"name": f"{name}-r1", "peer": f"r1-{name}"}]}
               for name, numbers in (("green", (1, 2)), ("blue", (3, 4)))]
    ports = [linked("r1-green", GREEN_MAC, "10.0.1.254/24", "fd00:1::254/64"),
             linked("r1-blue", BLUE_MAC, "10.0.2.254/24", "fd00:2::254/64"),
             {**bound("up1"), "mac": UP_MAC, "addresses": ["10.0.9.1/24", "fd00:9::1/64"]},
             {"name": "r1-r2", "mac": "02:00:00:00:0c:01", "addresses": ["10.0.12.1/24", "fd00:12::1/64"], "peer": "r2-r1"}]
    second = [{"name": "r2-r1", "mac": "02:00:00:00:0c:02", "addresses": ["10.0.12.2/24", "fd00:12::2/64"]},
              {**bound("up2"), "mac": UP2_MAC, "addresses": ["10.0.8.1/24", "fd00:8::1/64"]}]
    back = [{"to": to, "via": via, "port": "r2-r1"} for to, via in
            (("10.0.1.0/24", "10.0.12.1"), ("10.0.2.0/24", "10.0.12.1"), ("fd00:1::/64", "fd00:12::1"), ("fd00:2::/64", "fd00:12::1"))]
    return {"bridges": bridges, "routers": [{"name": "r1", "ports": ports, "routes": []},
                                            {"name": "r2", "ports": second, "routes": back}],
            "chains": [{"name": "wall", "rules": []},
                       {"name": "out", "rules": [{"forward-flow": True, "action": "accept"}]}]}


def greetings():
    """What machines and gateways say first: the routers know their gateways by it."""
    out = []
    for name in ("v4", "v6"):
        family = Family(name)
        out += [("up1", who_has("02:00:00:00:00:99", family.at(9, 254), family.at(9, 1))),
                ("up2", who_has("02:00:00:00:00:88", family.at(8, 254), family.at(8, 1)))]
        out += [(f"p{number}", announcement(mac(number), family.vm(number))) for number in (1, 2, 3, 4)]
    return out


# --- the table -----------------------------------------------------------------------------------------------------------

def routing(f):
    any_, far = f.far_prefix, f.far
    once = dict(frames=[udp(1, far)], packet=words(1, far))

    def route(*what):
        return [f"route create --router r1 --to {any_} {' '.join(what)}"]

    delete = ["delete the route"]
    yield Fault("no route", "no_route", device="r1", **once)
    yield Fault("a blackhole", "blackhole_route", route("--blackhole"), delete, device="r1", **once)
    yield Fault("a route that rejects", "reject_route", route("--reject"), delete, device="r1", **once)
    yield Fault("a wrong gateway, which nobody has", "next_hop_unresolved", route("--via", f.at(2, 99), "--port", "r1-blue"), delete,
                device="r1", by=("packet",), **once)
    yield Fault("a gateway behind an uplink that is down", "port_down",
                route("--via", f.at(9, 254), "--port", "up1") + ["port set up1 --admin-up false"],
                ["port set up1 --admin-up true"] + delete, device="up1", **once)
    yield Fault("a machine that does not answer ARP or ND", "next_hop_unresolved", device="r1", by=("packet",),
                packet=words(1, f.at(2, 99)))
    yield Fault("a route to a router that is down", "device_down",
                route("--via", f.at(12, 2), "--port", "r1-r2") + ["router set r2 --admin-up false"],
                ["router set r2 --admin-up true"] + delete, device="r2", **once)
    yield Fault("two routers that send it to each other", "ttl_exceeded",
                route("--via", f.at(12, 2), "--port", "r1-r2") +
                [f"route create --router r2 --to {any_} --via {f.at(12, 1)} --port r2-r1"], delete, by=("packet",),
                packet=words(1, far, more="ttl 4"))
    yield Fault("too many routers", "too_many_devices",
                route("--via", f.at(12, 2), "--port", "r1-r2") +
                [f"route create --router r2 --to {any_} --via {f.at(12, 1)} --port r2-r1"], delete, by=("packet",),
                packet=words(1, far))
    yield Fault("a TTL that ends", "ttl_exceeded", by=("packet",), device="r1", packet=words(1, f.vm(3), more="ttl 1"))
    yield Fault("a source that is none", "martian_source", by=("packet",), device="r1",
                packet=f"udp from {f.prefix('127.0.0.1', '::1')} to {f.vm(3)} sport 1 dport 2 smac {mac(1)} dmac {GREEN_MAC}".split())
    yield Fault("TCP to the router itself", "not_to_local_service", by=("packet",), device="r1",
                packet=words(1, f.at(1, 254), "tcp", 80))


def administration(f):
    to3 = dict(frames=[udp(1, f.vm(3))], packet=words(1, f.vm(3)))
    yield Fault("the machine's port is down", "port_down", ["port set p1 --admin-up false"], ["port set p1 --admin-up true"],
                device="p1", **to3)
    yield Fault("the receiver's port is down", "port_down", ["port set p3 --admin-up false"], ["port set p3 --admin-up true"],
                device="p3", **to3)
    yield Fault("the receiver's port is down, asked of it", "port_down", ["port set p3 --admin-up false"],
                ["port set p3 --admin-up true"], device="p3", frames=[udp(1, f.vm(3))], port="p3", by=("history",))
    yield Fault("a router's port is down", "port_down", ["port set r1-blue --admin-up false"],
                ["port set r1-blue --admin-up true"], device="r1-blue", **to3)
    yield Fault("the machine's bridge is down", "device_down", ["bridge set green --admin-up false"],
                ["bridge set green --admin-up true"], device="green", **to3)
    yield Fault("the receiver's bridge is down", "device_down", ["bridge set blue --admin-up false"],
                ["bridge set blue --admin-up true"], device="blue", **to3)
    yield Fault("the router is down", "device_down", ["router set r1 --admin-up false"], ["router set r1 --admin-up true"],
                device="r1", **to3)
    yield Fault("an MTU that is too small", "packet_too_big", ["port set r1-blue --mtu 1300"], ["port set r1-blue --mtu 1500"],
                frames=[udp(1, f.vm(3), payload=b"x" * 1380, **({"flags": 0x4000} if f.v4 else {}))],
                packet=words(1, f.vm(3), more="length 1430 df"), device="r1")


def rules(f):
    eth = f.prefix("ipv4", "ipv6")
    to3 = dict(frames=[udp(1, f.vm(3))], packet=words(1, f.vm(3)))
    drop = [f"rule create --chain wall --eth-type {eth} --ip-proto udp --l4-dst 53 --drop"]
    reject = [f"rule create --chain wall --eth-type {eth} --ip-proto udp --l4-dst 53 --reject"]
    clear = ["clear the wall"]

    def at(kind, name, where):
        return [f"{kind} set {name} --{where} wall"], [f"{kind} set {name} --{where} none"]

    places = [("a rule at the machine's port", "port", "p1", "inbound-filter", "p1"),
              ("a rule at the receiver's port", "port", "p3", "outbound-filter", "p3"),
              ("a rule of the bridge", "bridge", "green", "inbound-filter", "green"),
              ("a rule of the router", "router", "r1", "forward-filter", "r1")]
    for name, kind, device, where, seen in places:
        put, take = at(kind, device, where)
        yield Fault(name, "dropped_by_rule", drop + put, take + clear, device=seen, **to3)
    put, take = at("router", "r1", "inbound-filter")
    yield Fault("a rule that rejects", "rejected_by_rule", reject + put, take + clear, device="r1", **to3)
    put, take = at("router", "r1", "forward-filter")
    yield Fault("a missing rule: all else is dropped", "dropped_by_rule",
                [f"rule create --chain wall --eth-type {eth} --ip-proto tcp --l4-dst 22 --action accept",
                 "rule create --chain wall --drop --position 2"] + put, take + clear, device="r1", **to3)
    put, take = at("port", "p3", "inbound-filter")
    icmp = f.prefix("icmp", "icmpv6")
    reply = f.prefix("0", "129")
    yield Fault("the answer is dropped", "dropped_by_rule",
                [f"rule create --chain wall --eth-type {eth} --ip-proto {icmp} --l4-src {reply} --drop"] + put, take + clear, device="p3",
                packet=words(1, f.vm(3), f.prefix("icmp", "icmp6")), by=("packet",))


def balancing(f):
    vip = f.prefix("203.0.113.10", "2001:db8:10::10")
    make = ["load-balancer create lb", "pool create web --load-balancer lb",
            f"pool-member create --pool web --ip {f.vm(3)} --port 8080", f"vip create www --pool web --ip {vip} --port 80",
            "router set r1 --load-balancer lb"]
    unmake = ["router set r1 --load-balancer none", "delete the pool", "load-balancer delete lb"]
    once = dict(frames=[("p1", tcp_frame(mac(1), GREEN_MAC, f.vm(1), vip, 5000, 80))], packet=words(1, vip, "tcp", 80))
    yield Fault("no member of the pool is up", "no_pool_member", make + ["take the members down"], unmake, device="lb", **once)
    yield Fault("the pool is down", "load_balancer_down", make + ["pool set web --admin-up false"], unmake, device="lb", **once)
    yield Fault("the balancer is down", "load_balancer_down", make + ["load-balancer set lb --admin-up false"], unmake,
                device="lb", **once)
    yield Fault("the VIP is down", "load_balancer_down", make + ["vip set www --admin-up false"], unmake, device="lb", **once)


def translation(f):
    snat = [f"route create --router r1 --to {f.far_prefix} --via {f.at(9, 254)} --port up1",
            f"rule create --chain wall --out-port up1 --snat --target {f.target(f.at(9, 1), 1024, 1024)} --fragments header --action accept",
            "router set r1 --outbound-filter wall"]
    mend = ["router set r1 --outbound-filter none", "clear the wall", "delete the route"]
    yield Fault("the NAT range is used up", "nat_ports_exhausted", snat, mend, device="r1",
                frames=[udp(1, f.far, 6001), udp(2, f.far, 6002), udp(1, f.far, 6003)], port="p1",
                packet=words(1, f.far), by=("packet",), before=("up1", udp(1, f.far, 6001)))
    asymmetric = [f"route create --router r1 --to {f.far_prefix} --via {f.at(9, 254)} --port up1",
                  "rule create --chain wall --eth-type arp --action accept",
                  "rule create --chain wall --ip-proto icmpv6 --action accept --position 2",
                  "rule create --chain wall --return-flow true --action accept --position 3", "rule create --chain wall --drop --position 4",
                  "port set p1 --inbound-filter out", "port set up2 --inbound-filter wall"]
    answer = udp_frame("02:00:00:00:00:88", UP2_MAC, f.far, f.vm(1), 53, 7001)
    yield Fault("the answer comes by the other uplink", "asymmetric_path", asymmetric,
                ["port set up2 --inbound-filter none", "port set p1 --inbound-filter none", "clear the wall", "delete the route"],
                frames=[udp(1, f.far, 7001), ("up2", answer)], port="up2", by=("history",), before=("up1", udp(1, f.far, 7001)))


def links(f):
    if not f.v4:
        return
    to3 = dict(frames=[udp(1, f.vm(3))], packet=words(1, f.vm(3)))
    yield Fault("the receiver's interface is gone", "port_inactive", ["unplug p3"], ["plug p3"], device="p3", **to3)
    yield Fault("the machine's interface is gone", "port_inactive", ["unplug p1"], ["plug p1"], device="p1", by=("history",))
    yield Fault("the receiver's port is not bound", "port_unbound", ["unbind p3"], ["bind p3"], device="p3", **to3)
    yield Fault("the machine's port is not bound", "port_unbound", ["unbind p1"], ["bind p1"], device="p1", by=("history",))
    yield Fault("nobody else is on the bridge", "no_flood_targets", ["port set p2 --admin-up false"],
                ["port set p2 --admin-up true"], by=("packet",), device="green",
                packet=f"udp from {f.vm(1)} to {f.vm(2)} sport 1 dport 2 smac {mac(1)} dmac 02:00:00:00:00:77".split())
    yield Fault("back to where it came from", "hairpin", by=("packet",), device="green", port="p2",
                packet=f"udp from {f.vm(1)} to {f.vm(2)} sport 1 dport 2 smac {mac(1)} dmac {mac(2)}".split())
    yield Fault("a MAC that is not the router's", "not_for_router_mac", by=("packet",), device="r1", port="up1",
                packet=f"udp from {f.far} to {f.vm(1)} sport 1 dport 2 smac 02:00:00:00:00:99 dmac 02:00:00:00:00:77".split())
    yield Fault("a VLAN tag at a router", "vlan_tagged_at_router", by=("packet",), device="r1", port="up1",
                packet=f"udp from {f.far} to {f.vm(1)} sport 1 dport 2 vlan 7 smac 02:00:00:00:00:99 dmac {UP_MAC}".split())
    spoilt = bytearray(echo_frame(mac(1), GREEN_MAC, f.vm(1), f.vm(3)))
    spoilt[24] ^= 1  # of the header's checksum
    yield Fault("a wrong checksum", "bad_checksum", by=("packet",), device="r1", packet=["hex", spoilt.hex()])
    yield Fault("a header that is cut short", "malformed", by=("packet",), device="r1",
                packet=["hex", bytes(spoilt[:24]).hex()])
    yield Fault("BGP without a peer", "bgp_session_down",
                ["router set r1 --as-number 65000", f"bgp-peer create tor --router r1 --ip {f.at(9, 200)} --as-number 65001"],
                ["bgp-peer delete tor", "router set r1 --as-number 0"], frames=[udp(1, f.far)], packet=words(1, f.far), device="r1",
                by=("history", "packet"), before=("speaker", None))


def all_faults():
    for name in ("v4", "v6"):
        for part in (routing, administration, rules, balancing, translation, links):
            for fault in part(Family(name)):
                fault.name = f"{name}: {fault.name}"
                yield fault
