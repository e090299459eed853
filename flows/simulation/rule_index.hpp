// The rules of a chain, found by what a packet looks like: 10,000 rules cost about what 10 do.
//
// Every rule hangs in one bucket, of all that it could be found by the one with the fewest rules:
//
//   source or destination prefix, rounded down to few lengths     proto (if any) and port block, source or destination
//   Ethernet source or destination                                port where the packet came in or goes out
//   protocol        Ethernet type        all packets, when the rule has nothing of that, or inverts it
//
// A packet looks into each kind of bucket that is in use (at most kMaxBuckets look-ups, whatever the rules), and tries the
// rules of those that it finds in the order of their positions. Which kinds there are depends on the operator's rules
// alone: packets cannot make a look-up longer. Rules that differ only in what buckets are not made by (groups, ranges,
// inverted fields) are tried one after the other.
//
// What rules may ask of a packet, and thus its flow's mask, is a property of the whole chain and the packet's protocol:
// packets cannot multiply masks either.
//
// Immutable, as all of a Network; one rule more costs O(log n) and the rules of its bucket.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "flows/match/field_set.hpp"
#include "flows/match/small_vector.hpp"
#include "flows/packet/flow_key.hpp"
#include "topology/delta.hpp"
#include "topology/model/rule.hpp"
#include "topology/persistent_map.hpp"

namespace viaduct::flows::simulation {

using RulePtr = std::shared_ptr<const topology::Rule>;
RulePtr rule_of(const topology::Ref<topology::Object>& object);

class RuleIndex {
 public:
  static constexpr size_t kMaxBuckets = 36;

  // Rules have ids and positions of their own.
  void add(const RulePtr& rule);
  void remove(RuleId rule);
  size_t size() const { return places_.size(); }
  template <class F>
  void for_each(F&& visit) const {  // in no order
    places_.for_each([&](const RuleId&, const Place& place) { visit(*place.rule); });
  }

  // Fields that a rule may ask for, of a packet like this; what every flow matches is not said.
  FieldSet reads(const FlowKey& key) const;

  // Some rule makes a difference between fragments: by policy, ports, or what connection they belong to.
  bool tells_fragments() const { return fields_.fragments != 0; }

  // The rules that may match, by position. Valid while the index lives.
  class Candidates {
   public:
    const topology::Rule* next();

   private:
    friend class RuleIndex;
    struct Cursor {
      const RulePtr* at;
      const RulePtr* end;
    };
    SmallVector<Cursor, kMaxBuckets> cursors_;
  };
  Candidates candidates(const FlowKey& key, PortId in, PortId out) const;

 private:
  enum class By : uint8_t { ip_dst, ip_src, l4_dst, l4_src, eth_dst, eth_src, out_port, in_port, proto, eth_type, all };
  struct BucketKey {
    uint64_t kind = 0;  // By, step (of lengths), protocol; port or type
    uint64_t high = 0, low = 0;
    friend bool operator==(const BucketKey&, const BucketKey&) = default;
  };
  struct BucketHash {
    size_t operator()(const BucketKey& key) const noexcept;
  };
  using Bucket = std::vector<RulePtr>;  // by position
  struct Place {
    BucketKey bucket;
    RulePtr rule;
  };
  // How many rules ask for what.
  struct Fields {
    uint32_t ip_src = 0, ip_dst = 0, ip_tos = 0, fragments = 0;
    std::vector<std::array<uint32_t, 3>> l4;  // protocol, rules that ask for l4_src, for l4_dst
  };

  static void places_for(const topology::Rule& rule, std::vector<BucketKey>& out);
  BucketKey choose(const topology::Rule& rule) const;
  void count(const topology::Rule& rule, int change);
  void count_l4(uint8_t proto, bool src, bool dst, int change);
  void look(const BucketKey& key, Candidates& out) const;
  void look_addresses(By by, const IpAddress& address, Candidates& out) const;
  void look_ports(By by, uint8_t proto, uint16_t port, Candidates& out) const;
  bool in_use(By by, unsigned step) const { return uses_[static_cast<size_t>(by)][step] != 0; }
  uint32_t& uses(const BucketKey& key) { return uses_[key.kind & 0xff][key.kind >> 8 & 0xff]; }

  static constexpr size_t kKinds = 11, kSteps = 10;
  topology::PersistentMap<BucketKey, Bucket, BucketHash> buckets_;
  topology::PersistentMap<RuleId, Place> places_;
  std::array<std::array<uint32_t, kSteps>, kKinds> uses_{};  // rules by kind and step of their bucket
  Fields fields_;
};

}  // namespace viaduct::flows::simulation
