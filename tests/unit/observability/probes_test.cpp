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
      values[name] = family.kind == MetricKind::histogram ? static_cast<double>(sample.histogram.count) : sample.value;
    }
  }
  return values;
}

TEST(Probes, AWorkersVerbsAreCounted) {
  Registry registry;
  const WorkerLabels labels{
      {"miss", "action"}, label_values<Outcome>(2), {"none", "no_route", "hairpin"}, {"installed", "stale"}};
  WorkerProbe one(registry, labels), two(registry, labels);
  one.upcall_received(0, 3);
  two.upcall_received(1);
  one.verdict(Outcome::drop);
  two.verdict(Outcome::drop);
  one.dropped(2, 5);
  one.flow_installed(1);
  one.upcall_to_flow(20us);
  two.simulated(2us);
  one.parked();
  two.emitted(4);
  auto values = scrape(registry);
  EXPECT_EQ(values["viaduct_upcalls_total{reason=miss}"], 3);
  EXPECT_EQ(values["viaduct_upcalls_total{reason=action}"], 1);
  EXPECT_EQ(values["viaduct_verdicts_total{outcome=drop}"], 2);
  EXPECT_EQ(values["viaduct_verdicts_total{outcome=forward}"], 0);
  EXPECT_EQ(values["viaduct_dropped_packets_total{reason=hairpin}"], 5);
  EXPECT_EQ(values["viaduct_flow_installs_total{result=stale}"], 1);
  EXPECT_EQ(values["viaduct_upcall_to_flow_seconds"], 1);
  EXPECT_EQ(values["viaduct_simulation_seconds"], 1);
  EXPECT_EQ(values["viaduct_parked_packets_total"], 1);
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
  MirrorProbe mirror(registry);
  mirror.applied(8, 5ms);
  mirror.resynchronised();
  FlowControllerProbe flows(registry);
  flows.flows(100);
  flows.expired(2);
  flows.invalidated(3);
  flows.evicted("port_limit", 4);
  flows.adopted(5);
  DatapathProbe datapath(registry);
  datapath.error("EEXIST");
  datapath.upcalls_lost("vm1", 7);
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
  EXPECT_EQ(values["viaduct_mirror_applied_revision"], 8);
  EXPECT_EQ(values["viaduct_commit_to_applied_seconds"], 1);
  EXPECT_EQ(values["viaduct_mirror_resyncs_total"], 1);
  EXPECT_EQ(values["viaduct_flows"], 100);
  EXPECT_EQ(values["viaduct_flows_expired_total"], 2);
  EXPECT_EQ(values["viaduct_flows_invalidated_total"], 3);
  EXPECT_EQ(values["viaduct_flows_evicted_total{reason=port_limit}"], 4);
  EXPECT_EQ(values["viaduct_flows_adopted_total"], 5);
  EXPECT_EQ(values["viaduct_datapath_errors_total{error=EEXIST}"], 1);
  EXPECT_EQ(values["viaduct_upcalls_lost_total{port=vm1}"], 7);
  EXPECT_EQ(values["viaduct_admin_requests_total{kind=create}{outcome=ok}"], 1);
  EXPECT_EQ(values["viaduct_admin_malformed_total{reason=truncated}"], 1);
}

TEST(Probes, AnEndedActorShowsNoMailbox) {
  Registry registry;
  {
    SupervisorProbe supervisor(registry);
    supervisor.mailbox_depth("bridge/1", 3);
    supervisor.mailbox_depth("bridge/2", 4);
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
