"""One port's story: where is it, what does it carry, what of that goes to the daemon or is lost, and how is its host meanwhile?
And tables of ports for other dashboards, whose lines lead here."""
from board import TO_HOST, Text, column, dashboard, graph, hosts_of, link, or_none, states, table, variable, yes_or_no

PORT = 'HOST, interface="$interface"'
# Of the hosts where the port is.
ITS_HOST = f"and on (job, instance) viaduct_port_active{{{PORT}}}"
# BGP names ports by port_id.
AS_BGP = f'label_replace(viaduct_port_active{{{PORT}}}, "port_id", "$1", "port", "(.*)")'

WHERE = [
    yes_or_no("Active",
              "Whether the port's interface is in the datapath of its host and its link is up. No value: no host has a port "
              "with this interface.",
              "No: the machine is off, or its interface is not there; `viaduct status` on the host says which. No value: "
              "`viaduct bind`.",
              (f"viaduct_port_active{{{PORT}}}", "{{instance}}")),
    states("Where it was",
           "On which host the port was active, and when. A machine that moves changes its line.",
           "Active on two hosts for long: two machines with one interface's name, or a move that did not end.",
           (f"viaduct_port_active{{{PORT}}}", "{{instance}} {{port}}"), width=20, height=5),
]
CARRIES = [
    graph("Packets", "pps",
          "Received: from the machine into the datapath. Sent: towards the machine.",
          "Received only: answers do not come back, or are dropped before this port; trace them from the other end. Sent "
          "only: the machine does not answer.",
          (f"rate(viaduct_port_received_packets_total{{{PORT}}}[RATE])", "{{instance}} received"),
          (f"rate(viaduct_port_sent_packets_total{{{PORT}}}[RATE])", "{{instance}} sent"), width=12, links=[TO_HOST]),
    graph("Bytes", "Bps",
          "The same in bytes. With segmentation offload one packet may be 64 KB.",
          "At the limit of the machine's or the host's link: that is the bottleneck, not the network above it.",
          (f"rate(viaduct_port_received_bytes_total{{{PORT}}}[RATE])", "{{instance}} received"),
          (f"rate(viaduct_port_sent_bytes_total{{{PORT}}}[RATE])", "{{instance}} sent"), width=12, links=[TO_HOST]),
]
DAEMON = [
    graph("First packets", "pps",
          "Packets of the port that no flow was there for, and that the daemon decided.",
          "Many for long: a scan, very short connections, or a machine with a virus. `viaduct flows --port PORT` on the "
          "host shows to where.",
          (f"rate(viaduct_port_upcalls_total{{{PORT}}}[RATE])", "{{instance}}"), links=[TO_HOST]),
    graph("First packets that were lost", "pps",
          "Packets of the port that were dropped because it sent more first packets than its credit, or because the daemon "
          "is too slow.",
          "This port only: it shouts, and others are protected from it. All ports: the host lacks CPU time.",
          (f"rate(viaduct_port_upcalls_lost_total{{{PORT}}}[5m])", "{{instance}}"), above=1, links=[TO_HOST]),
    graph("Part of its host's first packets", "percentunit",
          "How much of its host's work for first packets is this port's.",
          "Near 100 % on a host with many ports: this one keeps the daemon busy.",
          (f"sum by (instance) (rate(viaduct_port_upcalls_total{{{PORT}}}[5m])) "
           f"/ sum by (instance) (rate(viaduct_port_upcalls_total{{HOST}}[5m]) {ITS_HOST})", "{{instance}}"), links=[TO_HOST]),
]
HOST_OF_IT = [
    graph("Dropped packets on its host, by reason", "pps",
          "Reasons why packets of all ports of its host are dropped. What is counted by port is lost upcalls only.",
          "Whether it was this port's: `viaduct trace` with such a packet, below.",
          (or_none(f"sum by (instance, reason) (instance_reason:viaduct_dropped_packets:rate5m{{HOST}} {ITS_HOST}) > 0",
                   f"up{{HOST}} {ITS_HOST}"),
           "{{instance}} {{reason}}"), alert="ViaductDropsRising", links=[TO_HOST]),
    graph("First packet on its host: upcall to flow, p99", "s",
          "How long one in a hundred first packets takes there, at least, until its flow is installed.",
          "High: connections begin slowly, though packets of known flows do not wait. See its host.",
          (f"instance:viaduct_upcall_to_flow_seconds:p99_5m{{HOST}} {ITS_HOST}", "{{instance}}"), links=[TO_HOST]),
    graph("Connections of ports that had no room", "ops",
          "Entries that were refused on its host because a port or a tenant had more than its share, or the table was full.",
          "port_share: a port there has too many connections; `viaduct conntrack list` shows whose they are.",
          (f"rate(viaduct_connection_entries_refused_total{{HOST}}[5m]) {ITS_HOST}", "{{instance}} {{reason}}"),
          links=[TO_HOST]),
    states("BGP at this port",
           "Sessions with peers behind it, when it is an uplink.",
           "No: `viaduct bgp` on the host says why the last session ended.",
           (f"viaduct_bgp_peer_up{{HOST}} and on (job, instance, port_id) {AS_BGP}", "{{router}} → {{peer}}"),
           width=24, height=5),
]
ASK = [Text("Ask further", """On the port's host:

- `viaduct status`: is the port active, and why not; its counters now
- `viaduct trace PORT tcp to ADDRESS dport 80`: what becomes of a packet of the port, at which device and by which rule; nothing is sent
- `viaduct flows --port PORT`: its flows in the kernel, with their counters
- `viaduct conntrack list --src ADDRESS`: its connections, with their translations
- `viaduct port show PORT`: what operators asked for; `viaduct doctor`: what is wrong with the host
""", height=7)]


def busiest(count):
    """A table of the ports with the most traffic."""
    def named(query):
        join = "* on (job, instance, device) group_left (name) viaduct_device_info{HOST}"
        return f"sum by (instance, interface, name) ({query} {join})"

    received, sent = (named(f"rate(viaduct_port_{way}_bytes_total{{HOST}}[5m])") for way in ("received", "sent"))
    chosen = f"and topk({count}, {received} + {sent})"
    story = link("port", "this port's story", ("interface", "${__data.fields.interface}"))  # on whichever host it was
    return table(f"The {count} ports with the most traffic", "short",
                 "Interface, its host and its virtual device; bytes from and to the machine, first packets and those that "
                 "were lost.",
                 "Click on an interface for the port's story. Lost first packets: the port shouts, or the host lacks CPU "
                 "time.",
                 (f"{named('viaduct_port_active{HOST}')} {chosen}", "active"),
                 (f"{received} {chosen}", "received"),
                 (f"{sent} {chosen}", "sent"),
                 (f"{named('rate(viaduct_port_upcalls_total{HOST}[5m])')} {chosen}", "first packets"),
                 (f"{named('rate(viaduct_port_upcalls_lost_total{HOST}[5m])')} {chosen}", "lost"),
                 overrides=[column("interface", links=[story]), column("received", "Bps"), column("sent", "Bps"),
                            column("first packets", "pps"), column("lost", "pps")],
                 sort=[{"displayName": "received", "desc": True}], height=9)


def board():
    ports = 'label_values(viaduct_port_active{job=~"$job", instance=~"$instance"}, interface)'
    return dashboard("port", "one port's story", "Where is this port, what does it carry, and what of it is lost?",
                     [*hosts_of("viaduct_port_active"), variable("interface", "Port", ports, several=False)],
                     [("Is it there?", WHERE), ("What it carries", CARRIES), ("What of it the daemon decides", DAEMON),
                      ("Its host meanwhile", HOST_OF_IT), ("More", ASK)])
