"""The network of two_subnets.py with its ports on three hosts, so that every scenario plays across them.

  h1: p1, p4     h2: p2, up1     h3: p3, up2

What has not arrived is known as in wire.py, with a fence on every host: fN and gN on host hN. What one host has learned the
others know some milliseconds later; settle() waits for it: each host learns a new address, and the others are asked for it
until they do not flood any more. What hosts tell goes in the order in which they learned it.
"""
from frames import ethernet
from lab import wait_for
from two_subnets import PORTS, Scene
from wire import Wire

HOST_OF = {"p1": 1, "p4": 1, "p2": 2, "up1": 2, "p3": 3, "up2": 3}
PROBE = 0x88B5  # ethertype for local experiments


class SpreadWire(Wire):
    def __init__(self, lab):
        numbers = range(1, len(lab.agents) + 1)
        fences = [f"{letter}{number}" for number in numbers for letter in "fg"]
        super().__init__(lab, PORTS, fences, lambda name: ["-n", self.host_of(name).space])

    def host_of(self, port):
        return self.lab.host(HOST_OF.get(port) or int(port[1:]))

    def fence(self):
        # Into the first host, out of it into the second, out of that.
        for _ in range(3):
            for number in range(1, len(self.lab.agents) + 1):
                self.send_fence(f"f{number}", [name for name in self.fence_ports if name != f"f{number}"])
        self.settle()

    # --- what is learned ---

    def probe(self, source, target, mac):
        """One frame of host `source` to the address that f`target` has or will have: whether it was flooded."""
        self.fences += 1
        frame = ethernet(f"02:00:00:00:fe:{source:02x}", mac, PROBE, self.fences.to_bytes(4, "big") * 12)
        self.send(f"f{source}", frame)
        self.await_frame(f"f{target}", lambda seen: seen == frame, "a probe", 30)
        return frame in self.pending(f"g{source}")

    def settle(self):
        self.fences += 1
        numbers = range(1, len(self.lab.agents) + 1)
        macs = {number: f"02:fe:{number:02x}:{self.fences >> 16:02x}:{self.fences >> 8 & 255:02x}:{self.fences & 255:02x}"
                for number in numbers}
        pairs = [(source, target) for source in numbers for target in numbers if source != target]
        for source, target in pairs:  # floods, by a flow: when it ends, so have those before it
            self.probe(source, target, macs[target])
        for number, mac in macs.items():
            self.send(f"f{number}", ethernet(mac, "02:00:00:00:fe:00", PROBE, bytes(46)))
        for source, target in pairs:
            wait_for(lambda: not self.probe(source, target, macs[target]), f"h{source} knows what h{target} has learned")
        for name in self.fence_ports:
            self.pending(name)


class Spread:
    """The laboratory's hosts as one: whom a scenario means by the daemon."""

    def __init__(self, lab, wire):
        self.lab, self.wire = lab, wire

    def viaduct(self, *words, **options):
        if words[0] == "bind":  # a port comes back where it was
            words = [*words, "--host", self.wire.host_of(words[1]).name]
        return self.lab.cluster.viaduct(*words, **options)

    def json(self, *words):
        answers = [agent.json(*words) for agent in self.lab.agents] if words[0] in ("status", "flows") else []
        if words[0] == "status":
            return {"ports": [line for answer in answers for line in answer["ports"]]}
        if words[0] == "flows":
            return {"flows": [line for answer in answers for line in answer["flows"]]}
        return self.lab.cluster.json(*words)

    def apply(self, document, *words):
        return self.lab.cluster.apply(document, *words)

    def metrics(self):
        return "\n".join(agent.metrics() for agent in self.lab.agents)

    def wait_active(self, names):
        for name in names:
            self.wire.host_of(name).wait_active([name], f"{name} active")


class SpreadScene(Scene):
    beside_uplink = (2,)

    def __init__(self, lab, checks):
        self.hosts, self.checks, self.v4 = lab, checks, True
        for agent in lab.agents:
            agent.settings = {"datapath": {"flow_idle_timeout": 60}, "bridge": {"mac_timeout": 600}}
        lab.start()
        self.wire = SpreadWire(lab)
        self.lab = Spread(lab, self.wire)
        self.underlay = {"tunnel_zones": [lab.zone()], "hosts": [{"name": agent.name} for agent in lab.agents]}

    def bound(self, name, **more):
        return super().bound(name, host=self.wire.host_of(name).name, **more)

    def state(self, device, port="p1"):
        return self.wire.host_of(port).json("state", device)

    def flush(self, device):
        for agent in self.hosts.agents:
            agent.viaduct("state", "flush", device)
        self.wire.settle()

    def restart(self, port):
        host = self.wire.host_of(port)
        host.stop_daemon()
        host.start_daemon()
        self.hosts.wait_served()

    def play(self, topology):
        super().play(topology)
        wait_for(self.hosts.tunnels_up, "every host reaches every other")

    def connections(self):
        return sum(agent.json("conntrack", "list")["total"] for agent in self.hosts.agents)

    def drops(self, reason):
        start = f'viaduct_dropped_packets_total{{reason="{reason}"}} '
        return sum(int(float(line.split()[-1])) for line in self.lab.metrics().splitlines() if line.startswith(start))
