"""The network that the scenarios play in, and the words to talk about it in either family. See tests/scenario.

  vm1 ── p1 ─┐                                  ┌─ p3 ── vm3
             green ── r1-green [r1] r1-blue ── blue           p1, p2, p3 are on one bridge, "hub", in group A
  vm2 ── p2 ─┘            │                     └─ p4 ── vm4
                       up1 ── gateway
"""
import copy
import time

from frames import announcement, describe, echo_frame, is_at, tcp_frame, udp_frame, who_has
import lab as laboratory
from lab import wait_for
from wire import Wire, only, ports_of

PORTS = ["p1", "p2", "p3", "p4", "up1", "up2"]
GREEN_MAC, BLUE_MAC, UP_MAC, UP2_MAC = "02:00:00:00:01:fe", "02:00:00:00:02:fe", "02:00:00:00:09:01", "02:00:00:00:08:01"
UNKNOWN_MAC = "02:00:00:00:00:77"


class Guest:
    def __init__(self, port, mac, ip):
        self.port, self.mac, self.ip = port, mac, ip

    def but(self, **changes):
        other = copy.copy(self)
        for name, value in changes.items():
            setattr(other, name, value)
        return other


class Scene:
    """A daemon, raw ports, and one topology after the other. One family at a time: `v4` says which."""

    underlay = {}  # what every topology has besides
    beside_uplink = (1, 2, 3)  # guests whose answers from the uplink come back to their own host

    def __init__(self, lab, checks):
        self.lab, self.checks, self.v4 = lab, checks, True
        self.wire = Wire(lab, PORTS)
        self.daemon_options = ["--workers", "1", "--flow-idle-timeout", "60", "--mac-timeout", "600"]
        lab.start_daemon(*self.daemon_options)

    # --- topologies, in the terms of `viaduct apply` ---

    def bound(self, name, **more):
        return {"name": name, "interface": self.wire.interface(name), **more}

    def hub(self):
        return {"bridges": [{"name": "hub", "ports": [self.bound(name) for name in ("p1", "p2", "p3")]}], "routers": []}

    def network(self):
        def linked(router_port, mac, *addresses):
            return {"name": router_port, "mac": mac, "addresses": list(addresses)}

        green = [self.bound("p1"), self.bound("p2"), {"name": "green-r1", "peer": "r1-green"}]
        blue = [self.bound("p3"), self.bound("p4"), {"name": "blue-r1", "peer": "r1-blue"}]
        ports = [linked("r1-green", GREEN_MAC, "10.0.1.254/24", "fd00:1::254/64"),
                 linked("r1-blue", BLUE_MAC, "10.0.2.254/24", "fd00:2::254/64"),
                 self.bound("up1", mac=UP_MAC, addresses=["10.0.9.1/24", "fd00:9::1/64"])]
        return {"bridges": [{"name": "green", "ports": green}, {"name": "blue", "ports": blue}],
                "routers": [{"name": "r1", "ports": ports, "routes": []}]}

    def second_uplink(self, topology):
        router = topology["routers"][0]
        router["ports"].append(self.bound("up2", mac=UP2_MAC, addresses=["10.0.8.1/24", "fd00:8::1/64"]))
        return router

    def play(self, topology):
        """Nothing of the topology before is left, also nothing that was learned."""
        fence = {"name": "fence", "ports": [self.bound(name) for name in self.wire.fence_ports]}
        self.lab.apply({**self.underlay, "bridges": [fence]}, "--prune")
        self.lab.apply({**self.underlay, **topology, "bridges": [fence, *topology["bridges"]]}, "--prune")
        ports = [port for kind in ("bridges", "routers") for device in topology[kind] for port in device["ports"]]
        self.wait_active([*self.wire.fence_ports, *(port["name"] for port in ports if "interface" in port)])
        self.wire.fence()
        self.wire.collected()

    def wait_active(self, names):
        self.lab.wait_active(names)

    def wait_inactive(self, name):
        def inactive():
            return not any(line["name"] == name and line["active"] for line in self.lab.json("status")["ports"])

        wait_for(inactive, f"{name} inactive")

    def set(self, kind, name, *options):
        self.lab.viaduct(kind, "set", name, *options, "--wait")

    def restart(self, port):
        """The daemon of that port, in order."""
        self.lab.stop_daemon()
        self.lab.start_daemon(*self.daemon_options)

    def admin(self, kind, name, up):
        self.set(kind, name, "--admin-up", "true" if up else "false")

    def state(self, device, port="p1"):
        """What is learned of it, as `viaduct state` says where that port is."""
        return self.lab.json("state", device)

    def flush(self, device):
        self.lab.viaduct("state", "flush", device)

    # --- words ---

    def pick(self, four, six):
        return four if self.v4 else six

    def address(self, subnet, host):
        return f"10.0.{subnet}.{host}" if self.v4 else f"fd00:{subnet}::{host}"

    def guest(self, number):
        return Guest(f"p{number}", f"02:00:00:00:00:0{number}", self.address(1 if number <= 2 else 2, number))

    def gateway(self):
        return Guest("up1", "02:00:00:00:00:99", self.address(9, 254))

    def second_gateway(self):
        return Guest("up2", "02:00:00:00:00:88", self.address(8, 254))

    def anywhere(self):
        return self.pick("8.8.8.8", "2001:db8::8")

    def everything(self):
        return self.pick("0.0.0.0/0", "::/0")

    def unspecified(self):
        return self.pick("0.0.0.0", "::")

    def icmp(self, four, six, source, target):
        return f"icmp {self.pick(four, six)} {source} > {target}"

    def who_has_text(self, target, tell, tell_mac):
        return self.pick(f"arp request {target} tell {tell}", f"ns who-has {target} tell {tell_mac}")

    def is_at_text(self, address, mac, flags="solicited override"):
        return self.pick(f"arp reply {address} is-at {mac}", f"na {address} is-at {mac} {flags}")

    # --- doing ---

    def send(self, guest, frame):
        return self.wire.exchange(guest.port, frame)

    def udp(self, guest, dst_mac, target, sport=5000, **options):
        return self.send(guest, udp_frame(guest.mac, dst_mac, guest.ip, target, sport, **options))

    def tcp(self, guest, dst_mac, target, dport=80):
        return self.send(guest, tcp_frame(guest.mac, dst_mac, guest.ip, target, 1000, dport))

    def ping(self, guest, dst_mac, target, **options):
        return self.send(guest, echo_frame(guest.mac, dst_mac, guest.ip, target, **options))

    def ask(self, guest, target):
        return self.send(guest, who_has(guest.mac, guest.ip, target))

    def announce(self, guest):
        return self.send(guest, announcement(guest.mac, guest.ip))

    def answer(self, guest, asker_mac, asker):
        """`guest` answers who asked for its address."""
        return self.send(guest, is_at(guest.mac, guest.ip, asker_mac, asker))

    def moved_to(self, what, send, ports):
        """goes_to, when something was learned just before: flows that it ends go some milliseconds later."""
        deadline = time.monotonic() + 5 * laboratory.TIME_SCALE
        out = send()
        while ports_of(out) != ports and time.monotonic() < deadline:
            out = send()
        self.goes_to(what, out, ports)

    def flow_actions(self, port, *words):
        """The actions of the flows that enter by the port and whose match has all the words."""
        flows = self.lab.json("flows")["flows"]
        return sorted(flow["actions"] for flow in flows
                      if flow["port_name"] == port and all(word in flow["match"] for word in words))

    def connections(self):
        """How many entries there are."""
        return self.lab.json("conntrack", "list")["total"]

    def drops(self, reason):
        for line in self.lab.metrics().splitlines():
            if line.startswith(f'viaduct_dropped_packets_total{{reason="{reason}"}} '):
                return int(float(line.split()[-1]))
        return 0

    # --- checking ---

    def goes_to(self, what, deliveries, ports):
        return self.checks.equal(what, ports_of(deliveries), ports)

    def says(self, what, deliveries, port, text):
        """One frame came, to that port, and it says so."""
        seen = "; ".join(f"{name}: {describe(one)}" for name in sorted(deliveries) for one in deliveries[name]) or "nothing"
        good = ports_of(deliveries) == port and describe(only(deliveries, port)) == text
        return self.checks.check(what, good, seen if good else f"{seen}, expected {port}: {text}")
