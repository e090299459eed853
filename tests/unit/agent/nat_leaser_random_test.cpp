// Several hosts lease blocks of one store, whose answers and feed come late; hosts die, restart and are cut off. No block
// is ever given out by two hosts, but for one that slept through its lease and the quarantine; and that gives way.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>

#include "actors/agent/nat_leaser.hpp"
#include "actors/agent/state_outbox.hpp"
#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using flows::NatBlock;
using flows::Time;
using flows::simulation::NatBlockWanted;
using topology::NatBlockClaim;
using topology::StateWrite;
using topology::StateWritten;
using topology::testing::id;
using topology::testing::ip;
using namespace std::chrono_literals;

constexpr auto kLease = 10s;
constexpr auto kQuarantine = 60s;
constexpr uint16_t kRange = 12;  // blocks of an address: few, so that there is strife

// One thing that the store says: a block's owner, or that a host's session has ended (all of its entries went with it).
struct Event {
  std::optional<NatBlock> block;
  HostId owner;  // nil: nobody's now
  HostId ended;
  HostId begun;
};

struct Store {
  std::vector<Event> log;
  std::map<NatBlock, HostId> owners;
  struct Session {
    Time heard;
    uint64_t epoch = 0;
  };
  std::map<HostId, Session> sessions;
  // Who lost a block by dying, and when.
  struct Death {
    HostId host;
    Time at;
    size_t taken = 0;  // place in the log where it had got it
  };
  std::map<NatBlock, Death> deaths;
  std::map<HostId, Time> begun;  // its last session
  std::map<NatBlock, size_t> taken;
  uint64_t epochs = 0;

  void set(const NatBlock& block, HostId owner) {
    if (owner.is_nil()) {
      owners.erase(block);
    } else {
      owners[block] = owner;
      taken[block] = log.size();
    }
    log.push_back({block, owner, {}, {}});
  }
  void expire(Time now) {
    std::vector<HostId> over;
    for (const auto& [host, session] : sessions) {
      if (now - session.heard >= kLease) over.push_back(host);
    }
    for (HostId host : over) {
      std::vector<NatBlock> blocks;
      for (const auto& [block, owner] : owners) {
        if (owner == host) blocks.push_back(block);
      }
      for (const NatBlock& block : blocks) {
        deaths[block] = {host, now, taken[block]};
        set(block, {});
      }
      sessions.erase(host);
      log.push_back({{}, {}, host, {}});
    }
  }
  StateWritten write(HostId host, uint64_t epoch, const StateWrite& write) {
    StateWritten out;
    auto session = sessions.find(host);
    if (session == sessions.end() || session->second.epoch != epoch) {
      out.ended = true;
      return out;
    }
    std::map<std::string, NatBlock> named;
    for (const auto& put : write.puts) {
      const auto& claim = std::get<NatBlockClaim>(put.entry.fact);
      const NatBlock block{claim.device, claim.address, claim.block};
      const std::string key = topology::state_key(put.entry);
      named.emplace(key, block);
      auto known = owners.find(block);
      if (known != owners.end() && known->second != host) {
        out.lost.push_back(key);
      } else if (known == owners.end()) {
        set(block, host);
      }
    }
    std::vector<NatBlock> gone;
    for (const auto& [block, owner] : owners) {
      const std::string key =
          topology::state_key({host, {}, 0, NatBlockClaim{block.device, block.address, block.block}});
      const bool deleted = std::count(write.deletes.begin(), write.deletes.end(), key) != 0;
      if (owner == host && (deleted || (write.complete && !named.contains(key)))) gone.push_back(block);
    }
    for (const NatBlock& block : gone) set(block, {});
    return out;
  }
};

struct Host {
  HostId id;
  bool running = false, cut = false, joined = false;
  uint64_t epoch = 0;
  // As the mirror has it; kept on disk.
  size_t seen = 0;  // of the log
  std::map<NatBlock, HostId> view;
  std::set<HostId> living;
  // Of one life.
  std::unique_ptr<NatLeaser> leaser;
  std::unique_ptr<StateOutbox> outbox;
  std::set<NatBlock> used;
  std::optional<StateWritten> answer;  // on its way
  bool out_complete = false;
  std::map<NatBlock, std::set<size_t>> heard;  // of others' blocks: places in the log where they got them
  std::map<NatBlock, std::set<size_t>> knew;   // of that, when it claimed the block
  std::optional<Time> stale;                   // its lease ended then, and the cluster has not confirmed what it holds
  Time started;
};

class World {
 public:
  explicit World(uint64_t seed) : random_(seed), seed_(seed) {
    for (uint64_t i = 0; i < 4; ++i) {
      hosts_.emplace_back().id = id<HostId>(i + 1);
      start(hosts_.back());
      join(hosts_.back());
    }
  }

  void step() {
    pass(random_() % 200 == 0 ? 20s : std::chrono::milliseconds(random_() % 1'500));
    Host& host = hosts_[below(hosts_.size())];
    switch (below(16)) {
      case 0:
        return host.running ? stop(host) : start(host);
      case 1:
        return cut(host, !host.cut);
      case 2:
        return look(host);
      case 3:
        return check(host);
      case 4:
      case 5:
      case 6:
      case 7:
        return want(host);
      case 8:
        return adopt(host);
      default:
        return work(host);
    }
  }
  // Everybody is back, and everything has been said.
  void settle() {
    for (Host& host : hosts_) {
      if (!host.running) start(host);
      host.cut = false;
    }
    for (int i = 0; i < 200; ++i) {
      pass(500ms);
      for (Host& host : hosts_) work(host);
    }
    for (Host& host : hosts_) {
      std::set<NatBlock> own;
      for (const auto& [block, owner] : store_.owners) {
        if (owner == host.id) own.insert(block);
      }
      for (const NatBlock& block : own) ASSERT_TRUE(host.leaser->owns(block)) << "nobody's, and nobody else's";
      for (const NatBlock& block : host.used) ASSERT_TRUE(own.contains(block)) << block.block;
    }
  }
  uint64_t won() const { return won_; }
  uint64_t revoked() const { return revoked_; }

 private:
  size_t below(size_t limit) { return random_() % limit; }
  NatBlockWanted random_want() {
    const uint16_t first = static_cast<uint16_t>(below(kRange));
    const uint16_t last = static_cast<uint16_t>(first + below(kRange - first));
    return {Uuid::from_words(0, 7 + below(2)), ip("203.0.113.9"), first, last};
  }

  template <class F>
  void on(Host& host, F event) {
    NatLeaserActions out;
    event(*host.leaser, out);
    for (const auto& block : out.stop) host.used.erase(block);
    for (const auto& block : out.end) ASSERT_FALSE(host.used.contains(block));
    for (const auto& block : out.yield) ASSERT_FALSE(host.used.contains(block));
    for (const auto& block : out.use) host.used.insert(block);
    std::vector<NatLease> leases;
    for (const auto& block : out.claim) {
      leases.push_back({block, true});
      const bool again = host.used.contains(block) || std::count(out.stop.begin(), out.stop.end(), block) != 0;
      if (!again) host.knew[block] = host.heard[block];
    }
    for (const auto& block : out.release) leases.push_back({block, false});
    if (!leases.empty()) host.outbox->lease(leases);
    revoked_ += out.yield.size();
    check_use();
  }

  void pass(Time::duration time) {
    now_ += time;
    for (Host& host : hosts_) {
      if (host.running && host.joined && !host.cut) store_.sessions[host.id].heard = now_;
    }
    store_.expire(now_);
    for (Host& host : hosts_) {
      if (!host.stale && !store_.sessions.contains(host.id)) host.stale = now_;
    }
  }

  // An earlier life's cache is what it starts from.
  void start(Host& host) {
    NatLeaserOptions options;
    options.quarantine = kQuarantine;
    options.idle = 30s;
    host.running = true;
    host.started = now_;
    host.stale = Time();  // what its cache says may be old
    host.leaser = std::make_unique<NatLeaser>(host.id, random_(), options);
    host.outbox = std::make_unique<StateOutbox>(host.id);
    host.used.clear();
    host.answer.reset();
    for (const auto& [block, owner] : host.view) {
      on(host, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.owned(block, owner, now_, out); });
    }
    host.outbox->lease({});
  }
  void stop(Host& host) {
    host.running = host.joined = false;
    host.used.clear();
  }
  void cut(Host& host, bool cut) {
    host.cut = cut;
    if (!cut || !host.running) return;
    leave(host);
  }
  void leave(Host& host) {
    host.joined = false;
    host.answer.reset();
    host.outbox->written(nullptr);
    on(host, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.cut(out); });
  }
  void join(Host& host) {
    host.joined = true;
    if (!store_.sessions.contains(host.id)) store_.log.push_back({{}, {}, {}, host.id});
    host.epoch = ++store_.epochs;
    store_.sessions[host.id] = {now_, host.epoch};
    store_.begun[host.id] = now_;
    host.outbox->written(nullptr);
    host.outbox->joined();
    host.leaser->joined(now_);
  }

  // A bit of what would happen by itself.
  void work(Host& host) {
    if (!host.running) return;
    on(host, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.tick(now_, out); });
    if (host.cut) return;
    if (!host.joined) return join(host);
    if (below(2) == 0) read(host);
    if (host.answer) return take_answer(host);
    auto write = host.outbox->next(*state_, std::chrono::system_clock::time_point());
    if (!write) return;
    check_quarantine(host, *write);
    host.out_complete = write->complete;
    host.answer = store_.write(host.id, host.epoch, *write);
  }
  void take_answer(Host& host) {
    const StateWritten written = *std::exchange(host.answer, std::nullopt);
    host.outbox->written(&written);
    if (written.ended) return leave(host);
    const auto answered = host.outbox->take_answered();
    won_ += answered.won.size();
    for (const auto& block : answered.lost) {
      on(host, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.lost(block, now_, out); });
    }
    for (const auto& block : answered.won) {
      on(host, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.won(block, now_, out); });
    }
    if (host.out_complete && store_.sessions.contains(host.id)) host.stale.reset();
  }
  // The feed: several changes at once come as what they sum up to.
  void read(Host& host) {
    const size_t until = host.seen + below(store_.log.size() - host.seen + 1);
    const auto before = host.view;
    std::map<NatBlock, size_t> got;
    for (; host.seen < until; ++host.seen) {
      const Event& event = store_.log[host.seen];
      if (!event.begun.is_nil()) host.living.insert(event.begun);
      if (!event.ended.is_nil()) host.living.erase(event.ended);
      if (!event.block) continue;
      if (event.owner.is_nil()) {
        host.view.erase(*event.block);
      } else {
        host.view[*event.block] = event.owner;
        got[*event.block] = host.seen;
      }
    }
    // A lease's entries go all at once.
    while (host.seen < store_.log.size() && store_.log[host.seen - (host.seen > 0 ? 1 : 0)].block &&
           store_.log[host.seen].block && store_.log[host.seen].owner.is_nil()) {
      host.view.erase(*store_.log[host.seen++].block);
    }
    if (host.seen < store_.log.size() && !store_.log[host.seen].ended.is_nil()) {
      host.living.erase(store_.log[host.seen++].ended);
    }
    for (const auto& [block, owner] : before) {
      if (host.view.contains(block)) continue;
      const bool dead = !host.living.contains(owner);
      on(host, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.freed(block, owner, dead, now_, out); });
    }
    for (const auto& [block, owner] : host.view) {
      auto known = before.find(block);
      if (got.contains(block)) host.heard[block].insert(got[block]);
      if (known != before.end() && known->second == owner) continue;
      on(host, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.owned(block, owner, now_, out); });
    }
  }

  void want(Host& host) {
    if (!host.running) return;
    on(host, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.wanted(random_want(), below(2) == 0, now_, out); });
  }
  void look(Host& host) {
    if (!host.running) return;
    std::set<NatBlock> in_use;
    for (const NatBlock& block : host.used) {
      if (below(3) != 0) in_use.insert(block);
    }
    on(host, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.looked(in_use, now_, out); });
  }
  void check(Host& host) {
    if (!host.running) return;
    const bool named = below(4) != 0;
    on(host, [&](NatLeaser& leaser, NatLeaserActions& out) {
      leaser.check([&](const NatAddress&) { return named; }, now_, out);
    });
  }
  void adopt(Host& host) {
    if (!host.running || below(4) != 0) return;
    const HostId dead = hosts_[below(hosts_.size())].id;
    on(host, [&](NatLeaser& leaser, NatLeaserActions& out) {
      leaser.adopt(
          dead, [&](const NatBlock& block) { return block.block % 2 == 0; }, now_, out);
      for (const auto& block : out.claim) adopted_.insert({host.id, block});
    });
  }

  // --- what must hold ------------------------------------------------------------------------------

  // `host` has slept through its lease, and `other` may have the block: the quarantine is over, or it has adopted the block,
  // or it has not heard that there is one.
  bool overslept(const Host& host, const Host& other, const NatBlock& block) const {
    if (!host.stale) return false;
    if (now_ - *host.stale >= kQuarantine || other.started > *host.stale) return true;
    if (adopted_.contains({other.id, block})) return true;
    auto death = store_.deaths.find(block);
    return death != store_.deaths.end() && !knew_of(other, block, death->second);
  }
  static bool knew_of(const Host& host, const NatBlock& block, const Store::Death& death) {
    auto knew = host.knew.find(block);
    return knew != host.knew.end() && knew->second.contains(death.taken);
  }
  void check_use() const {
    for (const Host& a : hosts_) {
      for (const Host& b : hosts_) {
        if (!(a.id < b.id)) continue;
        for (const NatBlock& block : a.used) {
          if (overslept(a, b, block) || overslept(b, a, block)) continue;
          ASSERT_FALSE(b.used.contains(block)) << "two hosts have block " << block.block << ", seed " << seed_;
        }
      }
    }
  }
  void check_quarantine(const Host& host, const StateWrite& write) const {
    for (const auto& put : write.puts) {
      const auto& claim = std::get<NatBlockClaim>(put.entry.fact);
      const NatBlock block{claim.device, claim.address, claim.block};
      auto death = store_.deaths.find(block);
      if (store_.owners.contains(block) || death == store_.deaths.end() || death->second.host == host.id) continue;
      if (!knew_of(host, block, death->second)) continue;
      if (store_.begun.at(death->second.host) > death->second.at) continue;  // it has come back, and did not want it
      if (host.started > death->second.at || adopted_.contains({host.id, block})) continue;
      EXPECT_GE(now_ - death->second.at, kQuarantine) << "block " << block.block << ", seed " << seed_;
    }
  }

  std::mt19937_64 random_;
  const uint64_t seed_;
  Time now_{std::chrono::hours(1)};
  Store store_;
  std::deque<Host> hosts_;
  std::unique_ptr<AgentState> state_ = std::make_unique<AgentState>();  // nothing is learned here
  std::set<std::pair<HostId, NatBlock>> adopted_;
  uint64_t won_ = 0, revoked_ = 0;
};

TEST(NatLeaserRandomTest, NoBlockIsGivenOutByTwoHosts) {
  uint64_t won = 0, revoked = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < 1'500 && !testing::Test::HasFailure(); ++i) world.step();
    if (!testing::Test::HasFailure()) world.settle();
    ASSERT_FALSE(testing::Test::HasFailure());
    won += world.won();
    revoked += world.revoked();
  }
  EXPECT_GT(won, 60 * 20) << "the test tests something";
  EXPECT_GT(revoked, 0);
}

}  // namespace
}  // namespace viaduct::actors
