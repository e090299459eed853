// Which ports this host may give out for dynamic SNAT: how blocks of them (flows/state/nat_blocks.hpp) are leased from the
// cluster, kept, and given back. A state machine without clock, actor or network: fed with what happened and a time, it
// says what to do.
//
//               a packet wants ports          won                  unused for `idle`, or spare
//   (nobody's) ─────────────────────> claiming ────> held ───────────────────────────────────> retiring
//       ^                                │ lost        │ ^                  wanted again         │  │ the next look finds
//       │ another one is tried           v             │ └───────────────────────────────────────┘  v no connection in it
//       └──────────────────────────── others'          └── lost, or no rule wants it any more ──> releasing ──> (nobody's)
//
// The cluster decides: a block is whose comes first (actors/cluster/host_states.hpp), this machine only picks one at random
// that nobody is known to have. What it holds is claimed again after every join; what it has only asked for is not: others
// may have come and gone meanwhile, so it looks again once it has heard what is new. A host that is cut off goes on with
// what it holds. Should that last longer than its lease, another host that is not cut off may have got the block: at once
// who has copies of its connections, by adopt(), and after the quarantine anybody. Then this one gives way when it is back:
// it gives out no more of those ports, and the connections that it had opened there become the new holder's, with copies
// here (flows/replication/yield.cpp). Only those end that the new holder refuses, as it has given their ports out again.
//
// Quarantine: when a host is gone, its connections may live on at hosts that have copies of them. Its blocks rest until
// those have either been taken over, by adopt(), or are over. A block that a living host gives back does not rest. Who has
// never heard of the dead host (it started later, without a cache) does not know either: its random pick may hit.
//
// Limits: so many addresses, each of 1,024 blocks; what is beyond is counted, and wanted again by the next packet.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "flows/simulation/verdict.hpp"
#include "flows/state/nat_blocks.hpp"

namespace viaduct::actors {

struct NatLeaserOptions {
  std::chrono::seconds quarantine{300};
  std::chrono::seconds idle{300};             // a block without a connection goes back
  std::chrono::seconds spent_for{10};         // until ports that nobody had left are asked for again
  std::chrono::seconds avoid_for{10};         // a block that was lost, to nobody that is known yet
  std::chrono::milliseconds retry{50};        // after a round that was lost; doubles, and is jittered down to half
  std::chrono::milliseconds settle{1'000};    // after a join, until new blocks are claimed: the feed tells of others'
  std::chrono::milliseconds patience{2'000};  // with a cluster that is away, until what it had said is believed
  int rounds = 6;      // that may be lost in a row before the packets are told that there is none
  unsigned batch = 8;  // blocks that are claimed at once, at most: a quarter of what is held
  size_t addresses = 4'096;
};

// An address of a device.
struct NatAddress {
  Uuid device;
  IpAddress address;
  friend auto operator<=>(const NatAddress&, const NatAddress&) = default;
};

// What is to be done, in this order.
struct NatLeaserActions {
  using Blocks = std::vector<flows::NatBlock>;
  struct Spent {
    NatAddress of;
    uint16_t first = 0, last = 0;  // blocks
    bool spent = false;            // false: ask again
    friend bool operator==(const Spent&, const Spent&) = default;
  };
  Blocks stop;     // no new connections: NatBlocks::remove
  Blocks end;      // what this host has opened in them is over
  Blocks yield;    // what this host has opened in them is of another one now, who has got them
  Blocks use;      // NatBlocks::add
  Blocks claim;    // from the cluster; claimed again after every join until released
  Blocks release;  // to it
  std::vector<Spent> spent;
  std::vector<NatAddress> ready;  // tell the packets that wait

  bool empty() const {
    return stop.empty() && end.empty() && yield.empty() && use.empty() && claim.empty() && release.empty() &&
           spent.empty() && ready.empty();
  }
};

class NatLeaser {
 public:
  // `seed` of the choice, so that hosts do not choose alike and tests know what comes.
  NatLeaser(HostId self, uint64_t seed, const NatLeaserOptions& options = {});

  // The cluster hears this host, or does not any more. At first it does not.
  void joined(flows::Time now);
  void cut(NatLeaserActions& out);
  // A packet is parked for it; or, not `waiting`, the ports at hand become scarce.
  void wanted(const flows::simulation::NatBlockWanted& want, bool waiting, flows::Time now, NatLeaserActions& out);
  // What the state tables say: the block is `owner`'s. This host's own, when it knows nothing of it, is an earlier life's:
  // the cluster is asked whether that is still so, and when there is none it is believed.
  void owned(const flows::NatBlock& block, HostId owner, flows::Time now, NatLeaserActions& out);
  // It was `owner`'s and is nobody's now. `dead`: nothing at all of that host is left.
  void freed(const flows::NatBlock& block, HostId owner, bool dead, flows::Time now, NatLeaserActions& out);
  // The cluster's answer to claims.
  void won(const flows::NatBlock& block, flows::Time now, NatLeaserActions& out);
  void lost(const flows::NatBlock& block, flows::Time now, NatLeaserActions& out);
  // A look at all connections is over: those of its blocks that have any. What has had none for long goes back.
  void looked(const std::set<flows::NatBlock>& in_use, flows::Time now, NatLeaserActions& out);
  // The host does not need these devices any more: their blocks go back at once.
  void forget(const std::function<bool(const Uuid& device)>& is_there, flows::Time now, NatLeaserActions& out);
  // The network may have changed: what no rule names any more goes back, unless the next call says otherwise.
  void check(const std::function<bool(const NatAddress&)>& is_named, flows::Time now, NatLeaserActions& out);
  // Whoever has copies of a dead host's connections takes over the blocks that they are in, so that nobody else gets them
  // and answers still come here: the replicator, when it hears of a host's death. Copies are entries with `owned` false.
  // Connections that only a third host has a copy of are unknown here, so that their ports may be given out once more.
  void adopt(HostId dead, const std::function<bool(const flows::NatBlock&)>& has_copies, flows::Time now,
             NatLeaserActions& out);
  // Whatever is due.
  void tick(flows::Time now, NatLeaserActions& out);
  // When tick() has claims to try again. All else can wait for a second.
  std::optional<flows::Time> next_retry() const;

  struct Counts {
    uint64_t wanted = 0, claimed = 0, lost = 0;
    uint64_t exhausted = 0;  // no block was left for packets that wait
    uint64_t refused = 0;    // by the limit of addresses
    uint64_t adopted = 0, revoked = 0;
  };
  const Counts& counts() const { return counts_; }
  size_t held() const;
  size_t resting() const;  // in quarantine
  std::vector<NatLeaserActions::Spent> spent() const;
  // What becomes of the blocks first to last of an address; `free` are those that nobody is known to have.
  struct Occupancy {
    size_t held = 0, others = 0, resting = 0, free = 0;
  };
  Occupancy occupancy(const NatAddress& address, uint16_t first, uint16_t last) const;
  std::vector<NatAddress> addresses() const;  // those that something is known of
  bool owns(const flows::NatBlock& block) const;

 private:
  enum class State : uint8_t { claiming, held, retiring, releasing };
  struct Own {
    State state = State::claiming;
    bool had = false;    // by the last word of the cluster it was this host's: connections may be in it
    flows::Time since;   // of this state; of `held`, when a connection was last seen in it
    bool alone = false;  // claiming: nobody has been there to ask
  };
  struct Resting {
    HostId dead;
    flows::Time until;
  };
  struct Want {
    uint16_t first = 0, last = 0;
    bool waiting = false;  // packets do
    bool got = false;      // one of this round
    int lost_rounds = 0;
    std::optional<flows::Time> retry;  // nothing: claims are out; kNever: until the next join
  };
  struct Spent {
    uint16_t first = 0, last = 0;
    flows::Time until;
    bool covers(unsigned block) const { return first <= block && block <= last; }
  };
  struct Address {
    std::map<uint16_t, Own> own;
    std::map<uint16_t, HostId> others;
    std::map<uint16_t, Resting> resting;
    std::map<uint16_t, flows::Time> avoided;  // until
    std::optional<Want> want;
    std::optional<Spent> spent;
    bool unnamed = false;  // by the last check
    bool empty() const {
      return own.empty() && others.empty() && resting.empty() && avoided.empty() && !want && !spent;
    }
  };
  using Addresses = std::map<NatAddress, Address>;

  static NatAddress address_of(const flows::NatBlock& block) { return {block.device, block.address}; }
  static flows::NatBlock block_of(const NatAddress& key, uint16_t block) { return {key.device, key.address, block}; }
  static bool in_range(uint16_t block, uint16_t first, uint16_t last) { return first <= block && block <= last; }
  Address* track(const NatAddress& key);
  std::vector<uint16_t> free_blocks(const Address& address, const Want& want) const;
  void know(Address& address, uint16_t block) const;
  void begin(const NatAddress& key, Address& address, flows::Time now, NatLeaserActions& out);
  bool take_back(const NatAddress& key, Address& address, flows::Time now, NatLeaserActions& out);
  void claim(const NatAddress& key, Address& address, uint16_t block, bool had, flows::Time now, NatLeaserActions& out);
  void answered(const NatAddress& key, Address& address, flows::Time now, NatLeaserActions& out);
  void give_up(const NatAddress& key, Address& address, flows::Time now, NatLeaserActions& out);
  void is_free(const NatAddress& key, Address& address, uint16_t block, NatLeaserActions& out);
  void give_back(const NatAddress& key, Address& address, flows::Time now, NatLeaserActions& out);
  void retire(const NatAddress& key, Address& address, flows::Time now, NatLeaserActions& out);
  void believe(const NatAddress& key, Address& address, flows::Time now, NatLeaserActions& out);
  void due(const NatAddress& key, Address& address, flows::Time now, NatLeaserActions& out);

  static constexpr flows::Time kNever = flows::Time::max();

  const HostId self_;
  const NatLeaserOptions options_;
  flows::Time claims_from_ = kNever;
  std::mt19937_64 random_;
  Addresses addresses_;
  Counts counts_;
};

}  // namespace viaduct::actors
