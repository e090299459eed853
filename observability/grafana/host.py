"""One host, or some: is it well, and what becomes of its packets?"""
from board import TO_HOST, dashboard, graph, hosts_of, or_none, stat, yes_or_no
from port import busiest

WELL = [
    yes_or_no("Answers",
              "Whether the daemon's metrics answer.",
              "No: the host is off, viaductd has ended, or the way to its metrics is cut. Flows that are installed go on.",
              ("up{HOST}", "{{instance}}"), alert="ViaductHostDown"),
    yes_or_no("Served by the cluster",
              "Whether a cluster node serves this agent. Without one it goes on with what it knows.",
              "No: `viaduct status` on the host names the last error.",
              ("viaduct_cluster_connected{HOST}", "{{instance}}"), alert="ViaductAgentNotServed"),
    stat("Tunnels that are down", "short",
         "Peers that do not answer through their tunnel: machines there are not reached.",
         "Look at the dashboard Network: one peer of all hosts is that peer's fault, all peers of one host are this host's.",
         ("sum by (instance) (1 - viaduct_tunnel_up{HOST})", "{{instance}}"), alert="ViaductTunnelDown", above=0),
    stat("Flow table", "percentunit",
         "How full the flow table is. A full one loses the oldest flows of the ports with the most, and packets take the "
         "slow path again.",
         "Who makes so many flows: `viaduct flows`. Or a higher `datapath.max_flows`.",
         ("instance:viaduct_flows:fill_ratio{HOST}", "{{instance}}"), alert="ViaductFlowTableNearlyFull"),
    stat("Connection table", "percentunit",
         "How full the table of connections is (rules with state, NAT, load balancing). A full one refuses new ones.",
         "Who has so many: `viaduct conntrack list`. Or a higher `connections.max`.",
         ("instance:viaduct_connection_entries:fill_ratio{HOST}", "{{instance}}"), alert="ViaductConnectionTableNearlyFull"),
    stat("Alerts", "short",
         "Alerts that fire for this host, of any severity.",
         "`ALERTS` in Prometheus names them; each has a section in runbooks.md.",
         (or_none('sum by (instance) (ALERTS{alertstate="firing", HOST})'), "{{instance}}"), above=0),
]
PACKETS = [
    graph("Packets by the kernel, and by the daemon", "pps",
          "Hits found a flow in the kernel; misses went to the daemon, which decides and installs a flow. Misses are a "
          "small part, unless connections are very short.",
          "Many misses for long: a scan, flows that are evicted, or changes of the topology that end flows. See the next "
          "graphs.",
          ("rate(viaduct_datapath_hits_total{HOST}[RATE])", "{{instance}} hits"),
          ("rate(viaduct_datapath_misses_total{HOST}[RATE])", "{{instance}} misses"), links=[TO_HOST]),
    graph("What the daemon decides", "pps",
          "Outcomes of simulations. `park`: a packet waits for a fact (a neighbour, a port, an acknowledgement).",
          "Drops are named on the right. Parked packets that stay many: next hops do not answer ARP, or the cluster leases "
          "no NAT ports.",
          ("sum by (outcome) (rate(viaduct_verdicts_total{HOST}[RATE]))", "{{outcome}}")),
    graph("Dropped packets, by reason", "pps",
          "What is dropped by the daemon and by flows in the kernel, by the reason that a trace shows. What was answered "
          "instead of forwarded is not counted here.",
          "`viaduct trace PORT …` with such a packet names the device and the rule that drop it.",
          (or_none("instance_reason:viaduct_dropped_packets:rate5m{HOST} > 0"), "{{instance}} {{reason}}"),
          alert="ViaductDropsRising", links=[TO_HOST]),
    graph("First packet: upcall to flow, p99", "s",
          "How long one in a hundred first packets takes, at least, from the kernel until its flow is installed.",
          "Rising with the mailboxes below: the daemon lacks CPU time. Rising alone: packets wait for the cluster or for "
          "neighbours.",
          ("instance:viaduct_upcall_to_flow_seconds:p99_5m{HOST}", "{{instance}}"), links=[TO_HOST]),
    graph("Upcalls that are lost", "pps",
          "First packets that never reached the daemon: their sender has used up its credit, or the daemon is too slow.",
          "One noisy port loses its own (see the dashboard Port); many ports lose when the daemon lacks CPU time.",
          ("rate(viaduct_datapath_upcalls_lost_total{HOST}[5m])", "{{instance}}"), alert="ViaductUpcallsLost", links=[TO_HOST]),
    graph("What packets wait for, p99", "s",
          "How long one in a hundred packets that wait for a fact waits, at least, by the fact.",
          "Neighbours: machines or next hops that do not answer ARP. NAT ports: the cluster leases them slowly.",
          ("instance_cause:viaduct_parked_seconds:p99_5m{HOST}", "{{instance}} {{cause}}"), links=[TO_HOST]),
    graph("Why packets come to the daemon", "pps",
          "`miss`: no flow yet. `ttl_expired` and `too_big`: a flow that needs an ICMP error.",
          "Many `too_big`: machines use a larger MTU than the tunnels carry; give them the bridge's MTU. Many "
          "`ttl_expired`: a routing loop.",
          ("sum by (reason) (rate(viaduct_upcalls_total{HOST}[RATE]))", "{{reason}}")),
]
TABLES = [
    graph("Flows", "short",
          "Flows in the kernel.",
          "A step down: an upgrade, a flush, or a change of the topology.",
          ("viaduct_flows{HOST}", "{{instance}}"), links=[TO_HOST]),
    graph("Flows that end", "ops",
          "Why flows leave the kernel: idle, or something they depended on has changed.",
          "Many invalidated for long: something changes the topology again and again, or a port flaps.",
          ("sum by (instance) (rate(viaduct_flows_expired_total{HOST}[RATE]))", "{{instance}} idle"),
          ("sum by (instance) (rate(viaduct_flows_invalidated_total{HOST}[RATE]))", "{{instance}} invalidated")),
    graph("Flows and connections without room", "ops",
          "Flows that were evicted, connections that were refused or ended for want of room.",
          "Raise `datapath.max_flows` or `connections.max`, or find who makes so many: a port's share is refused alone "
          "(`port_share`).",
          (or_none("sum by (instance, reason) (rate(viaduct_flows_evicted_total{HOST}[5m])) > 0", "viaduct_flows{HOST}"),
           "flows {{instance}} {{reason}}"),
          (or_none("sum by (instance, reason) (rate(viaduct_connection_entries_refused_total{HOST}[5m])) > 0", "viaduct_flows{HOST}"),
           "connections {{instance}} {{reason}}"), alert="ViaductConnectionTableFull", links=[TO_HOST]),
    graph("Connections", "short",
          "Connections that this host knows, by state.",
          "Many that are opening: servers do not answer, or somebody floods them. `viaduct conntrack list --state opening` shows whom.",
          ("sum by (state) (viaduct_connections{HOST})", "{{state}}")),
    graph("Connections of tenants", "percentunit",
          "How much of its share of the connection table each tenant has.",
          "Above 90 % the tenant's ports with the most entries lose some.",
          ("instance_tenant:viaduct_connection_entries:fill_ratio{HOST}", "{{instance}} {{tenant}}"),
          alert="ViaductTenantConnectionsNearlyFull", links=[TO_HOST]),
    graph("Learned addresses", "short",
          "MACs and neighbours (ARP, ND) that were learned.",
          "A sudden rise: somebody scans, or invents MACs. `viaduct state DEVICE` shows who.",
          ("viaduct_macs{HOST}", "{{instance}} MACs"),
          ("viaduct_neighbours{HOST}", "{{instance}} neighbours")),
]
DAEMON = [
    graph("How long messages wait, by actor", "s",
          "The age of the oldest message in each actor's mailbox. Near 0 in a daemon that is well.",
          "An actor that stays behind lacks CPU time, waits for a slow disk, or hangs: `viaduct status`, `top -H`.",
          ("max by (actor) (viaduct_actor_mailbox_age_seconds{HOST})", "{{actor}}"), alert="ViaductActorStuck"),
    graph("CPU of packet workers", "percentunit",
          "How much of a CPU each packet worker uses. At 100 % it decides as many first packets as it can.",
          "One worker at 100 %: see the ports above for who sends so many first packets. All: more workers "
          "(`datapath.workers`).",
          ("rate(viaduct_worker_cpu_seconds_total{HOST}[RATE])", "{{instance}} {{worker}}"), links=[TO_HOST]),
    graph("Memory of the daemon", "bytes",
          "What the daemon has in RAM.",
          "Rising for days with the same number of flows and ports: report it with `viaduct support-bundle`.",
          ('process_resident_memory_bytes{HOST}', "{{instance}}"), links=[TO_HOST]),
    graph("Actors that were restarted, in 15 minutes", "short",
          "Parts of the daemon that failed and were started again.",
          "`journalctl -u viaductd` says why. Report it with `viaduct support-bundle`.",
          (or_none("sum by (instance) (increase(viaduct_actor_restarts_total{HOST}[15m]))"), "{{instance}}"),
          alert="ViaductActorRestarting", links=[TO_HOST]),
    graph("What it coped with", "ops",
          "Events that a worker or the datapath got over, but that should be rare.",
          "`install_deferred` and ENOBUFS: bursts of new flows. Errors that stay: `journalctl -u viaductd`, component "
          "datapath.",
          ("sum by (event) (rate(viaduct_worker_anomalies_total{HOST}[RATE]))", "{{event}}"),
          (or_none("sum by (instance) (rate(viaduct_datapath_errors_total{HOST}[RATE]))"), "datapath errors of {{instance}}")),
]


def board():
    return dashboard("host", "host", "Is this host well, and what becomes of its packets?", hosts_of("viaduct_flows"),
                     [("Is it well?", WELL), ("Ports", [busiest(50)]), ("Packets", PACKETS),
                      ("Tables", TABLES), ("The daemon", DAEMON)])
