#include "observability/probes.hpp"

#include <gtest/gtest.h>

#include <map>

#include "observability/status.hpp"

namespace viaduct::observability {
namespace {

using namespace std::chrono_literals;

enum class Outcome { forward, drop };
std::string_view to_string(Outcome outcome) { return outcome == Outcome::forward ? "forward" : "drop"; }

// "name{label=value,...}" -> value; histograms as their count.
std::map<std::string, double> scrape(const Registry& registry) {
  std::map<std::string, double> values;
  for (const auto& family : registry.collect()) {
    EXPECT_FALSE(family.help.empty()) << family.name;
    for (const auto& sample : family.samples) {
      std::string name = family.name;
      for (const auto& [label, value] : sample.labels) name += "{" + label + "=" + value + "}";
      values[name] = family.kind == MetricKind::histogram ? static_cast<double>(sample.histogram->count) : sample.value;
    }
  }
  return values;
}

TEST(Probes, AWorkersVerbsAreCounted) {
  Registry registry;
  const WorkerLabels labels{{"miss", "action"},     label_values<Outcome>(2), {"none", "no_route", "hairpin"},
                            {"installed", "stale"}, {"neighbour", "ports"},   {"fact", "bytes"}};
  WorkerProbe one(registry, labels), two(registry, labels);
  one.upcall_received(0, 3);
  two.upcall_received(1);
  one.verdict(Outcome::drop);
  two.verdict(Outcome::drop);
  one.dropped(2, 5);
  one.flow_installed(1);
  one.upcall_to_flow(20us);
  for (unsigned i = 0; i <= WorkerProbe::kSampled; ++i) two.simulated(two.simulating());
  one.parked(0);
  one.parked(1);
  one.unparked(1, 3ms);
  two.park_refused(1);
  two.emitted(4);
  auto values = scrape(registry);
  EXPECT_EQ(values["viaduct_upcalls_total{reason=miss}"], 3);
  EXPECT_EQ(values["viaduct_upcalls_total{reason=action}"], 1);
  EXPECT_EQ(values["viaduct_verdicts_total{outcome=drop}"], 2);
  EXPECT_EQ(values["viaduct_verdicts_total{outcome=forward}"], 0);
  EXPECT_EQ(values["viaduct_dropped_packets_total{reason=hairpin}"], 5);
  EXPECT_EQ(values["viaduct_flow_installs_total{result=stale}"], 1);
  EXPECT_EQ(values["viaduct_upcall_to_flow_seconds"], 1);
  EXPECT_EQ(values["viaduct_simulation_seconds"], 2) << "the first, and the next that is sampled";
  EXPECT_EQ(values["viaduct_parked_packets_total{cause=neighbour}"], 1);
  EXPECT_EQ(values["viaduct_parked_packets_total{cause=ports}"], 1);
  EXPECT_EQ(values["viaduct_parked_seconds{cause=neighbour}"], 0);
  EXPECT_EQ(values["viaduct_parked_seconds{cause=ports}"], 1);
  EXPECT_EQ(values["viaduct_park_refused_packets_total{limit=bytes}"], 1);
  EXPECT_EQ(one.upcalls(), 3u);
  EXPECT_EQ(two.upcalls(), 1u);
  EXPECT_EQ(values["viaduct_emitted_packets_total"], 4);
}

TEST(Probes, TheControlPlanesVerbsAreCounted) {
  Registry registry;
  StoreProbe store(registry);
  store.committed(1ms, 9);
  store.refused("conflict");
  store.watch_compacted();
  EtcdProbe etcd(registry);
  etcd.called("commit", "ok");
  etcd.called("commit", "unavailable");
  etcd.server_left("db-1:2379");
  etcd.watch_broken();
  etcd.watch_resumed();
  etcd.authenticated();
  etcd.took("commit", 2ms);
  etcd.reachable(true);
  MirrorProbe mirror(registry);
  EXPECT_EQ(scrape(registry).count("viaduct_mirror_applied_revision"), 0u) << "nothing is applied yet";
  mirror.applied(8);
  mirror.enforced_after(5ms);
  mirror.resynchronised();
  FlowControllerProbe flows(registry);
  flows.flows(100);
  flows.limit(1000);
  flows.expired(2);
  flows.invalidated(3);
  flows.evicted("port_limit", 4);
  flows.adopted(5);
  DatapathProbe datapath(registry);
  datapath.error("EEXIST");
  AdminProbe admin(registry);
  admin.request("create", "ok");
  admin.malformed("truncated");
  auto values = scrape(registry);
  EXPECT_EQ(values["viaduct_store_commit_seconds"], 1);
  EXPECT_EQ(values["viaduct_store_revision"], 9);
  EXPECT_EQ(values["viaduct_store_refused_total{reason=conflict}"], 1);
  EXPECT_EQ(values["viaduct_store_watch_compacted_total"], 1);
  EXPECT_EQ(values["viaduct_etcd_calls_total{method=commit}{result=ok}"], 1);
  EXPECT_EQ(values["viaduct_etcd_calls_total{method=commit}{result=unavailable}"], 1);
  EXPECT_EQ(values["viaduct_etcd_servers_left_total{server=db-1:2379}"], 1);
  EXPECT_EQ(values["viaduct_etcd_watches_broken_total"], 1);
  EXPECT_EQ(values["viaduct_etcd_watches_resumed_total"], 1);
  EXPECT_EQ(values["viaduct_etcd_authentications_total"], 1);
  EXPECT_EQ(values["viaduct_etcd_call_seconds{method=commit}"], 1);
  EXPECT_EQ(values["viaduct_etcd_reachable"], 1);
  EXPECT_EQ(values["viaduct_mirror_applied_revision"], 8);
  EXPECT_EQ(values["viaduct_commit_to_applied_seconds"], 1);
  EXPECT_EQ(values["viaduct_mirror_resyncs_total"], 1);
  EXPECT_EQ(values["viaduct_flows"], 100);
  EXPECT_EQ(values["viaduct_flows_limit"], 1000);
  EXPECT_EQ(values["viaduct_flows_expired_total"], 2);
  EXPECT_EQ(values["viaduct_flows_invalidated_total"], 3);
  EXPECT_EQ(values["viaduct_flows_evicted_total{reason=port_limit}"], 4);
  EXPECT_EQ(values["viaduct_flows_adopted_total"], 5);
  EXPECT_EQ(values["viaduct_datapath_errors_total{error=EEXIST}"], 1);
  EXPECT_EQ(values["viaduct_admin_requests_total{kind=create}{outcome=ok}"], 1);
  EXPECT_EQ(values["viaduct_admin_malformed_total{reason=truncated}"], 1);
}

TEST(Probes, WhatIsKnownBeforehandIsThereFromTheStart) {
  Registry registry;
  const StoreProbe store(registry, {"store", "no_parent"});
  const GatewayProbe gateway(registry, {"untrusted"});
  const FlowControllerProbe flows(registry, {"no_route"});
  const ConnectionProbe connections(registry, {"opening"}, {"table_full"});
  SupervisorProbe supervisor(registry);
  supervisor.known("devices");
  RestProbe rest(registry);
  EXPECT_EQ(scrape(registry).count("viaduct_rest_refused_total{reason=busy}"), 0u) << "there is no REST API";
  rest.serving();
  const auto values = scrape(registry);
  for (const char* name :
       {"viaduct_store_refused_total{reason=store}", "viaduct_store_refused_total{reason=no_parent}",
        "viaduct_gateway_refused_total{reason=untrusted}", "viaduct_gateway_joins_total{session=new}",
        "viaduct_flow_dropped_packets_total{reason=no_route}", "viaduct_flows_evicted_total{reason=table_full}",
        "viaduct_connections_expired_total{reason=opening}", "viaduct_connections_evicted_total{reason=table_full}",
        "viaduct_connections_flushed_total", "viaduct_actor_restarts_total{actor=devices}",
        "viaduct_rest_refused_total{reason=busy}", "viaduct_rest_requests_total{method=GET}{status=500}",
        "viaduct_rest_login_failures_total{reason=busy}", "viaduct_rest_keystone_failures_total{reason=error}",
        "viaduct_rest_event_resets_total{reason=slow}"}) {
    ASSERT_EQ(values.count(name), 1u) << name;
    EXPECT_EQ(values.at(name), 0) << name;
  }
}

TEST(Probes, BlocksOfNatPortsAreShownByAddressAndState) {
  Registry registry;
  NatProbe nat(registry);
  nat.addresses({{"r1", "203.0.113.9", 3, 2, 1, 10}, {"r1", "203.0.113.10", 0, 0, 0, 16}});
  auto values = scrape(registry);
  EXPECT_EQ(values.at("viaduct_nat_blocks{device=r1}{address=203.0.113.9}{state=held}"), 3);
  EXPECT_EQ(values.at("viaduct_nat_blocks{device=r1}{address=203.0.113.9}{state=others}"), 2);
  EXPECT_EQ(values.at("viaduct_nat_blocks{device=r1}{address=203.0.113.9}{state=resting}"), 1);
  EXPECT_EQ(values.at("viaduct_nat_blocks{device=r1}{address=203.0.113.9}{state=free}"), 10);
  nat.addresses({{"r1", "203.0.113.10", 1, 0, 0, 15}});
  values = scrape(registry);
  EXPECT_EQ(values.count("viaduct_nat_blocks{device=r1}{address=203.0.113.9}{state=free}"), 0u);
  EXPECT_EQ(values.at("viaduct_nat_blocks{device=r1}{address=203.0.113.10}{state=held}"), 1);
}

TEST(Probes, ReplicationSaysHowFarOthersAreBehind) {
  Registry registry;
  ReplicationProbe replication(registry);
  ReplicationProbe::Numbers now;
  now.lag = 1500ms;
  replication.observed(now);
  replication.acknowledged(2ms);
  const auto values = scrape(registry);
  EXPECT_EQ(values.at("viaduct_replication_lag_seconds"), 1.5);
  EXPECT_EQ(values.at("viaduct_replication_acknowledgement_seconds"), 1);
}

TEST(Probes, TheAgeOfAMailboxGrowsWhileAnActorDoesNotAnswer) {
  Registry registry;
  SupervisorProbe supervisor(registry);
  const auto now = std::chrono::steady_clock::now();
  supervisor.entered("devices", ActorState::running);
  supervisor.asked("devices", now - 10s);
  supervisor.answered("devices", 3, now - 9s);
  EXPECT_EQ(scrape(registry).at("viaduct_actor_mailbox_age_seconds{actor=devices}"), 1);
  supervisor.asked("devices", now - 8s);
  supervisor.asked("devices", now - 1s);  // asked again, the first time still counts
  EXPECT_GE(scrape(registry).at("viaduct_actor_mailbox_age_seconds{actor=devices}"), 8);
  EXPECT_EQ(scrape(registry).at("viaduct_actor_state{actor=devices}{state=running}"), 1);
  supervisor.entered("devices", ActorState::backing_off);
  const auto values = scrape(registry);
  EXPECT_EQ(values.at("viaduct_actor_mailbox_age_seconds{actor=devices}"), 1) << "a dead actor has no mailbox";
  EXPECT_EQ(values.at("viaduct_actor_state{actor=devices}{state=running}"), 0);
  EXPECT_EQ(values.at("viaduct_actor_state{actor=devices}{state=backing_off}"), 1);
}

TEST(Probes, AnEndedActorShowsNoMailbox) {
  Registry registry;
  {
    SupervisorProbe supervisor(registry);
    supervisor.answered("bridge/1", 3, {});
    supervisor.answered("bridge/2", 4, {});
    supervisor.restarted("bridge/1");
    supervisor.ended("bridge/2");
    auto values = scrape(registry);
    EXPECT_EQ(values["viaduct_actor_mailbox_depth{actor=bridge/1}"], 3);
    EXPECT_EQ(values.count("viaduct_actor_mailbox_depth{actor=bridge/2}"), 0u);
    EXPECT_EQ(values["viaduct_actor_restarts_total{actor=bridge/1}"], 1);
  }
  EXPECT_EQ(scrape(registry).count("viaduct_actor_mailbox_depth{actor=bridge/1}"), 0u);
}

TEST(Probes, TunnelsAreShownWhileTheyAreThere) {
  Registry registry;
  TunnelProbe tunnels(registry);
  tunnels.observed({{"h2", "vxlan", true, 1450, 0.25, 0.5, 2ms}, {"h3", "gre", false, 1458, {}, {}, {}}});
  tunnels.state_changed("h2", "up");
  tunnels.state_changed("h2", "up");
  tunnels.state_changed("h2", "down");
  tunnels.probe_refused("duplicate");
  tunnels.problems(3);
  auto values = scrape(registry);
  EXPECT_EQ(values.at("viaduct_tunnel_up{peer=h2}{kind=vxlan}"), 1);
  EXPECT_EQ(values.at("viaduct_tunnel_up{peer=h3}{kind=gre}"), 0);
  EXPECT_EQ(values.at("viaduct_tunnel_rtt_seconds{peer=h2}"), 0.002);
  EXPECT_EQ(values.at("viaduct_tunnel_probe_loss_ratio{peer=h2}{direction=from_peer}"), 0.25);
  EXPECT_EQ(values.at("viaduct_tunnel_probe_loss_ratio{peer=h2}{direction=to_peer}"), 0.5);
  EXPECT_EQ(values.at("viaduct_tunnel_mtu_bytes{peer=h3}"), 1458);
  EXPECT_EQ(values.count("viaduct_tunnel_rtt_seconds{peer=h3}"), 0u) << "not known";
  EXPECT_EQ(values.count("viaduct_tunnel_probe_loss_ratio{peer=h3}{direction=to_peer}"), 0u);
  EXPECT_EQ(values.at("viaduct_tunnel_state_changes_total{peer=h2}{to=up}"), 2);
  EXPECT_EQ(values.at("viaduct_tunnel_probes_refused_total{reason=duplicate}"), 1);
  EXPECT_EQ(values.at("viaduct_tunnel_problems"), 3);
  tunnels.observed({{"h3", "gre", true, 1458, {}, {}, {}}});
  values = scrape(registry);
  EXPECT_EQ(values.count("viaduct_tunnel_up{peer=h2}{kind=vxlan}"), 0u);
  EXPECT_EQ(values.at("viaduct_tunnel_up{peer=h3}{kind=gre}"), 1);
  EXPECT_EQ(values.at("viaduct_tunnel_state_changes_total{peer=h2}{to=down}"), 1) << "a counter stays";
}

TEST(Status, StatesHaveNames) {
  EXPECT_EQ(to_string(ActorState::backing_off), "backing_off");
  EXPECT_EQ(ActorStatus{}.state, ActorState::starting);
}

}  // namespace
}  // namespace viaduct::observability
