"""What lies between the virtual network and the world: BGP, NAT, load balancers, connections that change their host."""
from board import TO_HOST, dashboard, graph, hosts_of, or_none, stat, states

BGP = [
    states("BGP sessions", "Whether the session with each peer is established.", "No: `viaduct bgp` on the host says why the last session ended.",
           ("viaduct_bgp_peer_up{HOST}", "{{router}} {{port}} → {{peer}}"), alert="ViaductBgpSessionDown", width=12),
    states("BGP speakers", "Whether the speaker (FRR) of each uplink port runs.", "No: `viaduct doctor` on the host names missing packages; `journalctl -u viaductd`.",
           ("viaduct_bgp_speaker_running{HOST}", "{{router}} {{port}} at {{instance}}"), alert="ViaductBgpSpeakerDown", width=12),
    graph("Prefixes of peers", "short", "Prefixes that each peer has announced and its import filter let through.",
          "A step to 0 with the session up: the peer withdrew everything, or the filter is too narrow.",
          ("viaduct_bgp_peer_prefixes_received{HOST}", "{{router}} ← {{peer}}"), links=[TO_HOST]),
    graph("Prefixes announced", "short", "Prefixes that are announced to each peer.", "0: nothing on that router is to be announced; the world finds no way back.",
          ("viaduct_bgp_peer_prefixes_sent{HOST}", "{{router}} → {{peer}}"), links=[TO_HOST]),
    graph("Prefixes beyond the limits", "short", "Routes of peers that are not used because a peer announced more than it may.",
          "Raise the peer's limit, or have it announce less.", ("viaduct_bgp_prefixes_over_limit{HOST}", "{{router}} {{port}}"), links=[TO_HOST]),
    graph("Sessions established and ended", "ops", "BGP sessions that came and went.", "Again and again: an unsteady link, or timers that are too short.",
          ("sum by (to) (rate(viaduct_bgp_session_changes_total{HOST}[5m]))", "{{to}}")),
    graph("BGP problems", "short", "What keeps BGP peers from being spoken with, as `viaduct status` names it.", "What the problem's text says.",
          ("viaduct_bgp_problems{HOST}", "{{instance}}"), alert="ViaductBgpProblem", links=[TO_HOST]),
    graph("Routes that were refused, messages that were malformed", "ops", "Routes of peers that were not taken, by reason; messages that contradicted themselves.",
          "`viaduct bgp` on the host; a peer that sends nonsense is its operator's to mend.",
          (or_none("sum by (instance, reason) (rate(viaduct_bgp_routes_refused_total{HOST}[5m]))"), "{{instance}} {{reason}}"),
          ("sum by (instance) (rate(viaduct_bgp_route_messages_malformed_total{HOST}[5m]))", "malformed {{instance}}")),
]
NAT = [
    stat("Addresses without ports", "short", "NAT addresses of which no block of ports is left for this host: new connections are dropped as nat_ports_exhausted.",
         "Give the rule more addresses, or a wider range of ports.", ("viaduct_nat_addresses_spent{HOST}", "{{instance}}"),
         alert="ViaductNatPortsExhausted", width=6, height=7),
    graph("NAT ports: leased and used", "short", "Ports of the blocks (64 each) that each host has leased, and connections that use one.",
          "Close together and rising: more blocks will be asked for. Far apart for long: many connections have ended.",
          ("viaduct_nat_blocks_leased{HOST} * 64", "{{instance}} leased"), ("viaduct_nat_ports_used{HOST}", "{{instance}} used"), width=9, links=[TO_HOST]),
    graph("NAT blocks: asked for, lost, none left", "ops", "Blocks that were asked of the cluster, those that another host got, and packets for which none was left.",
          "None left: see the first panel. Many lost: many hosts translate to the same few addresses.",
          ("sum by (instance) (rate(viaduct_nat_blocks_claimed_total{HOST}[5m]))", "{{instance}} asked for"),
          ("sum by (instance) (rate(viaduct_nat_block_claims_lost_total{HOST}[5m]))", "{{instance}} lost"),
          ("sum by (instance) (rate(viaduct_nat_exhausted_total{HOST}[5m]))", "{{instance}} none left"), width=9),
]
BALANCERS = [
    graph("Members that are down", "short", "Members of pools that the host which checks them finds down: new connections go to others.",
          "`viaduct state POOL` says which and why; then it is the server's operator's.",
          ("viaduct_health_members_down{HOST}", "{{instance}}"), ("viaduct_health_members{HOST}", "{{instance}} checked"), alert="ViaductPoolMembersDown", links=[TO_HOST]),
    graph("Health checks, by result", "ops", "How checks of members end.", "`no_neighbour`: the member's machine is off. `refused`: its program is. `wrong_status`: it is ill.",
          ("sum by (result) (rate(viaduct_health_checks_total{HOST}[RATE]))", "{{result}}")),
    graph("Members found up or down", "ops", "Turns of members' state.", "One that turns again and again: a server at its limit, or a check that is too strict.",
          ("sum by (to) (rate(viaduct_health_turns_total{HOST}[5m]))", "{{to}}")),
]
FAILOVER = [
    graph("Connections that changed their host", "ops", "Connections of other hosts that became this one's: a gateway died, or traffic moved.",
          "Outside of failures and upgrades: uplinks flap, or the world's routes change.",
          ("rate(viaduct_replication_taken_over_total{HOST}[5m])", "{{instance}} taken over"),
          ("rate(viaduct_replication_handed_over_total{HOST}[5m])", "{{instance}} handed over"), links=[TO_HOST], width=12),
    graph("What first packets wait for other hosts, p99", "s", "How long one in a hundred first packets waits, at least, until another host knows its connection.",
          "Rising: the other gateway or the way to it is busy. See the round trips in the dashboard Network.",
          ("instance:viaduct_replication_wait_seconds:p99_5m{HOST}", "{{instance}}"), links=[TO_HOST], width=12),
]


def board():
    return dashboard("gateway", "gateway", "Does the world reach the virtual network, and the virtual network the world?", hosts_of("viaduct_bgp_problems"),
                     [("BGP", BGP), ("NAT", NAT), ("Load balancers", BALANCERS), ("Connections that change their host", FAILOVER)])
