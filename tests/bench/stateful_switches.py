"""The network of switches.py with a firewall and source NAT: v1 may open connections to v3, which sees them come from the
router's address; nobody may open one to v1."""

from hosts import run
from switches import GATEWAYS, MACS, LinuxBridge, OpenVSwitch, Viaduct

PUBLIC = GATEWAYS[2][0]  # what v3 sees


class StatefulViaduct(Viaduct):
    RULES = f"""
chains:
  - name: from-v1
    rules: [{{forward-flow: true, action: accept}}]
  - name: to-v1
    rules: [{{eth-type: arp, action: accept}}, {{return-flow: true, action: accept}}, {{drop: true}}]
  - name: pre
    rules: [{{in-port: [r-b2], reverse-snat: true}}]
  - name: post
    rules: [{{out-port: [r-b2], snat: true, target: ["{PUBLIC}:1024-65535"]}}]
"""

    def connect(self):
        super().connect()
        rules = self.world.directory / "rules.yaml"
        rules.write_text(self.RULES, encoding="utf-8")
        self.tool("apply", "-f", rules, "--yes", "--wait")
        self.tool("router", "set", "r", "--inbound-filter", "pre", "--outbound-filter", "post")
        self.tool("port", "set", "v1", "--inbound-filter", "from-v1", "--outbound-filter", "to-v1", "--wait")


class Nftables(LinuxBridge):
    title = "Linux routing, nftables"
    RULES = """
table inet bench {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "br1" ct state new accept
  }
  chain postrouting { type nat hook postrouting priority 100; oifname "br2" masquerade; }
}
"""

    def connect(self):
        super().connect()
        rules = self.world.directory / "rules.nft"
        rules.write_text(self.RULES, encoding="utf-8")
        self.inside("nft", "-f", rules)
        # Replies between two ports of a bridge are no business of the firewall.
        run("nsenter", f"--net=/run/netns/{self.namespace}", "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0",
            check=False)


class OvsConntrack(OpenVSwitch):
    """ovs-vswitchd on the kernel's module, with `ct` as OVN uses it: a zone for the machine's port, one for the router's
    translation."""

    title = "ovs-vswitchd, ct as OVN's"
    datapath_type = "system"
    PORT_ZONE, ROUTER_ZONE = 1, 2

    def rules(self):
        onward = f"mod_dl_src:{GATEWAYS[2][1]},mod_dl_dst:{MACS['v3']},dec_ttl"
        for gateway, mac in GATEWAYS.values():
            yield self.answer_arp(gateway, mac)
        yield (f"priority=50,in_port=v1,ip,dl_dst={GATEWAYS[1][1]},nw_dst=10.0.2.0/24,"
               f"actions=ct(table=10,zone={self.PORT_ZONE})")
        yield (f"table=10,priority=50,ct_state=+trk+new,ip,actions=ct(commit,zone={self.PORT_ZONE}),{onward},"
               f"ct(commit,zone={self.ROUTER_ZONE},nat(src={PUBLIC}),table=20)")
        yield f"table=10,priority=40,ct_state=+trk+est,ip,actions={onward},ct(zone={self.ROUTER_ZONE},nat,table=20)"
        yield "table=20,actions=output:v3"
        yield f"priority=50,in_port=v3,ip,nw_dst={PUBLIC},actions=ct(table=30,zone={self.ROUTER_ZONE},nat)"
        yield f"table=30,priority=50,ct_state=+trk+est,ip,nw_dst=10.0.1.1,actions=ct(table=40,zone={self.PORT_ZONE})"
        yield (f"table=40,priority=50,ct_state=+trk+est+rpl,ip,actions=mod_dl_src:{GATEWAYS[1][1]},"
               f"mod_dl_dst:{MACS['v1']},dec_ttl,output:v1")
        yield "priority=1,arp,actions=NORMAL"
        yield f"priority=1,ip,in_port=v1,dl_dst={MACS['v2']},actions=output:v2"
        yield f"priority=1,ip,in_port=v2,dl_dst={MACS['v1']},actions=output:v1"
