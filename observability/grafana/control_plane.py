"""The cluster and its doors: are changes taken, and do they reach the hosts?"""
from board import TO_HOST, dashboard, graph, hosts_of, or_none, stat, yes_or_no

NODES = [
    yes_or_no("Daemons answer", "Whether the metrics of cluster nodes and agents answer.", "No: `systemctl status viaductd` there (`viaduct-cluster` on a node).",
              ("up{HOST}", "{{instance}}"), alert="ViaductClusterNodeDown", width=8),
    stat("Agents served, by node", "short", "How many agents each cluster node serves.", "All at one node: others are down, or agents name only that one.",
         ("viaduct_gateway_sessions{HOST}", "{{instance}}")),
    stat("Agents that nobody serves", "short", "Agents without a cluster node: changes do not reach them.", "`viaduct status` on such a host names the error.",
         ("count(viaduct_cluster_connected{HOST}) - sum(viaduct_cluster_connected{HOST})", "not served"), alert="ViaductAgentNotServed", above=0),
    graph("Agents that come, go and are refused", "ops", "Sessions that began, that failed or ended, and agents that were not let in, by reason.",
          "Refused: certificate, name or lease; the node's log says whose. Many that come and go: an unsteady network, or nodes that are too slow.",
          ("sum by (session) (rate(viaduct_gateway_joins_total{HOST}[5m]))", "{{session}}"),
          ("sum(rate(viaduct_cluster_failures_total{HOST}[5m]))", "failed or ended"),
          (or_none("sum by (instance, reason) (rate(viaduct_gateway_refused_total{HOST}[5m]))"), "refused by {{instance}} {{reason}}"), height=5),
]
CHANGES = [
    graph("Commits, p99", "s", "How long one in a hundred transactions takes, at least, until it is durable.", "A slow disk under `state_dir`, or etcd: its metrics say more.",
          ("instance:viaduct_store_commit_seconds:p99_5m{HOST}", "{{instance}}"), alert="ViaductStoreSlow"),
    graph("From commit to enforcement, p99", "s", "How long one in a hundred changes takes, at least, from its commit until a host enforces it.",
          "One host: it lacks CPU time. All hosts: the cluster node does.", ("instance:viaduct_commit_to_applied_seconds:p99_5m{HOST}", "{{instance}}"),
          alert="ViaductRevisionLag", links=[TO_HOST]),
    graph("Revisions behind the newest host", "short", "How many revisions each host is behind the one that has applied the most.",
          "One that stays behind: `viaduct status` there. It enforces an old topology.",
          ("scalar(max(viaduct_mirror_applied_revision{HOST})) - viaduct_mirror_applied_revision{HOST}", "{{instance}}"), links=[TO_HOST]),
    graph("Changes that were refused", "ops", "Transactions that were not committed, by reason; `store` means that the store itself failed.",
          "Other reasons are operators' mistakes or two who changed the same. `store`: disk full, or etcd away.",
          (or_none("sum by (instance, reason) (rate(viaduct_store_refused_total{HOST}[5m]))"), "{{instance}} {{reason}}")),
    graph("Whole topologies read again, in 15 minutes", "short", "Times that an agent read everything instead of following changes.",
          "Agents that fall behind or lose their sessions: see the joins above.", ("increase(viaduct_mirror_resyncs_total{HOST}[15m])", "{{instance}}"),
          alert="ViaductMirrorResync", links=[TO_HOST]),
    graph("Writes of hosts that failed, in 10 minutes", "short", "Writes of agents to the state tables (learned addresses, leases, health) that had no answer or were refused.",
          "The node is too slow, or its store fails. They are sent again.",
          ("increase(viaduct_state_write_failures_total{HOST}[10m])", "{{instance}}"), alert="ViaductStateWritesFailing", links=[TO_HOST]),
]
ETCD = [
    graph("etcd: calls by result", "ops", "Attempts to call etcd's servers. There when the nodes store in etcd.", "Without any `ok` changes are refused: etcdctl endpoint health.",
          ("sum by (instance, result) (rate(viaduct_etcd_calls_total{HOST}[RATE]))", "{{instance}} {{result}}"), width=12),
    graph("etcd: servers left, watches that broke", "ops", "How often a server of etcd failed and another one was asked, and watches whose stream ended.",
          "One server again and again: look at it. All: the network between nodes and etcd.",
          (or_none("sum by (instance, server) (rate(viaduct_etcd_servers_left_total{HOST}[5m]))"), "{{instance}} left {{server}}"),
          ("sum by (instance) (rate(viaduct_etcd_watches_broken_total{HOST}[5m]))", "watches of {{instance}}"), width=12),
]
DOORS = [
    graph("REST requests, by status", "reqps", "Requests of the REST API by the status of their answer.", "4xx are the clients' mistakes; 5xx are ours, or a store that fails.",
          ("sum by (status) (rate(viaduct_rest_requests_total{HOST}[RATE]))", "{{status}}")),
    graph("REST requests that fail", "percentunit", "Part of the requests that is answered with a status of 500 or above.", "`journalctl` of the node, component rest; `viaduct doctor`.",
          (or_none("instance:viaduct_rest_requests_failed:rate5m{HOST} / instance:viaduct_rest_requests:rate5m{HOST}",
              "instance:viaduct_rest_requests:rate5m{HOST}"), "{{instance}}"), alert="ViaductRestErrors"),
    graph("REST requests, p99", "s", "How long one in a hundred requests takes, at least, from its last byte to the answer.", "With slow commits: the store. Else large lists: clients should page.",
          ("histogram_quantile(0.99, sum by (instance, le) (rate(viaduct_rest_seconds_bucket{HOST}[5m])))", "{{instance}}")),
    graph("Logins that are refused", "ops", "Logins of the REST API, by reason.", "wrong_password in numbers: somebody guesses, or a service has an old password.",
          (or_none("sum by (instance, reason) (rate(viaduct_rest_login_failures_total{HOST}[5m]))"), "{{instance}} {{reason}}"), alert="ViaductRestLoginFailures"),
    graph("REST requests that were not taken", "ops", "Requests and connections beyond the limits, by reason.", "A client that is too eager: rate_user, rate_address. `busy`: raise the limits or add nodes.",
          (or_none("sum by (instance, reason) (rate(viaduct_rest_refused_total{HOST}[5m]))"), "{{instance}} {{reason}}")),
    graph("Operators' requests, by outcome", "ops", "What `viaduct` and the console ask of daemons.", "Many that fail: a script with a mistake.",
          ("sum by (kind, outcome) (rate(viaduct_admin_requests_total{HOST}[RATE]))", "{{kind}} {{outcome}}")),
]


def board():
    return dashboard("control-plane", "control plane", "Are changes taken, and do they reach the hosts?", hosts_of("viaduct_actor_mailbox_depth"),
                     [("Nodes and agents", NODES), ("Changes", CHANGES), ("etcd", ETCD), ("REST API and operators", DOORS)])
