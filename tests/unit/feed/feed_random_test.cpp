// The change feed from the database to agents, without actors: networks and state tables change at random, agents fall
// behind, go away and come back, nodes of the cluster start anew. Whatever an agent applies makes exactly what it needs,
// and nothing that it does not need is ever sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/agent/feed_apply.hpp"
#include "actors/cluster/feed_backlog.hpp"
#include "actors/cluster/nsdb_view.hpp"
#include "tests/unit/topology/random_changes.hpp"
#include "topology/codec.hpp"
#include "topology/store/memory_store.hpp"

namespace viaduct::actors {
namespace {

namespace store = topology::store;
using namespace topology::testing;  // NOLINT: the literals
using topology::FeedBatch;
using topology::Kind;
using topology::Snapshot;
using topology::StateEntry;
using States = std::map<std::string, StateEntry>;
using Keys = std::set<std::string>;

// What the database holds, and every change of it.
struct Database {
  std::unique_ptr<store::Store> store = store::make_memory_store();
  Snapshot snapshot;
  States states;
  std::vector<store::WatchBatch> log;
  Changes changes;

  explicit Database(unsigned seed) : changes(seed) {}

  // One transaction: of the topology, of some entries, or of both.
  void step() {
    store::Transaction transaction;
    const uint64_t what = changes.below(4);
    if (what != 0) change_topology(transaction);
    for (uint64_t count = what == 0 || what == 3 ? 1 + changes.below(4) : 0; count > 0; --count) {
      change_state(transaction);
    }
    if (transaction.puts.empty() && transaction.deletes.empty()) return;
    auto revision = store->commit(transaction);
    ASSERT_TRUE(revision) << revision.error().text;
    snapshot = snapshot.at_revision(*revision);
    store::WatchBatch batch{*revision, {}};
    for (const auto& put : transaction.puts) {
      batch.events.push_back({store::WatchEvent::Kind::put, {put.key, put.value, *revision}});
    }
    for (const auto& key : transaction.deletes) {
      batch.events.push_back({store::WatchEvent::Kind::deleted, {key, "", *revision}});
    }
    log.push_back(std::move(batch));
  }

  States states_for(HostId host) const {
    const auto devices = joined_by_walking(snapshot, host);
    States out;
    for (const auto& [key, entry] : states) {
      if (devices.contains(entry.device)) out.emplace(key, entry);
    }
    return out;
  }

 private:
  void change_topology(store::Transaction& out) {
    auto result = changes.next(snapshot);
    for (const auto& [ref, change] : result.delta.changes) {
      if (change.after == nullptr) {
        out.deletes.push_back(topology::key_of(ref));
        if (ref.kind == Kind::port) end_port(PortId(ref.id), out);
      } else {
        topology::Object object = *change.after;
        std::visit([](auto& value) { value.revision = 0; }, object);
        out.puts.push_back({topology::key_of(ref), store::to_value(topology::encode_object(object).bytes)});
      }
    }
    if (!result.delta.empty()) snapshot = result.next;
  }

  // Its host says so at once.
  void end_port(PortId port, store::Transaction& out) {
    const std::string key = topology::state_key({{}, {}, 0, topology::PortActive{port, 0}});
    if (states.erase(key) > 0) out.deletes.push_back(key);
  }

  void change_state(store::Transaction& out) {
    StateEntry entry = some_entry();
    const std::string key = topology::state_key(entry);
    auto is_key = [&](const auto& put) { return put.key == key; };
    if (std::any_of(out.puts.begin(), out.puts.end(), is_key)) return;
    if (std::find(out.deletes.begin(), out.deletes.end(), key) != out.deletes.end()) return;
    if (states.contains(key) && changes.below(3) == 0) {
      states.erase(key);
      out.deletes.push_back(key);
      return;
    }
    entry.revision = store->revision() + 1;
    states[key] = entry;
    out.puts.push_back({key, store::to_value(topology::encode_state(entry).bytes)});
  }
  // A port's entry is of the port's device, which may be another than before if the port is; some devices do not exist.
  StateEntry some_entry() {
    StateEntry entry{id<HostId>(1 + changes.below(kHosts)), Uuid::from_words(0, 101 + changes.below(kDevices)), 0, {}};
    const BridgeId bridge(entry.device);
    const auto port = id<PortId>(201 + changes.below(kPorts));
    const auto mac = MacAddress::from_uint64(0x020000000000 + changes.below(5));
    const topology::Port* object = snapshot.find(port);
    switch (changes.below(object != nullptr ? 5 : 4)) {
      case 4:
        entry.device = object->device();
        entry.fact = topology::PortActive{port, static_cast<uint32_t>(changes.below(100))};
        break;
      case 0:
        entry.fact = topology::FloodKey{bridge, static_cast<uint32_t>(changes.below(100))};
        break;
      case 1:
        entry.fact = topology::MacClaim{bridge, 0, mac, port};
        break;
      case 2:
        entry.fact = topology::NeighbourClaim{entry.device, {}, *IpAddress::parse("10.0.0.1"), mac, 7};
        break;
      default:
        entry.device = {};
        entry.fact = topology::HostSession{"host", "instance", "node", 1, changes.below(100)};
    }
    return entry;
  }
};

States everything_in(const topology::StateIndex& index) {
  States out;
  index.for_each([&](const std::string& key, const topology::StatePtr& entry) { out.emplace(key, *entry); });
  return out;
}

struct Agent {
  HostId host;
  Snapshot have;
  topology::StateIndex states;
  Keys cache;  // what its cache on disk would hold
  FeedBacklog backlog;
  bool away = true;

  void apply(const FeedBatch& sent) {
    auto batch = topology::decode_feed(topology::encode_feed(sent));
    ASSERT_TRUE(batch) << batch.error();
    FeedEffect effect;
    ASSERT_EQ(apply_feed(*batch, have, host, states, effect), "");
    have = effect.snapshot;
    if (batch->complete) cache.clear();
    for (const auto& item : batch->items) item->value ? void(cache.insert(item->key)) : void(cache.erase(item->key));
    for (const auto& key : effect.gone) cache.erase(key);
  }
  void drain() {
    while (auto batch = backlog.take()) apply(*batch);
  }
  Keys keys() const {
    Keys out;
    for (const auto& [ref, object] : topology::testing::everything_in(have)) out.insert(topology::key_of(ref));
    for (const auto& [key, entry] : everything_in(states)) out.insert(key);
    return out;
  }
};

class FeedAtRandom : public ::testing::TestWithParam<unsigned> {
 protected:
  FeedAtRandom() {
    for (HostId host : all_hosts()) agents[host].host = host;
  }

  Keys needed_by(HostId host) const {
    Keys out;
    for (const auto& [ref, object] : closure_by_walking(database.snapshot, host)) out.insert(topology::key_of(ref));
    for (const auto& [key, entry] : database.states_for(host)) out.insert(key);
    return out;
  }
  void expect_exact(const Agent& agent) {
    const Closure is = topology::testing::everything_in(agent.have),
                  should = closure_by_walking(database.snapshot, agent.host);
    EXPECT_EQ(is, should) << "is:\n" << text_of(is) << "should be:\n" << text_of(should);
    EXPECT_TRUE(everything_in(agent.states) == database.states_for(agent.host));
    EXPECT_EQ(agent.cache, agent.keys());
  }
  void expect_within(const FeedBatch& batch, HostId host) {
    const Keys needed = needed_by(host);
    for (const auto& item : batch.items) {
      EXPECT_TRUE(!item->value || needed.contains(item->key)) << item->key << " is none of its business";
    }
  }

  void take(const NsdbView::Step& step) {
    std::set<HostId> told;
    std::map<std::string, const topology::FeedItem*> items;
    for (const FeedPart& part : step.parts) {
      EXPECT_FALSE(part.hosts.empty());
      for (const auto& item : part.batch->items) {
        const auto* known = items.try_emplace(item->key, item.get()).first->second;
        if (item->value && known->value) {
          EXPECT_EQ(item.get(), known) << "made once";
        }
      }
      for (HostId host : part.hosts) {
        EXPECT_TRUE(told.insert(host).second) << "in one part";
        expect_within(*part.batch, host);
        Agent& agent = agents[host];
        if (!agent.away && !agent.backlog.add(part.batch)) agent.away = true;
        for (const auto& item : part.batch->items) deletions += !item->value;
      }
      shared += part.hosts.size() > 1;
    }
  }

  void come_back(Agent& agent) {
    agent.backlog.clear();
    auto first = view->since(agent.host, agent.have.revision(), topology::owners_in(agent.have));
    if (agent.have.revision() == 0 || !first) {
      first = view->whole(agent.host);
      ++wholes;
    } else {
      ++resumed;
    }
    EXPECT_EQ(first->revision, view->revision());
    expect_within(*first, agent.host);
    agent.apply(*first);
    agent.away = false;
    expect_exact(agent);
  }

  // Another node, which reads the database and what its log still has.
  void start_anew(uint64_t log_length) {
    view = std::make_unique<NsdbView>(history);
    ASSERT_EQ(view->load(*database.store), std::nullopt);
    const uint64_t from = view->revision() > log_length ? view->revision() - log_length : 0;
    view->expect_history_from(from);
    for (const auto& batch : database.log) {
      if (batch.revision > from) {
        EXPECT_EQ(view->follow(batch, {}).delta, nullptr);
      }
    }
    EXPECT_FALSE(view->awaits_history());
    EXPECT_GE(view->forgotten(), from);
    for (auto& [host, agent] : agents) agent.away = true;
  }

  void some_agents_move() {
    for (auto& [host, agent] : agents) {
      const uint64_t what = database.changes.below(20);
      if (what == 0) agent.away = true;
      if (agent.away && what < 4) come_back(agent);
      if (agent.away || what >= 12) continue;
      agent.drain();
      expect_exact(agent);
    }
  }

  static constexpr size_t history = 60;
  Database database{GetParam()};
  std::unique_ptr<NsdbView> view = std::make_unique<NsdbView>(history);
  std::map<HostId, Agent> agents;
  size_t shared = 0, deletions = 0, resumed = 0, wholes = 0;
};

TEST_P(FeedAtRandom, EachAgentHasExactlyWhatItNeeds) {
  for (int step = 0; step < 400; ++step) {
    database.step();
    if (!database.log.empty() && database.log.back().revision > view->revision()) {
      take(view->follow(database.log.back(), {}));
    }
    some_agents_move();
    if (step % 100 == 60) start_anew(step % 200 == 60 ? 40 : 5);
    if (step % 30 == 0) view->rest();
    ASSERT_FALSE(HasFailure()) << "step " << step;
  }
  for (auto& [host, agent] : agents) {
    agent.away ? come_back(agent) : agent.drain();
    expect_exact(agent);
  }
  EXPECT_GT(shared, 20u);
  EXPECT_GT(deletions, 50u);
  EXPECT_GT(resumed, 30u);
  EXPECT_GT(wholes, 4u);
}

// A sanitizer makes each take ten times as long.
#ifdef __SANITIZE_ADDRESS__
constexpr unsigned kSeeds = 8;
#else
constexpr unsigned kSeeds = 20;
#endif
INSTANTIATE_TEST_SUITE_P(Seeds, FeedAtRandom, ::testing::Range(1u, kSeeds + 1));

}  // namespace
}  // namespace viaduct::actors
