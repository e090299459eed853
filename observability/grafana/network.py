"""All hosts together: do they reach each other, and where are packets lost?"""
from board import TO_HOST, column, dashboard, graph, hosts_of, link, table
from port import busiest

ROW_TO_HOST = link("host", "this host", ("instance", "${__data.fields.instance}"))
HOSTS = [
    table("Every host", "short",
          "Each host: is it there, how full are its tables, what does it drop, which peers does it not reach.",
          "Click on a host for its own dashboard. Begin with those whose tunnels are down.",
          ("sum by (instance) (up{HOST})", "answers"),
          ("sum by (instance) (viaduct_cluster_connected{HOST})", "served"),
          ("sum by (instance) (1 - viaduct_tunnel_up{HOST})", "tunnels down"),
          ("sum by (instance) (instance:viaduct_flows:fill_ratio{HOST})", "flow table"),
          ("sum by (instance) (instance:viaduct_connection_entries:fill_ratio{HOST})", "connection table"),
          ("sum by (instance) (rate(viaduct_datapath_hits_total{HOST}[5m]))", "packets"),
          ("sum by (instance) (instance_reason:viaduct_dropped_packets:rate5m{HOST})", "drops"),
          overrides=[column("instance", links=[ROW_TO_HOST]),
                     column("flow table", "percentunit"),
                     column("connection table", "percentunit"),
                     column("packets", "pps"),
                     column("drops", "pps")],
          sort=[{"displayName": "tunnels down", "desc": True}],
          height=9),
]
TUNNELS = [
    graph("Tunnels that are down", "short",
          "How many peers each host does not reach through their tunnels.",
          "One peer that all hosts miss: look there. One host that misses all: its link, or UDP port `underlay.vxlan_port` "
          "on the way.",
          ("sum by (instance) (1 - viaduct_tunnel_up{HOST})", "{{instance}}"),
          alert="ViaductTunnelDown", above=0, links=[TO_HOST]),
    graph("Loss of probes, the ten worst", "percentunit",
          "Part of the last hundred probes that was lost; packets of machines are lost in the same way.",
          "A bad link, an overloaded host or a switch's queue on that way: `ip -s link` at both ends.",
          ("topk(10, viaduct_tunnel_probe_loss_ratio{HOST})", "{{instance}} {{direction}} {{peer}}"),
          alert="ViaductTunnelLossy", links=[TO_HOST]),
    graph("Round trip, the ten slowest", "s",
          "Round trip of probes through the tunnel, smoothed; the daemons' time is in it.",
          "Rising to one peer: that host or its link is busy. Rising everywhere: the underlay.",
          ("topk(10, viaduct_tunnel_rtt_seconds{HOST})", "{{instance}} → {{peer}}"), links=[TO_HOST]),
    graph("Path MTU, the smallest", "bytes",
          "What fits behind the inner Ethernet header, to the peer with the smallest path MTU.",
          "A step down: a router on the way has a smaller MTU. Machines with a larger one get ICMP errors (`too_big`).",
          ("min by (instance) (viaduct_tunnel_mtu_bytes{HOST})", "{{instance}}"), links=[TO_HOST]),
    graph("Changes of liveness", "ops",
          "Peers that came up, fell silent, or are tried.",
          "Again and again: an unsteady link; such peers are held for doubtful.",
          ("sum by (to) (rate(viaduct_tunnel_state_changes_total{HOST}[5m]))", "{{to}}")),
    graph("Too late to judge, in 10 minutes", "short",
          "Times that a host did not get the CPU in time to say whether others are silent.",
          "Give the host CPU time: `top`, steal on virtual machines, a flood of new flows.",
          ("increase(viaduct_tunnel_late_total{HOST}[10m])", "{{instance}}"), alert="ViaductHostLate", links=[TO_HOST]),
]
DROPS = [
    graph("Dropped packets, by reason", "pps",
          "On all hosts, by the reason that a trace shows.",
          "Which host, is on the right; which rule, `viaduct trace` says there.",
          ('sum by (reason) (instance_reason:viaduct_dropped_packets:rate5m{HOST}) > 0 '
           'or on () label_replace(vector(0), "reason", "none", "", "")',
           "{{reason}}"), width=12),
    graph("Dropped packets, the ten worst hosts", "pps",
          "On each host, all reasons together.",
          "Click on a host for the reasons.",
          ("topk(10, sum by (instance) (instance_reason:viaduct_dropped_packets:rate5m{HOST}))", "{{instance}}"),
          width=12, links=[TO_HOST]),
]
SHARED = [
    graph("How long updates wait", "s",
          "For how long the oldest update of connections has waited for other hosts to acknowledge it; they would go on with "
          "these connections if this host died.",
          "A peer does not take them as fast as they are made: see the round trip, and that host's CPU.",
          ("viaduct_replication_lag_seconds{HOST}", "{{instance}}"), alert="ViaductReplicationLag", links=[TO_HOST]),
    graph("Connections that began unprotected", "pps",
          "First packets that left before another host knew their connection: it would not survive this host.",
          "Hosts do not acknowledge in time (`connections.patience`): see the round trip and loss above.",
          ("rate(viaduct_replication_unacknowledged_total{HOST}[5m])", "{{instance}}"),
          alert="ViaductReplicationUnacknowledged", links=[TO_HOST]),
    graph("Hosts that do not acknowledge", "short",
          "Hosts that nobody waits for any more, because they do not acknowledge what they are sent.",
          "With a tunnel down that follows from it. With tunnels up: that daemon is stuck or has an old version.",
          ("viaduct_replication_silent_peers{HOST}", "{{instance}}"),
          alert="ViaductReplicationPeerSilent", above=0, links=[TO_HOST]),
]


def board():
    return dashboard("network", "network", "Do the hosts reach each other, and where are packets lost?", hosts_of("viaduct_flows"),
                     [("Hosts", HOSTS), ("Tunnels between hosts", TUNNELS), ("Ports", [busiest(20)]),
                      ("Dropped packets", DROPS), ("Connections that other hosts know", SHARED)])
