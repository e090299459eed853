#include "observability/probes.hpp"

namespace viaduct::observability {
namespace {

// So that they are there before anything has happened.
void begin(Registry& registry, std::string_view name, std::string_view help, const char* label, const Names& values) {
  for (const std::string& value : values) registry.counter(name, help, {{label, value}});
}

}  // namespace

namespace {
constexpr std::string_view kStoreRefused = "viaduct_store_refused_total";
constexpr std::string_view kStoreRefusedHelp = "Changes that were not committed, by reason.";
}  // namespace

StoreProbe::StoreProbe(Registry& registry, const Names& refusals)
    : registry_(registry),
      commits_(registry.histogram("viaduct_store_commit_seconds", "A transaction, until it is durable.")),
      revision_(registry.gauge("viaduct_store_revision", "The store's latest revision.")),
      behind_(registry.gauge("viaduct_feed_agents_behind",
                             "Agents of this node that were sent changes and have not applied them all.")),
      lag_(registry.gauge("viaduct_feed_lag_seconds", "For how long the slowest of those agents has applied nothing.")),
      compacted_(registry.counter("viaduct_store_watch_compacted_total",
                                  "Watchers that asked for revisions which were no longer kept.")) {
  begin(registry, kStoreRefused, kStoreRefusedHelp, "reason", refusals);
}

void StoreProbe::committed(std::chrono::nanoseconds duration, uint64_t revision) {
  commits_.observe(duration);
  this->revision(revision);
}

void StoreProbe::refused(std::string_view reason) {
  registry_.counter(kStoreRefused, kStoreRefusedHelp, {{"reason", std::string(reason)}}).add();
}

void StoreProbe::revision(uint64_t revision) { revision_.set(static_cast<double>(revision)); }
void StoreProbe::agents_behind(size_t agents, std::chrono::nanoseconds lag) {
  behind_.set(static_cast<double>(agents));
  lag_.set(std::chrono::duration<double>(lag).count());
}
void StoreProbe::watch_compacted() { compacted_.add(); }

EtcdProbe::EtcdProbe(Registry& registry)
    : registry_(registry),
      reachable_(registry.gauge("viaduct_etcd_reachable", "1 while a server of etcd answers, else 0.")),
      broken_(registry.counter("viaduct_etcd_watches_broken_total", "Watches of etcd whose stream ended.")),
      resumed_(registry.counter("viaduct_etcd_watches_resumed_total", "Watches of etcd that go on after they broke.")),
      authentications_(registry.counter("viaduct_etcd_authentications_total", "Tokens that etcd gave.")) {}

void EtcdProbe::took(std::string_view method, std::chrono::nanoseconds duration) {
  registry_
      .histogram("viaduct_etcd_call_seconds", "Calls to etcd's servers, each attempt, by method.",
                 {{"method", std::string(method)}})
      .observe(duration);
}

void EtcdProbe::called(std::string_view method, std::string_view result) {
  registry_
      .counter("viaduct_etcd_calls_total", "Calls to etcd's servers, each attempt, by method and result.",
               {{"method", std::string(method)}, {"result", std::string(result)}})
      .add();
}

void EtcdProbe::server_left(std::string_view server) {
  registry_
      .counter("viaduct_etcd_servers_left_total", "How often a server of etcd failed and another one was asked.",
               {{"server", std::string(server)}})
      .add();
}

MirrorProbe::MirrorProbe(Registry& registry)
    : commit_to_applied_(registry.histogram("viaduct_commit_to_applied_seconds",
                                            "From the commit of a change to its enforcement on this host.")),
      resyncs_(registry.counter("viaduct_mirror_resyncs_total",
                                "Times the mirror read the whole topology instead of following changes.")),
      cache_failures_(registry.counter("viaduct_mirror_cache_failures_total",
                                       "Batches of the feed that could not be written to the host's cache.")),
      export_(registry.export_callback("viaduct_mirror_applied_revision",
                                       "The latest revision that this host enforces; not there before the first.",
                                       MetricKind::gauge, [this] {
                                         std::vector<Sample> samples;
                                         if (any_) samples.push_back({{}, static_cast<double>(revision_.load())});
                                         return samples;
                                       })) {}

void MirrorProbe::applied(uint64_t revision) {
  revision_ = revision;
  any_ = true;
}

void MirrorProbe::enforced_after(std::chrono::nanoseconds commit_to_applied) {
  commit_to_applied_.observe(commit_to_applied);
}

void MirrorProbe::resynchronised() { resyncs_.add(); }

void MirrorProbe::cache_failed() { cache_failures_.add(); }

PublisherProbe::PublisherProbe(Registry& registry)
    : writes_(registry.counter("viaduct_state_writes_total", "Writes of this host to the cluster's state tables.")),
      entries_(registry.counter("viaduct_state_entries_written_total", "Entries in those writes.")),
      failures_(registry.counter("viaduct_state_write_failures_total",
                                 "Writes that were not answered or that the database refused; sent again.")),
      lost_(registry.counter("viaduct_state_claims_lost_total",
                             "Entries that another host owned already, or that were not this host's to write.")),
      published_(
          registry.gauge("viaduct_state_published_entries", "Entries of the state tables that are this host's.")) {}

void PublisherProbe::write(size_t entries) {
  writes_.add();
  entries_.add(entries);
}

void PublisherProbe::failed() { failures_.add(); }

void PublisherProbe::lost(uint64_t claims) { lost_.add(claims); }

void PublisherProbe::published(size_t entries) { published_.set(static_cast<double>(entries)); }

NatProbe::NatProbe(Registry& registry)
    : held_(registry.gauge("viaduct_nat_blocks_leased", "Blocks of 64 NAT ports that this host gives out.")),
      resting_(registry.gauge("viaduct_nat_blocks_quarantined",
                              "Blocks of hosts that are gone; nobody gives them out for a while.")),
      spent_(registry.gauge("viaduct_nat_addresses_spent", "NAT addresses that no ports are left of for this host.")),
      connections_(
          registry.gauge("viaduct_nat_ports_used",
                         "Translated connections, each with a port towards its remote end; counted each minute.")),
      wanted_(registry.counter("viaduct_nat_blocks_wanted_total", "Times that more ports were asked for.")),
      claimed_(registry.counter("viaduct_nat_blocks_claimed_total", "Blocks that were asked of the cluster.")),
      lost_(registry.counter("viaduct_nat_block_claims_lost_total", "Of those, blocks that another host got.")),
      exhausted_(registry.counter("viaduct_nat_exhausted_total",
                                  "Times that packets waited for ports and no block was left.")),
      refused_(registry.counter("viaduct_nat_addresses_refused_total",
                                "Wants and blocks of NAT addresses that were beyond the limit of addresses.")),
      adopted_(registry.counter("viaduct_nat_blocks_adopted_total", "Blocks claimed with a dead host's connections.")),
      ended_(registry.counter(
          "viaduct_nat_connections_ended_total",
          "Connections that ended because their block of ports went back: no rule names it any more.")),
      export_(registry.export_callback(
          "viaduct_nat_blocks",
          "Blocks of 64 NAT ports that rules give out, by address of a device and by state: held by this host, by "
          "others, resting (a host that is gone had them), free.",
          MetricKind::gauge, [this] {
            std::lock_guard lock(mutex_);
            std::vector<Sample> samples;
            for (const AddressNumbers& one : addresses_) {
              const auto put = [&](const char* state, size_t blocks) {
                samples.push_back({{{"device", one.device}, {"address", one.address}, {"state", state}},
                                   static_cast<double>(blocks)});
              };
              put("held", one.held);
              put("others", one.others);
              put("resting", one.resting);
              put("free", one.free);
            }
            return samples;
          })) {}

void NatProbe::addresses(std::vector<AddressNumbers> all) {
  std::lock_guard lock(mutex_);
  addresses_ = std::move(all);
}

void NatProbe::leasing(const Leasing& now) {
  held_.set(static_cast<double>(now.held));
  resting_.set(static_cast<double>(now.resting));
  spent_.set(static_cast<double>(now.spent_addresses));
  wanted_.add(now.wanted - known_.wanted);
  claimed_.add(now.claimed - known_.claimed);
  lost_.add(now.lost - known_.lost);
  exhausted_.add(now.exhausted - known_.exhausted);
  refused_.add(now.refused - known_.refused);
  adopted_.add(now.adopted - known_.adopted);
  known_ = now;
}

void NatProbe::connections(uint64_t now) { connections_.set(static_cast<double>(now)); }
void NatProbe::ended(size_t connections) { ended_.add(connections); }
void NatProbe::refused() { refused_.add(); }

ReplicationProbe::ReplicationProbe(Registry& registry)
    : registry_(registry),
      shared_(registry.gauge("viaduct_replication_shared_entries",
                             "Entries of connections that other hosts know, or that would be handed to them.")),
      waiting_(registry.gauge("viaduct_replication_waiting_updates", "Updates that wait to be sent to other hosts.")),
      silent_(registry.gauge("viaduct_replication_silent_peers",
                             "Hosts that do not acknowledge what they are sent; nobody waits for them.")),
      lag_(registry.gauge("viaduct_replication_lag_seconds",
                          "Age of the oldest update that a host which answers has not acknowledged.")),
      sent_(registry.counter("viaduct_replication_updates_sent_total", "Updates of connections sent to other hosts.")),
      sent_again_(registry.counter("viaduct_replication_frames_sent_again_total",
                                   "Frames that were sent again because they were not acknowledged in time.")),
      received_(registry.counter("viaduct_replication_updates_received_total", "Updates that other hosts have sent.")),
      overflows_(registry.counter("viaduct_replication_overflows_total",
                                  "Times that too much waited for a host, and everything is sent to it anew.")),
      resyncs_(registry.counter("viaduct_replication_resyncs_total",
                                "Times that a host was sent everything: it was new, or had forgotten.")),
      unacknowledged_(registry.counter("viaduct_replication_unacknowledged_total",
                                       "First packets that left before another host knew their connection.")),
      handed_over_(registry.counter("viaduct_replication_handed_over_total",
                                    "Entries that hosts asked for because a port has moved to them.")),
      not_answered_(registry.counter("viaduct_replication_hand_overs_unanswered_total",
                                     "Ports that became active here before their last host had answered.")),
      yielded_(registry.counter("viaduct_replication_yielded_total",
                                "Connections whose NAT ports became another host's, and that went on here as copies.")),
      taken_over_(
          registry.counter("viaduct_replication_taken_over_total",
                           "Connections of other hosts that became this host's, with the lease of their ports.")),
      yields_refused_(registry.counter("viaduct_replication_yields_refused_total",
                                       "Yielded connections that ended: their ports were another connection's.")),
      yields_unheard_(registry.counter(
          "viaduct_replication_yields_unheard_total",
          "Yielded connections that ended: the new holder of their ports, without a copy, could not be reached.")),
      waited_(registry.histogram("viaduct_replication_wait_seconds",
                                 "What the first packet of a connection waited until other hosts knew it.")),
      acknowledged_(registry.histogram("viaduct_replication_acknowledgement_seconds",
                                       "From sending a batch of updates to another host to its acknowledgement.")) {}

void ReplicationProbe::observed(const Numbers& now) {
  shared_.set(static_cast<double>(now.shared));
  waiting_.set(static_cast<double>(now.waiting));
  silent_.set(static_cast<double>(now.silent_peers));
  lag_.set(std::chrono::duration<double>(now.lag).count());
  sent_.add(now.sent - known_.sent);
  sent_again_.add(now.sent_again - known_.sent_again);
  received_.add(now.received - known_.received);
  overflows_.add(now.overflows - known_.overflows);
  resyncs_.add(now.resyncs - known_.resyncs);
  unacknowledged_.add(now.unacknowledged - known_.unacknowledged);
  handed_over_.add(now.handed_over - known_.handed_over);
  not_answered_.add(now.not_answered - known_.not_answered);
  yielded_.add(now.yielded - known_.yielded);
  taken_over_.add(now.taken_over - known_.taken_over);
  yields_refused_.add(now.yields_refused - known_.yields_refused);
  yields_unheard_.add(now.yields_unheard - known_.yields_unheard);
  for (size_t i = 0; i < now.refused.size(); ++i) {
    const uint64_t before = i < known_.refused.size() ? known_.refused[i].second : 0;
    registry_
        .counter("viaduct_replication_refused_total",
                 "Updates and frames of other hosts that were not believed, or that there was no room for.",
                 {{"reason", std::string(now.refused[i].first)}})
        .add(now.refused[i].second - before);
  }
  known_ = now;
}

void ReplicationProbe::frame_refused(std::string_view reason) {
  registry_
      .counter("viaduct_replication_refused_total",
               "Updates and frames of other hosts that were not believed, or that there was no room for.",
               {{"reason", std::string(reason)}})
      .add();
}

void ReplicationProbe::waited(std::chrono::nanoseconds time) { waited_.observe(time); }
void ReplicationProbe::acknowledged(std::chrono::nanoseconds time) { acknowledged_.observe(time); }

namespace {
constexpr std::string_view kLinkQuestions = "viaduct_cluster_questions_total";
constexpr std::string_view kLinkQuestionsHelp = "Questions of other hosts' operators to this host, by outcome.";
}  // namespace

ClusterLinkProbe::ClusterLinkProbe(Registry& registry)
    : registry_(registry),
      connected_(registry.gauge("viaduct_cluster_connected", "1 while a cluster node serves this host.")),
      joins_(registry.counter("viaduct_cluster_joins_total", "Times this host has joined a cluster node.")),
      losses_(registry.counter("viaduct_cluster_failures_total",
                               "Attempts to join that failed, and connections to the cluster that ended.")) {
  begin(registry, kLinkQuestions, kLinkQuestionsHelp, "outcome",
        {"answered", "busy", "forged", "not_ready", "too_big", "unreadable"});
}

void ClusterLinkProbe::asked_from_afar(std::string_view outcome) {
  registry_.counter(kLinkQuestions, kLinkQuestionsHelp, {{"outcome", std::string(outcome)}}).add();
}

void ClusterLinkProbe::joined() {
  connected_.set(1);
  joins_.add();
}

void ClusterLinkProbe::lost() {
  connected_.set(0);
  losses_.add();
}

namespace {
constexpr std::string_view kGatewayRefused = "viaduct_gateway_refused_total";
constexpr std::string_view kGatewayRefusedHelp = "Agents that were not let in, by reason.";
constexpr std::string_view kGatewayJoins = "viaduct_gateway_joins_total";
constexpr std::string_view kGatewayJoinsHelp = "Agents that have joined, by whether their session was still there.";
constexpr std::string_view kGatewayQuestions = "viaduct_gateway_questions_total";
constexpr std::string_view kGatewayQuestionsHelp =
    "Operators' questions about ports of hosts, and hosts' answers that fit none, by outcome.";
}  // namespace

GatewayProbe::GatewayProbe(Registry& registry, const Names& refusals)
    : registry_(registry),
      sessions_(registry.gauge("viaduct_gateway_sessions", "Agents that this node serves.")),
      claims_refused_(registry.counter("viaduct_state_claims_refused_total",
                                       "Blocks of NAT ports and pools to check that hosts claimed without need.")) {
  begin(registry, kGatewayRefused, kGatewayRefusedHelp, "reason", refusals);
  begin(registry, kGatewayJoins, kGatewayJoinsHelp, "session", {"new", "continued"});
  begin(registry, kGatewayQuestions, kGatewayQuestionsHelp, "outcome",
        {"answered", "asker_busy", "away", "elsewhere", "ended", "forged", "host_busy", "late", "number_used", "old",
         "timeout", "unasked", "unknown", "unreadable"});
}

void GatewayProbe::question(std::string_view outcome) {
  registry_.counter(kGatewayQuestions, kGatewayQuestionsHelp, {{"outcome", std::string(outcome)}}).add();
}

void GatewayProbe::refused(std::string_view reason) {
  registry_.counter(kGatewayRefused, kGatewayRefusedHelp, {{"reason", std::string(reason)}}).add();
}

void GatewayProbe::joined(bool fresh) {
  registry_.counter(kGatewayJoins, kGatewayJoinsHelp, {{"session", fresh ? "new" : "continued"}}).add();
}

void GatewayProbe::claims_refused(uint64_t claims) { claims_refused_.add(claims); }

void GatewayProbe::sessions(size_t now) { sessions_.set(static_cast<double>(now)); }

namespace {
constexpr std::string_view kFlowsEvicted = "viaduct_flows_evicted_total";
constexpr std::string_view kFlowsEvictedHelp = "Flows removed to keep a limit, by limit.";
constexpr std::string_view kFlowDropped = "viaduct_flow_dropped_packets_total";
constexpr std::string_view kFlowDroppedHelp =
    "Packets dropped in the datapath by a flow, by the reason of the decision that made it.";
}  // namespace

FlowControllerProbe::FlowControllerProbe(Registry& registry, const Names& drops)
    : registry_(registry),
      flows_(registry.gauge("viaduct_flows", "Flows in the datapath.")),
      limit_(registry.gauge("viaduct_flows_limit", "So many flows there may be: datapath.max_flows.")),
      expired_(registry.counter("viaduct_flows_expired_total", "Flows removed because they were idle.")),
      invalidated_(registry.counter("viaduct_flows_invalidated_total",
                                    "Flows removed because something they depended on changed.")),
      adopted_(registry.counter("viaduct_flows_adopted_total", "Flows found in the datapath at the start and kept.")),
      renewed_(
          registry.counter("viaduct_flows_renewed_total",
                           "Flows removed because their connection began to end, so that the next packet is seen.")),
      drop_entries_(registry.gauge("viaduct_drop_history_entries",
                                   "Ways to be dropped that this host remembers for `viaduct why`.")),
      drop_evictions_(registry.counter("viaduct_drop_history_evictions_total",
                                       "Entries of the history of drops that made room for newer ones.")) {
  begin(registry, kFlowsEvicted, kFlowsEvictedHelp, "reason", {"table_full"});
  begin(registry, kFlowDropped, kFlowDroppedHelp, "reason", drops);
}

void FlowControllerProbe::drop_history(uint64_t entries, uint64_t evicted) {
  drop_entries_.set(static_cast<double>(entries));
  if (evicted > 0) drop_evictions_.add(evicted);
}

void FlowControllerProbe::flows(uint64_t installed) { flows_.set(static_cast<double>(installed)); }

void FlowControllerProbe::evicted(std::string_view reason, uint64_t flows) {
  registry_.counter(kFlowsEvicted, kFlowsEvictedHelp, {{"reason", std::string(reason)}}).add(flows);
}

void FlowControllerProbe::dropped(std::string_view reason, uint64_t packets) {
  registry_.counter(kFlowDropped, kFlowDroppedHelp, {{"reason", std::string(reason)}}).add(packets);
}

namespace {
constexpr std::string_view kExpired = "viaduct_connections_expired_total";
constexpr std::string_view kExpiredHelp =
    "Connections that ended by themselves, by the state in which they were idle for too long.";
constexpr std::string_view kEvicted = "viaduct_connections_evicted_total";
constexpr std::string_view kEvictedHelp = "Connections that ended to make room, by what was short of it.";
constexpr std::string_view kFlushed = "viaduct_connections_flushed_total";
constexpr std::string_view kFlushedHelp = "Connections that an operator has ended.";
}  // namespace

ConnectionProbe::ConnectionProbe(Registry& registry, const Names& expiries, const Names& shortages)
    : registry_(registry) {
  begin(registry, kExpired, kExpiredHelp, "reason", expiries);
  begin(registry, kEvicted, kEvictedHelp, "reason", shortages);
  registry.counter(kFlushed, kFlushedHelp);
}

void ConnectionProbe::limits(size_t all, size_t of_a_port, size_t of_a_tenant) {
  registry_.gauge("viaduct_connection_entries_limit", "So many entries of connections there may be: connections.max.")
      .set(static_cast<double>(all));
  registry_
      .gauge("viaduct_connection_entries_port_limit",
             "Of those, so many may be of what enters by one port: connections.per_port.")
      .set(static_cast<double>(of_a_port));
  registry_
      .gauge("viaduct_connection_entries_tenant_limit",
             "Of those, so many may be of one tenant: connections.per_tenant.")
      .set(static_cast<double>(of_a_tenant));
}

void ConnectionProbe::expired(std::string_view reason, uint64_t connections) {
  registry_.counter(kExpired, kExpiredHelp, {{"reason", std::string(reason)}}).add(connections);
}

void ConnectionProbe::evicted(std::string_view reason, uint64_t connections) {
  registry_.counter(kEvicted, kEvictedHelp, {{"reason", std::string(reason)}}).add(connections);
}

void ConnectionProbe::flushed(uint64_t connections) { registry_.counter(kFlushed, kFlushedHelp).add(connections); }

void ConnectionProbe::entries(std::string_view kind, uint64_t now) {
  registry_
      .gauge("viaduct_connection_entries", "Entries of the connections' table, by kind.", {{"kind", std::string(kind)}})
      .set(static_cast<double>(now));
}

void ConnectionProbe::connections(std::string_view protocol, std::string_view state, uint64_t now) {
  registry_
      .gauge("viaduct_connections", "Connections that this host knows, at each device that does.",
             {{"protocol", std::string(protocol)}, {"state", std::string(state)}})
      .set(static_cast<double>(now));
}

void DatapathProbe::error(std::string_view name, uint64_t count) {
  registry_
      .counter("viaduct_datapath_errors_total", "Operations that the datapath refused, by error.",
               {{"error", std::string(name)}})
      .add(count);
}

void AdminProbe::request(std::string_view kind, std::string_view outcome) {
  registry_
      .counter("viaduct_admin_requests_total", "Operators' requests, by kind and outcome.",
               {{"kind", std::string(kind)}, {"outcome", std::string(outcome)}})
      .add();
}

void AdminProbe::malformed(std::string_view reason) {
  registry_
      .counter("viaduct_admin_malformed_total", "Messages on the admin socket that could not be read, by reason.",
               {{"reason", std::string(reason)}})
      .add();
}

namespace {
constexpr std::string_view kRestRequests = "viaduct_rest_requests_total";
constexpr std::string_view kRestRequestsHelp = "Requests of the REST API, by method and status.";
constexpr std::string_view kRestRefused = "viaduct_rest_refused_total";
constexpr std::string_view kRestRefusedHelp =
    "Requests and connections that the REST API has not taken, by reason: too_big, too_slow, busy, bad_request, "
    "rate_user, rate_address, watchers.";
constexpr std::string_view kLoginFailures = "viaduct_rest_login_failures_total";
constexpr std::string_view kLoginFailuresHelp =
    "Logins of the REST API that were refused, by reason: unknown_user, wrong_password, slowed_down, busy, no_role, "
    "unavailable.";
constexpr std::string_view kKeystoneFailures = "viaduct_rest_keystone_failures_total";
constexpr std::string_view kKeystoneFailuresHelp =
    "Times that Keystone was to say who somebody is, and did not, by reason: unreachable, error, service_user, busy, "
    "pause.";
constexpr std::string_view kEventResets = "viaduct_rest_event_resets_total";
constexpr std::string_view kEventResetsHelp =
    "Times that a watcher of events had to read anew, by reason: slow, unknown, burst.";
}  // namespace

RestProbe::RestProbe(Registry& registry)
    : registry_(registry),
      seconds_(registry.histogram("viaduct_rest_seconds", "From a whole request of the REST API to its answer.")),
      watching_(registry.gauge("viaduct_rest_watchers", "Clients that watch the events of the REST API.")) {}

void RestProbe::serving() {
  for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
    for (const char* status : {"200", "500", "503"}) {
      registry_.counter(kRestRequests, kRestRequestsHelp, {{"method", method}, {"status", status}});
    }
  }
  begin(registry_, kRestRefused, kRestRefusedHelp, "reason",
        {"too_big", "too_slow", "busy", "bad_request", "rate_user", "rate_address", "watchers"});
  begin(registry_, kLoginFailures, kLoginFailuresHelp, "reason",
        {"unknown_user", "wrong_password", "slowed_down", "busy", "no_role", "unavailable"});
  begin(registry_, kKeystoneFailures, kKeystoneFailuresHelp, "reason",
        {"unreachable", "error", "service_user", "busy", "pause"});
  begin(registry_, kEventResets, kEventResetsHelp, "reason", {"slow", "unknown", "burst"});
}

void RestProbe::answered(std::string_view method, int status, std::chrono::nanoseconds taken) {
  registry_
      .counter(kRestRequests, kRestRequestsHelp, {{"method", std::string(method)}, {"status", std::to_string(status)}})
      .add();
  seconds_.observe(taken);
}

void RestProbe::refused(std::string_view reason) {
  registry_.counter(kRestRefused, kRestRefusedHelp, {{"reason", std::string(reason)}}).add();
}

void RestProbe::login_failed(std::string_view reason) {
  registry_.counter(kLoginFailures, kLoginFailuresHelp, {{"reason", std::string(reason)}}).add();
}

void RestProbe::keystone_failed(std::string_view reason) {
  registry_.counter(kKeystoneFailures, kKeystoneFailuresHelp, {{"reason", std::string(reason)}}).add();
}

void RestProbe::watching(size_t now) { watching_.set(static_cast<double>(now)); }

void RestProbe::events_reset(std::string_view reason) {
  registry_.counter(kEventResets, kEventResetsHelp, {{"reason", std::string(reason)}}).add();
}

// `show` appends the samples of one tunnel.
template <class Show>
ExportedCallback TunnelProbe::exported(std::string_view name, std::string_view help, Show show) {
  return registry_.export_callback(name, help, MetricKind::gauge, [this, show] {
    std::lock_guard lock(mutex_);
    std::vector<Sample> samples;
    for (const TunnelNumbers& tunnel : tunnels_) show(tunnel, samples);
    return samples;
  });
}

TunnelProbe::TunnelProbe(Registry& registry)
    : registry_(registry),
      problems_(registry.gauge("viaduct_tunnel_problems", "What keeps a tunnel zone or a peer from being used.")),
      late_(registry.counter(
          "viaduct_tunnel_late_total",
          "Times that this host was too late itself to say that others are silent: it lacks CPU time.")),
      held_(registry.gauge("viaduct_tunnel_held_peers",
                           "Hosts that answer again and were silent so often that they stay doubtful for a while.")),
      up_(exported("viaduct_tunnel_up", "1 when the peer answers through its tunnel, else 0.",
                   [](const TunnelNumbers& tunnel, std::vector<Sample>& out) {
                     out.push_back({{{"peer", tunnel.peer}, {"kind", tunnel.kind}}, tunnel.up ? 1.0 : 0.0});
                   })),
      round_trip_(exported("viaduct_tunnel_rtt_seconds", "Round trip of probes through the tunnel, smoothed.",
                           [](const TunnelNumbers& tunnel, std::vector<Sample>& out) {
                             if (!tunnel.round_trip) return;
                             const std::chrono::duration<double> seconds = *tunnel.round_trip;
                             out.push_back({{{"peer", tunnel.peer}}, seconds.count()});
                           })),
      loss_(exported("viaduct_tunnel_probe_loss_ratio", "Part of the last probes that was lost, by direction.",
                     [](const TunnelNumbers& tunnel, std::vector<Sample>& out) {
                       const auto put = [&](const char* direction, const std::optional<double>& loss) {
                         if (loss) out.push_back({{{"peer", tunnel.peer}, {"direction", direction}}, *loss});
                       };
                       put("from_peer", tunnel.loss_to_us);
                       put("to_peer", tunnel.loss_to_peer);
                     })),
      mtu_(exported("viaduct_tunnel_mtu_bytes", "What fits behind the inner Ethernet header.",
                    [](const TunnelNumbers& tunnel, std::vector<Sample>& out) {
                      out.push_back({{{"peer", tunnel.peer}}, static_cast<double>(tunnel.mtu_bytes)});
                    })) {}

void TunnelProbe::observed(std::vector<TunnelNumbers> all) {
  std::lock_guard lock(mutex_);
  tunnels_ = std::move(all);
}

void TunnelProbe::state_changed(std::string_view peer, std::string_view to) {
  registry_
      .counter("viaduct_tunnel_state_changes_total", "Changes of a peer's liveness, by the new state.",
               {{"peer", std::string(peer)}, {"to", std::string(to)}})
      .add();
}

void TunnelProbe::probe_refused(std::string_view reason) {
  registry_
      .counter("viaduct_tunnel_probes_refused_total", "Liveness probes that were not believed, by reason.",
               {{"reason", std::string(reason)}})
      .add();
}

void TunnelProbe::late(uint64_t times) { late_.add(times); }

void TunnelProbe::held(size_t peers) { held_.set(static_cast<double>(peers)); }

void TunnelProbe::problems(uint64_t now) { problems_.set(static_cast<double>(now)); }

}  // namespace viaduct::observability
