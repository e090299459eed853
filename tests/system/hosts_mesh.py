"""The network of the demo with many hosts: two bridges joined by a router, on each host one machine of either bridge.

  host h1          h2          h3            blueN   10.0.1.(10+N), fd00:1::10+N   on blue
     blue1       blue2       blue3           greenN  10.0.2.(10+N), fd00:2::(10+N)   on green
     green1      green2      green3          r1      10.0.1.1, 10.0.2.1, fd00:1::1, fd00:2::1
"""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from frames import BROADCAST, udp_frame
from lab import Failure, wait_for

SUBNETS = {"blue": 1, "green": 2}
TALK = Path(__file__).with_name("talk.py")


class Machine:
    def __init__(self, host, number, bridge):
        net = SUBNETS[bridge]
        self.name, self.host, self.bridge = f"{bridge}{number}", host, bridge
        self.v4, self.v6 = f"10.0.{net}.{10 + number}", f"fd00:{net}::{10 + number}"
        self.gateways = f"10.0.{net}.1", f"fd00:{net}::1"
        self.mac = f"02:00:00:00:{net:02x}:{16 + number:02x}"


class Mesh:
    def __init__(self, lab):
        self.lab = lab
        made = [Machine(host, number, bridge) for bridge in SUBNETS for number, host in enumerate(lab.agents, start=1)]
        self.machines = {machine.name: machine for machine in made}
        self.listeners = {}

    def v4_of(self, name):
        return self.machines[name].v4

    def v6_of(self, name):
        return self.machines[name].v6

    def addresses_of(self, name):
        return self.machines[name].v4, self.machines[name].v6

    # --- making ---

    def bridge(self, name):
        ports = [{"name": one.name, "interface": one.name, "host": one.host.name} for one in self.machines.values()
                 if one.bridge == name]
        return {"name": name, "ports": [*ports, {"name": f"{name}-r1", "peer": f"r1-{name}"}]}

    def topology(self, kind="vxlan"):
        router_ports = [{"name": f"r1-{bridge}", "mac": f"02:00:00:00:{net:02x}:01", "mtu": 1500,
                         "addresses": [f"10.0.{net}.1/24", f"fd00:{net}::1/64"]} for bridge, net in SUBNETS.items()]
        return {"tunnel_zones": [self.lab.zone(kind)], "bridges": [self.bridge(name) for name in SUBNETS],
                "routers": [{"name": "r1", "ports": router_ports}]}

    def add_guests(self):
        for one in self.machines.values():
            self.lab.add_guest_at(one.host, one.name, one.v4, one.v6, *one.gateways, mac=one.mac)

    def wait_ready(self):
        """Every port is active, every host knows it, and tunnels answer."""
        for one in self.machines.values():
            one.host.wait_active([one.name], f"{one.name} active on {one.host.name}")
        wait_for(self.lab.tunnels_up, "every host reaches every other")

    # --- traffic ---

    def quiet(self):
        """No flow between hosts is left in any kernel: what comes next is new. Hosts should have a short idle time-out."""
        def none():
            return not any("tunnel" in flow["actions"] for agent in self.lab.agents if agent.runs()
                           for flow in agent.json("flows")["flows"])

        wait_for(none, "flows end when nobody speaks", 30)

    def pairs(self):
        return [(source, target) for source in self.machines for target in self.machines if source != target]

    def listen(self):
        for name in self.machines:
            self.listeners[name] = self.lab.start_in(name, sys.executable, TALK, "listen")
        for name, process in self.listeners.items():
            if process.stdout.readline().strip() != "listening":
                raise Failure(f"nothing listens in {name}")

    def ping_all(self):
        """One packet for each pair and family: how many; a failure names those that were lost."""
        def from_one(source):
            lost = []
            for target in self.machines:
                for address in self.addresses_of(target) if target != source else ():
                    sent, received, _ = self.lab.ping(source, address, 1)
                    lost += [f"{source} -> {target} ({address})"] if sent != received else []
            return lost

        with ThreadPoolExecutor(len(self.machines)) as pool:
            lost = [line for lines in pool.map(from_one, self.machines) for line in lines]
        if lost:
            raise Failure("pings are lost: " + "; ".join(lost))
        return 2 * len(self.pairs())

    def talk_all(self, size=100_000):
        """One TCP connection for each pair and family, with so many bytes each way."""
        if not self.listeners:
            self.listen()

        def from_one(source):
            addresses = [address for target in self.machines if target != source for address in self.addresses_of(target)]
            result = self.lab.guest(source, sys.executable, TALK, "to", size, *addresses, check=False, timeout=120)
            return [] if result.returncode == 0 else [f"{source}: {line}" for line in result.stdout.splitlines()]

        with ThreadPoolExecutor(2) as pool:
            failed = [line for lines in pool.map(from_one, self.machines) for line in lines]
        if failed:
            raise Failure("TCP does not work: " + "; ".join(failed))
        return 2 * len(self.pairs())

    # --- what a host would do ---

    def hosts_of(self, source, frame):
        """Names of the hosts that a frame of a machine is sent to, by its host's trace; of the same host: "here"."""
        text = self.machines[source].host.viaduct("trace", source, "hex", frame.hex()).stdout
        outputs = [line.split() for line in text.splitlines() if line.strip().startswith("output:")]
        return sorted(words[words.index("host") + 1] if "host" in words else "here" for words in outputs)

    def where(self, source, target):
        """Where a packet of one machine to another one on its bridge is sent."""
        one, other = self.machines[source], self.machines[target]
        return self.hosts_of(source, udp_frame(one.mac, other.mac, one.v4, other.v4))

    def flood(self, source):
        one = self.machines[source]
        return self.hosts_of(source, udp_frame(one.mac, BROADCAST, one.v4, "255.255.255.255"))

    def make(self):
        """Everything runs, and everybody reaches everybody."""
        self.lab.forget_soon()
        self.lab.start()
        self.add_guests()
        self.lab.cluster.apply(self.topology())
        self.wait_ready()
        self.ping_all()
