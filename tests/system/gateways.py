"""A cloud with two gateways to an outside world, and thousands of TCP connections through them.

  vm1, vm2   on h1; bridge inside, 10.0.1.11, 10.0.1.12, fd00:1::11, fd00:1::12; h4 is where vm1 can be moved to
  r1         up1 on h2: 10.9.1.1, fd00:9:1::1        up2 on h3: 10.9.2.1, fd00:9:2::1, both in a stateful port group
  world      198.51.100.1, 2001:db8:100::1 behind both uplinks; what it sends to the cloud takes either
  cloud      goes out as 203.0.113.1, 2001:db8:113::1 and serves at 203.0.113.10:80, [2001:db8:113::10]:80 by vm1 and vm2
"""
import json
import signal

from four_guests import metric
from hosts_lab import HostsLab
from lab import TIME_SCALE, Failure, order, run, wait_for, watch

WORLD = {4: "198.51.100.1", 6: "2001:db8:100::1"}
CLOUD = {4: "203.0.113.0/24", 6: "2001:db8:113::/64"}
OUTSIDE = {4: "203.0.113.1", 6: "2001:db8:113::1"}
SERVICE = {4: "203.0.113.10", 6: "2001:db8:113::10"}
MACHINES = {"vm1": ("10.0.1.11", "fd00:1::11"), "vm2": ("10.0.1.12", "fd00:1::12")}
PORT = 8080


def uplink4(number, host):
    return f"10.9.{number}.{host}"


def uplink6(number, host):
    return f"fd00:9:{number}::{host}"


class Load:
    """Many connections, from a machine or the world, in one direction."""

    def __init__(self, lab, source, address, port, count, period, name):
        self.name, self.count = name, count
        self.process = lab.start_in(source, lab.build / "tests/system/many_connections", "to", address, port, count, period,
                                    stdin=True)

    def state(self):
        return order(self.process, "state")

    def wait_open(self, seconds=60):
        state = watch(self.state, lambda state: state["open"] == self.count, seconds)
        if state["open"] != self.count:
            raise Failure(f"{self.name}: {state['open']} of {self.count} connections after {seconds} s, {state['lost']} lost")


class Gateways:
    def __init__(self, lab, within=5_000):
        """`within`: for how many milliseconds a connection may be silent."""
        self.lab, self.within, self.loads = lab, within, []
        self.gateways = {1: lab.host(2), 2: lab.host(3)}

    @staticmethod
    def prepare(lab, probes=100, connections=65_536):
        """Before the daemons start. A host that does not answer three probes, so many milliseconds apart, is silent: an
        emulated one takes its time, also to acknowledge."""
        probes = int(probes * TIME_SCALE)
        for agent in lab.agents:
            agent.settings["underlay"] = {"probe_interval": probes}
            agent.settings["connections"] = {"max": connections, "per_port": connections, "per_tenant": connections}
            if TIME_SCALE > 1:
                agent.settings["connections"]["patience"] = 10_000

    # --- the network ---

    def add_machines(self):
        for number, (name, (v4, v6)) in enumerate(MACHINES.items(), start=1):
            self.lab.add_guest_at(self.lab.host(1), name, v4, v6, "10.0.1.1", "fd00:1::1", mac=f"02:00:00:00:01:1{number}")
            self.serve(name, PORT)
        if len(self.lab.agents) > 3:
            self.give_legs("vm1", self.lab.host(4))

    def give_legs(self, name, host):
        """A second interface of the machine, on another host; it answers by the one whose port is bound."""
        space, (v4, v6) = self.lab.namespace(name), MACHINES[name]
        inside = ["ip", "-n", space]
        mac = json.loads(run(*inside, "-j", "link", "show", "eth0").stdout)[0]["address"]
        run("ip", "-n", host.space, "link", "add", name, "type", "veth", "peer", "name", "eth1", "netns", space)
        run("ip", "-n", host.space, "link", "set", name, "up")
        run(*inside, "link", "add", "legs", "address", mac, "type", "bridge")
        for leg in ("eth0", "eth1"):
            run(*inside, "addr", "flush", "dev", leg)
            run(*inside, "link", "set", leg, "master", "legs", "up")
        run(*inside, "link", "set", "legs", "up")
        run(*inside, "addr", "add", f"{v4}/24", "dev", "legs")
        run(*inside, "addr", "add", f"{v6}/64", "dev", "legs", "nodad")
        run(*inside, "route", "replace", "default", "via", "10.0.1.1")
        run(*inside, "-6", "route", "replace", "default", "via", "fd00:1::1", "dev", "legs")

    def serve(self, name, port):
        self.lab.start_in(name, self.lab.build / "tests/system/many_connections", "serve", port)
        wait_for(lambda: f":{port}" in self.lab.guest(name, "ss", "-ltn").stdout, f"{name} listens")

    def add_world(self):
        space = self.lab.namespace("world")
        self.lab.make_space(space)
        self.lab.spaces.remove(space)
        self.lab.guests["world"] = "world"
        inside = ["ip", "-n", space]
        for number, host in self.gateways.items():
            run(*host.beside(), "sysctl", "-qw", "net.ipv6.conf.eth0.keep_addr_on_down=1")
            run("ip", "-n", host.space, "link", "add", f"up{number}", "type", "veth", "peer", "name", f"gw{number}",
                "netns", space)
            run("ip", "-n", host.space, "link", "set", f"up{number}", "up")
            run(*inside, "link", "set", f"gw{number}", "up")
            run(*inside, "addr", "add", f"{uplink4(number, 254)}/24", "dev", f"gw{number}")
            run(*inside, "addr", "add", f"{uplink6(number, 254)}/64", "dev", f"gw{number}", "nodad")
        run(*inside, "addr", "add", f"{WORLD[4]}/32", "dev", "lo")
        run(*inside, "addr", "add", f"{WORLD[6]}/128", "dev", "lo")
        settings = ["ipv4.fib_multipath_hash_policy=1", "ipv6.fib_multipath_hash_policy=1", "ipv4.conf.all.arp_announce=2",
                    "ipv4.ip_local_port_range=1024 65535", "ipv4.conf.all.rp_filter=0"]
        for gateway in ("gw1", "gw2"):
            settings += [f"ipv4.conf.{gateway}.rp_filter=0", f"ipv6.conf.{gateway}.keep_addr_on_down=1",
                         f"ipv6.conf.{gateway}.accept_dad=0", f"ipv6.conf.{gateway}.dad_transmits=0"]
        for setting in settings:
            self.lab.guest("world", "sysctl", "-qw", f"net.{setting}")
        self.send_by([1, 2])
        self.serve("world", PORT)

    def send_by(self, numbers, anew=False):
        """By these gateways the world sends, as its routing protocol would have it. `anew`: some other is dead, and what is dead
        of an IPv6 route with several next hops would be revived with its link, before the gateway is."""
        space = self.lab.namespace("world")
        if anew:
            run("ip", "-n", space, "-6", "route", "flush", CLOUD[6])
        for family, gateway in ((4, uplink4), (6, uplink6)):
            hops = [word for number in numbers for word in ("nexthop", "via", gateway(number, 1))]
            run("ip", "-n", space, f"-{family}", "route", "replace", CLOUD[family], "src", WORLD[family], *hops)

    def topology(self):
        subnets = {name: [f"{uplink4(number, 1)}/24", f"{uplink6(number, 1)}/64"]
                   for number, name in ((1, "up1"), (2, "up2"))}
        uplinks = [{"name": f"up{number}", "host": host.name, "interface": f"up{number}", "mtu": 1500,
                    "mac": f"02:00:00:00:09:0{number}", "addresses": subnets[f"up{number}"]}
                   for number, host in self.gateways.items()]
        routes = [{"to": to, "via": gateway(number, 254), "port": f"up{number}"} for number in self.gateways
                  for to, gateway in (("0.0.0.0/0", uplink4), ("::/0", uplink6))]
        outside = {"10.0.1.0/24": f"{OUTSIDE[4]}:1024-65535", "fd00:1::/64": f"[{OUTSIDE[6]}]:1024-65535"}
        snat = [{"out-port": ["up1", "up2"], "ip-src": source, "snat": True, "target": [target]}
                for source, target in outside.items()]
        ports = [{"name": name, "interface": name, "host": "h1"} for name in MACHINES]
        pools = [{"name": f"web{family}", "pool-members": [{"ip": MACHINES[name][index], "port": PORT} for name in MACHINES],
                  "vips": [{"name": f"www{family}", "ip": SERVICE[family], "port": 80}]}
                 for index, family in enumerate((4, 6))]
        return {
            "tunnel_zones": [self.lab.zone()],
            "chains": [{"name": "post", "rules": snat},
                       {"name": "pre", "rules": [{"in-port": ["up1", "up2"], "reverse-snat": True}]}],
            "load-balancers": [{"name": "front", "pools": pools}],
            "bridges": [{"name": "inside", "ports": [*ports, {"name": "inside-r1", "peer": "r1-inside"}]}],
            "routers": [{"name": "r1", "inbound-filter": "pre", "outbound-filter": "post", "load-balancer": "front",
                         "ports": [{"name": "r1-inside", "mtu": 1500, "addresses": ["10.0.1.1/24", "fd00:1::1/64"]},
                                   *uplinks], "routes": routes}],
            "port-groups": [{"name": "uplinks", "stateful": True,
                             "port-group-ports": [{"port": "up1"}, {"port": "up2"}]}]}

    def make(self):
        self.add_machines()
        self.add_world()
        self.lab.cluster.apply(self.topology())
        self.lab.host(1).wait_active(list(MACHINES))
        for number, host in self.gateways.items():
            host.wait_active([f"up{number}"])
        wait_for(self.lab.tunnels_up, "every host reaches every other")

    # --- connections ---

    def open(self, count, period=500):
        """So many in all, each asked once a period of milliseconds: a quarter each of IPv4 and IPv6, out through translation
        and in to the service."""
        quarter = count // 4
        wanted = [(name, family) for name in ("out", "in") for family in (4, 6)]
        for name, family in wanted:
            source, address, port = ("vm1", WORLD[family], PORT) if name == "out" else ("world", SERVICE[family], 80)
            load = Load(self.lab, source, address, port, quarter, period, f"{name} IPv{family}")
            load.wait_open()
            self.loads.append(load)

    def mark(self):
        for load in self.loads:
            order(load.process, "mark")

    def total(self):
        states = [load.state() for load in self.loads]
        out = {key: sum(state[key] for state in states) for key in ("open", "lost", "stuck", "late", "noticed", "answers")}
        return {**out, "longest_ms": max(state["longest_ms"] for state in states)}

    def segments_lost(self):
        """What TCP sent again and did not hear that it had arrived before: RFC 2883 says so of what was only late."""
        lost = 0
        for name in [*MACHINES, "world"]:
            lines = self.lab.guest(name, "cat", "/proc/net/snmp", "/proc/net/netstat").stdout.splitlines()
            counters = {}
            for names, values in zip(lines[::2], lines[1::2]):
                counters.update(zip(names.split(), values.split()))
            lost += int(counters["RetransSegs"]) - int(counters["TCPDSACKRecv"])
        return lost

    def go_on(self, rounds=3):
        """Each connection was asked so often, on average, since the last mark."""
        wanted = rounds * sum(load.count for load in self.loads)
        wait_for(lambda: self.total()["answers"] >= wanted, "connections go on", 60)

    def each_goes_on(self, rounds=3):
        """The same of each kind of connections; of those that are not lost."""
        def asked():
            states = [(load.count, load.state()) for load in self.loads]
            return all(state["answers"] >= rounds * (count - state["lost"]) for count, state in states)
        wait_for(asked, "connections of each kind go on", 60)

    # --- deaths ---

    def set_uplink(self, number, state):
        """The world's end of the gateway's link: "up" or "down"."""
        run("ip", "-n", self.lab.namespace("world"), "link", "set", f"gw{number}", state)

    def revive(self, number):
        """The gateway's daemon, which has ended, starts and is served."""
        self.gateways[number].start_daemon()
        self.lab.wait_served(seconds=60)

    def cut(self, number):
        """The gateway is dead: its process, and every link of its host; the world sends by the other one. The ends that go
        down are those where packets may wait for ARP: one that waits in a dead host's kernel would keep the world from
        sending it again, as both are one machine's."""
        host = self.gateways[number]
        host.kill_daemon()
        self.set_uplink(number, "down")
        run("ip", "-n", host.space, "link", "set", "eth0", "down")
        self.send_by([other for other in self.gateways if other != number], anew=True)

    def mend(self, number):
        host = self.gateways[number]
        run("ip", "-n", host.space, "link", "set", "eth0", "up")
        self.set_uplink(number, "up")
        self.revive(number)
        host.wait_active([f"up{number}"])
        wait_for(self.lab.tunnels_up, "every host reaches every other", 30)
        # The world's kernel asks for no IPv6 neighbour before its link has an address of its own again.
        for uplink in (uplink4, uplink6):
            wait_for(lambda uplink=uplink: self.lab.guest("world", "ping", "-c1", "-W1", uplink(number, 1),
                                                          check=False).returncode == 0, f"the world reaches up{number}")
        self.send_by(self.gateways)

    @staticmethod
    def freeze(host):
        host.daemon.send_signal(signal.SIGSTOP)

    def thaw(self, host):
        host.daemon.send_signal(signal.SIGCONT)
        wait_for(self.lab.tunnels_up, "every host reaches every other", 30)
        self.lab.wait_served(seconds=60)

    # --- moves ---

    def withdraw(self, number):
        """A planned end of a gateway: first nobody sends by it, then it may go."""
        self.send_by([other for other in self.gateways if other != number])
        routes = [line["id"] for line in self.lab.cluster.json("route", "list", "--router", "r1")
                  if line["next_hop_port_name"] == f"up{number}"]
        self.lab.cluster.viaduct("route", "delete", *routes)
        self.lab.cluster.viaduct("wait")
        self.lab.cluster.viaduct("port", "set", f"up{number}", "--admin-up", "false", "--wait")

    def restore(self, number):
        self.lab.cluster.viaduct("port", "set", f"up{number}", "--admin-up", "true", "--wait")
        self.lab.cluster.apply(self.topology())
        self.send_by(self.gateways)

    def move_machine(self, name, to):
        """The machine has a leg on both hosts, as while it is moved; its port is bound to one."""
        self.lab.cluster.viaduct("bind", name, name, "--host", to.name, "--wait")
        to.wait_active([name])

    # --- a bad network between hosts ---

    def lose(self, percent):
        """So many of the frames with connection state that hosts send each other."""
        for host in self.lab.agents:
            # VXLAN: 8 bytes of UDP, then the network identifier in bytes 4 to 6
            rules = f"""table inet lossy {{ chain out {{ type filter hook output priority 0; policy accept;
                       meta l4proto udp @th,96,24 0xfffffe numgen random mod 100 < {percent} counter drop; }}; }}"""
            run(*host.beside(), "nft", rules)

    def delay(self, milliseconds, percent):
        """Frames with connection state take so long, and so many of them are lost. For a kernel with netem."""
        for host in self.lab.agents:
            queues = [*host.beside(), "tc", "qdisc", "add", "dev", "eth0"]
            run(*queues, "root", "handle", "1:", "prio")
            run(*queues, "parent", "1:3", "netem", "delay", f"{milliseconds}ms", "loss", f"{percent}%")
            # every other frame by the first band; those with state by the last: VXLAN's identifier behind 20 bytes of IPv4
            filters = [*host.beside(), "tc", "filter", "add", "dev", "eth0", "parent", "1:", "protocol", "ip"]
            run(*filters, "prio", "1", "u32", "match", "ip", "protocol", "17", "0xff",
                "match", "u32", "0xfffffe00", "0xffffff00", "at", "32", "flowid", "1:3")
            run(*filters, "prio", "2", "u32", "match", "u32", "0", "0", "flowid", "1:1")

    def delayed(self):
        """How many frames with state were late, and how many were lost."""
        sent = dropped = 0
        for host in self.lab.agents:
            queue = next(one for one in json.loads(run(*host.beside(), "tc", "-s", "-j", "qdisc", "show", "dev", "eth0").stdout)
                         if one["kind"] == "netem")
            sent += queue["packets"]
            dropped += queue["drops"]
        return sent, dropped

    def lose_nothing(self):
        lost = 0
        for host in self.lab.agents:
            words = run(*host.beside(), "nft", "list", "table", "inet", "lossy").stdout.split()
            lost += int(words[words.index("packets") + 1])
            run(*host.beside(), "nft", "delete", "table", "inet", "lossy")
        return lost

    def counted(self, name):
        return sum(metric(host, name) for host in self.lab.agents if host.runs())


def make_lab(build, datapath="ebpf", hosts=4, prefix="gw", keep=False):
    lab = HostsLab(build, hosts=hosts, datapath=datapath, prefix=prefix, keep=keep)
    Gateways.prepare(lab)
    return lab
