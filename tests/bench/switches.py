"""What joins the guests: Viaduct, the Linux bridge and its routing, Open vSwitch, or nothing at all.

Each builds the same network in a namespace of its own:

  v1 10.0.1.1 ──┐                                           ┌── v3 10.0.2.1
                bridge 1 ── 10.0.1.254 [router] 10.0.2.254 ── bridge 2
  v2 10.0.1.2 ──┘

10.9.0.0/16 is behind two next hops, 10.0.2.1 and 10.0.2.2, both of them v3 (which has to be given the second address).
"""

import json
import re

import hosts
from figures import Unavailable
from hosts import run, wait_until

MACS = {"v1": "02:00:00:00:00:01", "v2": "02:00:00:00:00:02", "v3": "02:00:00:00:00:03"}
GATEWAYS = {1: ("10.0.1.254", "02:00:00:00:01:fe"), 2: ("10.0.2.254", "02:00:00:00:02:fe")}
ADDRESSES = {"v1": "10.0.1.1", "v2": "10.0.1.2", "v3": "10.0.2.1"}


class Switch:
    title = ""
    reachable = ("v2", "v3")

    def __init__(self, world, build, short):
        self.world = world
        self.build = build
        self.short = short
        self.guests = {}
        self.make_guests()
        self.connect()
        for far in self.reachable:
            wait_until(lambda far=far: self.reaches(far), f"{self.title}: v1 to reach {far}")

    def make_guests(self):
        self.namespace = self.world.namespace(f"{self.short}-sw")
        for name, address in ADDRESSES.items():
            gateway = GATEWAYS[2 if name == "v3" else 1][0]
            self.guests[name] = self.world.guest(f"{self.short}-{name}", self.namespace, name, f"{address}/24", gateway,
                                                 MACS[name])

    def connect(self):
        raise NotImplementedError

    def reaches(self, far):
        answer = self.world.inside(self.guests["v1"], "ping", "-c1", "-W1", ADDRESSES[far], check=False)
        return " 0% packet loss" in answer

    def inside(self, *command, **options):
        return self.world.inside(self.namespace, *command, **options)


class VethPair(Switch):
    """v1 and v2 at the two ends of one veth pair: what the guests' own stacks allow."""

    title = "no switch, one veth pair"
    reachable = ("v2",)

    def make_guests(self):
        self.guests = {name: self.world.namespace(f"{self.short}-{name}") for name in ("v1", "v2")}

    def connect(self):
        near, far = self.guests["v1"], self.guests["v2"]
        run("ip", "link", "add", "eth0", "netns", near, "type", "veth", "peer", "name", "eth0", "netns", far)
        for name, space in self.guests.items():
            run("ip", "-n", space, "address", "add", f"{ADDRESSES[name]}/24", "dev", "eth0")
            run("ip", "-n", space, "link", "set", "eth0", "up")


class Viaduct(Switch):
    title = "Viaduct, eBPF"
    datapath = "ebpf"
    TOPOLOGY = """
bridges:
  - name: b1
    ports:
      - {name: v1, interface: v1}
      - {name: v2, interface: v2}
      - {name: b1-r, peer: r-b1}
  - name: b2
    ports:
      - {name: v3, interface: v3}
      - {name: b2-r, peer: r-b2}
routers:
  - name: r
    ports:
      - {name: r-b1, mac: "02:00:00:00:01:fe", addresses: [10.0.1.254/24], mtu: 1500}
      - {name: r-b2, mac: "02:00:00:00:02:fe", addresses: [10.0.2.254/24], mtu: 1500}
    routes:
      - {to: 10.9.0.0/16, via: 10.0.2.1, port: r-b2}
      - {to: 10.9.0.0/16, via: 10.0.2.2, port: r-b2}
"""

    def connect(self):
        directory = self.world.directory
        (directory / "topology.yaml").write_text(self.TOPOLOGY, encoding="utf-8")
        self.command = [self.build / "actors/viaductd", "--state-dir", directory / "state", "--run-dir",
                        directory / "run", "--datapath", self.datapath, "--datapath-name",
                        f"bench{self.world.prefix.rsplit('-', 1)[1]}"]
        self.world.at_end.append(lambda: self.inside(*self.command, "--cleanup"))
        self.start()
        self.tool("apply", "-f", directory / "topology.yaml", "--yes", "--wait")

    def start(self):
        self.daemon = self.world.start(self.namespace, *self.command, log="viaductd.log")
        wait_until(self.answers, "viaductd to answer")

    def answers(self):
        try:
            self.tool("status")
        except RuntimeError:
            return False
        return True

    def misses(self):
        """Upcalls since the start."""
        return sum(port["upcalls"] for port in json.loads(self.tool("status", "--json"))["ports"])

    def tool(self, *words):
        return self.inside(self.build / "api/cli/viaduct", "--token-file", self.world.directory / "run/admin.token",
                           *words)


class LinuxBridge(Switch):
    title = "Linux bridge and routing"

    def connect(self):
        for number, members in ((1, ("v1", "v2")), (2, ("v3",))):
            address, mac = GATEWAYS[number]
            run("ip", "-n", self.namespace, "link", "add", f"br{number}", "address", mac, "type", "bridge")
            for member in members:
                run("ip", "-n", self.namespace, "link", "set", member, "master", f"br{number}")
            run("ip", "-n", self.namespace, "address", "add", f"{address}/24", "dev", f"br{number}")
            run("ip", "-n", self.namespace, "link", "set", f"br{number}", "up")
        self.inside("sysctl", "-qw", "net.ipv4.ip_forward=1")


class OpenVSwitch(Switch):
    """ovsdb-server and ovs-vswitchd of their own, with OpenFlow rules that switch and route."""

    datapath_type = ""

    def connect(self):
        if not hosts.has_program("ovs-vswitchd"):
            raise Unavailable("ovs-vswitchd is missing: install Debian's package openvswitch-switch")
        directory = self.world.directory
        database = directory / "conf.db"
        self.socket = f"unix:{directory}/db.sock"
        run("ovsdb-tool", "create", database, "/usr/share/openvswitch/vswitch.ovsschema")
        self.here = ["env", f"OVS_RUNDIR={directory}", f"OVS_LOGDIR={directory}", f"OVS_DBDIR={directory}"]
        self.world.start(self.namespace, *self.here, "ovsdb-server", database, f"--remote=p{self.socket}",
                         f"--unixctl={directory}/ovsdb.ctl", log="ovsdb-server.log")
        wait_until((directory / "db.sock").exists, "ovsdb-server")
        self.vsctl("--no-wait", "init")
        self.configure()
        self.start()
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", f"datapath_type={self.datapath_type}",
                   "fail-mode=secure")
        for name in MACS:
            self.vsctl("add-port", "br0", name)
        self.add_rules()

    def configure(self):
        """Before ovs-vswitchd starts."""

    def start(self):
        control = self.world.directory / "vswitchd.ctl"
        for left_over in (control, self.bridge_socket()):  # of one that was killed
            left_over.unlink(missing_ok=True)
        self.daemon = self.world.start(self.namespace, *self.here, "ovs-vswitchd", self.socket, f"--unixctl={control}",
                                       f"--log-file={self.world.directory}/vswitchd.log", log="ovs-vswitchd.log")
        wait_until(control.exists, "ovs-vswitchd")

    def bridge_socket(self):
        return self.world.directory / "br0.mgmt"

    def add_rules(self):
        wait_until(self.bridge_socket().exists, "the bridge's OpenFlow socket")
        rules = self.world.directory / "rules"
        rules.write_text("\n".join(self.rules()) + "\n", encoding="utf-8")
        self.inside(*self.here, "ovs-ofctl", "add-flows", "br0", rules)

    def vsctl(self, *command):
        return self.inside("ovs-vsctl", f"--db={self.socket}", "--timeout=20", *command)

    def rules(self):
        """Bridge 1 switches by NORMAL; what is for a gateway is routed by rules, as OVN would have compiled them."""
        for gateway, mac in GATEWAYS.values():
            yield self.answer_arp(gateway, mac)
        for name, addresses in (("v1", ADDRESSES["v1"]), ("v2", ADDRESSES["v2"]), ("v3", "10.0.2.0/24")):
            number = 2 if name == "v3" else 1
            yield (f"priority=50,ip,dl_dst={GATEWAYS[3 - number][1]},nw_dst={addresses},"
                   f"actions=mod_dl_src:{GATEWAYS[number][1]},mod_dl_dst:{MACS[name]},dec_ttl,output:{name}")
        # Two next hops for 10.9.0.0/16, chosen by a hash of addresses and ports.
        yield (f"priority=50,ip,dl_dst={GATEWAYS[1][1]},nw_dst=10.9.0.0/16,"
               f"actions=multipath(symmetric_l3l4+udp,1024,hrw,2,0,NXM_NX_REG0[0..7]),resubmit(,90)")
        for number in (0, 1):
            yield (f"table=90,reg0={number},ip,actions=mod_dl_src:{GATEWAYS[2][1]},mod_dl_dst:{MACS['v3']},dec_ttl,"
                   f"output:v3")
        yield "priority=1,actions=NORMAL"

    def misses(self):
        # Not by ovs-dpctl: opening a kernel datapath, it changes how upcalls are handed out.
        shown = self.inside("ovs-appctl", "-t", self.world.directory / "vswitchd.ctl", "dpctl/show")
        return int(re.search(r"missed:(\d+)", shown).group(1))

    @staticmethod
    def answer_arp(address, mac):
        value = "0x" + mac.replace(":", "")
        packed = "0x" + "".join(f"{int(part):02x}" for part in address.split("."))
        return (f"priority=60,arp,arp_op=1,arp_tpa={address},actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],"
                f"mod_dl_src:{mac},load:0x2->NXM_OF_ARP_OP[],move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],"
                f"load:{value}->NXM_NX_ARP_SHA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],"
                f"load:{packed}->NXM_OF_ARP_SPA[],IN_PORT")


class OvsUserSpace(OpenVSwitch):
    """With `datapath_type=netdev` and its user-space TSO."""

    title = "Open vSwitch, user space"
    datapath_type = "netdev"

    def configure(self):
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:userspace-tso-enable=true")
