// Packet workers on their threads while everything under them changes: for the thread sanitizer, and for the law that
// whatever is left in the kernel at the end is what today's simulation would make.
#include <atomic>
#include <thread>

#include "actors/agent/flow_prover.hpp"
#include "agent_bench.hpp"
#include "tests/unit/eventually.hpp"

namespace viaduct::actors {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The flow controller's actor: the only thread that touches the keeper.
class KeeperThread {
 public:
  explicit KeeperThread(AgentBench& bench) : bench_(bench) {
    bench.state.flow_news.on_ring([this] { rung_.store(true); });
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  // As a request: returns when the flows are gone.
  void invalidate(flows::simulation::Invalidation what) {
    done_.store(false);
    request_ = std::move(what);
    asked_.store(true, std::memory_order_release);
    ASSERT_TRUE(eventually([&] { return done_.load(std::memory_order_acquire); }));
  }
  void stop() { thread_ = {}; }

 private:
  void run(const std::stop_token& stop) {
    for (uint64_t round = 0; !stop.stop_requested(); ++round) {
      if (rung_.exchange(false)) bench_.keeper->take_news();
      if (asked_.exchange(false, std::memory_order_acquire)) {
        bench_.keeper->invalidate(request_);
        done_.store(true, std::memory_order_release);
      }
      if (round % 1000 == 999) bench_.keeper->statistics();
      if (round % 1000 == 500) bench_.keeper->prove_some();
      std::this_thread::yield();
    }
  }
  AgentBench& bench_;
  flows::simulation::Invalidation request_;
  std::atomic<bool> rung_{true}, asked_{false}, done_{false};
  std::jthread thread_;
};

// The mirror's actor.
void publish(AgentBench& bench, KeeperThread& keeper, const ScenarioNetwork& next) {
  auto before = bench.state.network.load();
  auto delta = topology::Delta::between(bench.net.snapshot(), next.snapshot());
  bench.net = next;
  auto after =
      std::make_shared<const flows::simulation::Network>(before->updated(next.snapshot(), delta, next.locations(), {}));
  auto what = flows::simulation::invalidated_by(*before, *after, delta, {});
  bench.state.network.publish(after);
  bench.state.epochs.bump(what.tags);
  bench.state.epochs.bump(what.epochs);
  keeper.invalidate(std::move(what));
}

// The bridges' and routers' actors: entries end and come, packets that wait are given up.
void disturb(AgentBench& bench, const std::stop_token& stop) {
  const ScenarioNetwork net = two_subnets();
  const BridgeId green(net.id("green"));
  const RouterId router(net.id("r1"));
  for (uint64_t i = 0; !stop.stop_requested(); ++i) {
    int vm = static_cast<int>(i % 4) + 1;
    flows::MacKey mac{green, 0, mac_of(vm <= 2 ? vm : 1)};
    if (auto entry = bench.state.macs.find(mac); entry && bench.state.macs.erase(mac)) {
      bench.state.changed(flows::simulation::invalidated_by_expiry(mac, entry->port));
    }
    flows::NeighbourKey binding{net.id(vm <= 2 ? "green" : "blue"), PortId{}, ip_of(vm)};
    if (bench.state.neighbours.erase(binding)) bench.state.changed(flows::simulation::invalidated_by_expiry(binding));
    bench.pool->neighbour_failed({router, net.port(vm <= 2 ? "r1-green" : "r1-blue"), ip_of(vm)});
    bench.state.device_news.take();
    for (int pause = 0; pause < 200; ++pause) std::this_thread::yield();
  }
}

TEST(Concurrency, WhatIsInTheKernelAtTheEndIsRight) {
  AgentBench bench(two_subnets(), 2);
  KeeperThread keeper(bench);
  bench.pool->start();
  {
    std::jthread disturber([&](const std::stop_token& stop) { disturb(bench, stop); });
    std::jthread guests([&](const std::stop_token& stop) {
      for (uint16_t i = 0; !stop.stop_requested(); ++i) {
        int from = i % 4 + 1, to = (i / 4) % 4 + 1;
        bench.inject(port_of(from), from == to ? announcement(from) : udp(from, to));
        std::this_thread::yield();
      }
    });
    ScenarioNetwork plain = two_subnets(), down = plain, routed = plain;
    down.set("p2", ScenarioNetwork::Admin::down);
    routed.route("detour", "r1", "10.0.2.4/32", "r1-green", "10.0.1.2");
    for (int i = 0; i < 30; ++i) {
      double before = bench.metric("viaduct_verdicts_total");
      for (const auto* next : {&down, &plain, &routed, &plain}) publish(bench, keeper, *next);
      ASSERT_TRUE(eventually([&] { return bench.metric("viaduct_verdicts_total") > before + 20; })) << "packets go on";
    }
  }
  // Nobody changes anything any more: what is left settles.
  auto idle = [&] {
    double before = bench.metric("viaduct_verdicts_total");
    for (int i = 0; i < 2'000; ++i) std::this_thread::yield();
    return bench.metric("viaduct_verdicts_total") == before;
  };
  ASSERT_TRUE(eventually(idle));
  bench.pool->stop();
  keeper.stop();
  bench.work();
  bench.keeper->take_news();

  auto network = bench.state.network.load();
  for (const auto& flow : bench.dump()) {
    Proof proof = prove(flow, bench.state, *network, std::chrono::steady_clock::now());
    EXPECT_EQ(proof.result, Proof::Result::same) << flow.to_string();
  }
  EXPECT_GT(bench.metric("viaduct_flow_installs_total", "installed"), 100);
  EXPECT_GT(bench.metric("viaduct_flows_invalidated_total"), 30);
}

TEST(Concurrency, AFactThatNeverHoldsStillCostsTheFlowAndNotThePacket) {
  AgentBench bench;
  bench.announce({1, 2});
  bench.pool->start();
  std::jthread changer([&](const std::stop_token& stop) {
    const std::array tag{flows::tag::device(BridgeId(bench.net.id("green")))};
    while (!stop.stop_requested()) bench.state.epochs.bump(tag);
  });
  ASSERT_TRUE(eventually([&] {
    bench.inject("p1", udp(1, 2));
    if (!bench.kernel->wait_output("if-p2", seconds(5))) return true;  // lost: fails below
    if (auto flows = bench.dump(); !flows.empty()) bench.datapath->flush_flows();
    return bench.metric("viaduct_worker_anomalies_total", "stale_verdict") > 0;
  }));
  EXPECT_GT(bench.metric("viaduct_worker_anomalies_total", "stale_verdict"), 0) << "or a packet was lost";
}

TEST(Concurrency, ANetworkIsNeverSeenHalf) {
  AgentState state;
  std::atomic<bool> done{false};
  std::jthread reader([&] {
    NetworkSlot::Reader view(state.network);
    uint64_t last = 0;
    while (!done) {
      uint64_t revision = view.get().revision();
      EXPECT_GE(revision, last);
      last = revision;
    }
  });
  auto net = two_subnets();
  for (int i = 0; i < 300; ++i) {
    net.set("p1", i % 2 == 0 ? ScenarioNetwork::Admin::down : ScenarioNetwork::Admin::up);
    state.network.publish(std::make_shared<const flows::simulation::Network>(net.compile()));
  }
  done = true;
}

}  // namespace
}  // namespace viaduct::actors
