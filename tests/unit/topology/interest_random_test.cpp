// Random networks that change at random, one revision at a time or several at once: what each host is told makes of what
// it had exactly what it needs, and it is told only when that changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/topology/closure_oracle.hpp"
#include "topology/builder.hpp"
#include "topology/interest.hpp"
#include "topology/resume.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals

constexpr uint64_t kHosts = 5, kDevices = 9, kPorts = 40;

// Ids: hosts 1.., devices 101.. (a bridge today, a router tomorrow), ports 201.., routes and static entries 301.., zones
// 401.., memberships 411... An id is used again, and on another device.
class Changes {
 public:
  explicit Changes(unsigned seed) : random_(seed) {}

  uint64_t below(uint64_t bound) { return random_() % bound; }

  // One that the builder accepts.
  BuildResult next(const Snapshot& snapshot) {
    for (;;) {
      std::vector<Operation> operations;
      for (uint64_t count = 1 + below(3); count > 0; --count) operations.push_back(operation(snapshot));
      auto result = build(snapshot, std::move(operations), snapshot.revision() + 1);
      if (result.ok()) return result;
    }
  }

 private:
  Operation operation(const Snapshot& snapshot) {
    switch (below(12)) {
      case 0:
        return put_or_erase(snapshot, named_host(), 4);
      case 1:
        return put_or_erase(snapshot, device(snapshot, 101 + below(kDevices)), 5);
      case 2:
        return put_or_erase(snapshot, entry(snapshot), 3);
      case 3:
        return put_or_erase(snapshot, tunnel_zone(401 + below(3)), 6);
      case 4:
        return put_or_erase(snapshot, member(), 3);
      default:
        return port_operation(snapshot, 201 + below(kPorts));
    }
  }

  Operation put_or_erase(const Snapshot& snapshot, Object object, uint64_t one_in) {
    const bool there = snapshot.find(ref_of(object)) != nullptr;
    if (!there) return Create{std::move(object)};
    if (below(one_in) == 0) return Erase{ref_of(object)};
    return Update{std::move(object)};
  }

  Object named_host() {
    Host object = host(1 + below(kHosts));
    object.name += below(2) == 0 ? "" : "b";
    return object;
  }
  Object device(const Snapshot& snapshot, uint64_t id_number) {
    if (snapshot.find(id<BridgeId>(id_number)) != nullptr) return bridge(id_number);
    if (snapshot.find(id<RouterId>(id_number)) != nullptr) return router(id_number);
    return below(2) == 0 ? Object(bridge(id_number)) : Object(router(id_number));
  }
  Object entry(const Snapshot& snapshot) {
    const uint64_t on = 101 + below(kDevices), at = 301 + below(20);
    if (snapshot.find(id<BridgeId>(on)) != nullptr) return static_neighbour(at, on, "10.0.0.9", "02:00:00:00:00:09");
    Route out = route(at, on, "10.9.0.0/16", 0);
    out.next_hop = NextHop::blackhole;
    out.weight = static_cast<uint32_t>(below(100));
    return out;
  }
  Object member() {
    const uint64_t zone = below(3), of = 1 + below(kHosts);
    const uint64_t at = below(4) == 0 ? 411 + below(15) : 411 + zone * 5 + of - 1;
    return tunnel_zone_host(at, 401 + zone, of, "192.0.2." + std::to_string(1 + below(60)));
  }

  Operation port_operation(const Snapshot& snapshot, uint64_t id_number) {
    const Port* known = snapshot.find(id<PortId>(id_number));
    if (known != nullptr && below(5) == 0) return Erase{ref_of(*known)};
    const uint64_t on = 101 + below(kDevices);
    Port port = known != nullptr                             ? *known
                : snapshot.find(id<BridgeId>(on)) != nullptr ? bridge_port(id_number, on)
                                                             : router_port(id_number, on);
    port.revision = 0;
    const uint64_t what = below(5);
    port.peer = what < 3 ? id<PortId>(201 + below(kPorts)) : PortId{};
    port.vlan = what == 0 && port.on_bridge() ? static_cast<uint16_t>(1 + id_number % 100) : 0;
    port.host = what == 3 ? id<HostId>(1 + below(kHosts)) : HostId{};
    port.interface = what == 3 ? "eth" + std::to_string(id_number) : "";
    if (known != nullptr) return Update{port};
    return Create{port};
  }

  std::mt19937 random_;
};

std::vector<HostId> all_hosts() {
  std::vector<HostId> hosts;
  for (uint64_t number = 1; number <= kHosts; ++number) hosts.push_back(id<HostId>(number));
  return hosts;
}

std::set<Uuid> owners_by_walking(const Snapshot& snapshot, HostId host) {
  std::set<Uuid> owners = devices_by_walking(snapshot, host);
  owners.merge(zones_by_walking(snapshot, host));
  return owners;
}

std::set<Uuid> less(const std::set<Uuid>& a, const std::set<Uuid>& b) {
  std::set<Uuid> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
  return out;
}
std::set<Uuid> set_of(const std::vector<Uuid>& list) {
  std::set<Uuid> out(list.begin(), list.end());
  EXPECT_EQ(out.size(), list.size()) << "each once";
  return out;
}

void expect_equal(const Closure& is, const Closure& should) {
  EXPECT_EQ(is, should) << "is:\n" << text_of(is) << "should be:\n" << text_of(should);
}

// The hosts, each with what it made of what it was told.
struct Agents {
  std::map<HostId, Snapshot> have;

  void take(const ClosureDelta& told, const Snapshot& before, const Snapshot& after) {
    std::set<HostId> seen;
    for (const ClosureGroup& group : told) {
      for (HostId host : group.hosts) {
        EXPECT_TRUE(seen.insert(host).second) << "in one group only";
        const auto had = owners_by_walking(before, host), has = owners_by_walking(after, host);
        // A device that came and went, or is another one now, may be told of in any way.
        EXPECT_EQ(set_of(group.gained), less(has, had));
        EXPECT_EQ(set_of(group.lost), less(had, has));
        have[host] = delta_of(have[host], host, *group.changes, after.revision()).apply_to(have[host]);
      }
    }
    for (HostId host : all_hosts()) expect_equal(everything_in(have[host]), closure_by_walking(after, host));
  }
};

void expect_answers(const Interest& interest, const Snapshot& snapshot) {
  for (HostId host : all_hosts()) {
    EXPECT_EQ(set_of(interest.devices_of(host)), devices_by_walking(snapshot, host));
    EXPECT_EQ(set_of(interest.zones_of(host)), zones_by_walking(snapshot, host));
    Closure closure;
    interest.for_each_object_of(snapshot, host, [&](const Object& object) {
      EXPECT_TRUE(closure.emplace(ref_of(object), object).second) << "each once";
    });
    expect_equal(closure, closure_by_walking(snapshot, host));
    for (const Uuid& owner : owners_by_walking(snapshot, host)) {
      EXPECT_TRUE(interest.needs(host, owner));
      EXPECT_THAT(interest.hosts_of(owner), ::testing::Contains(host));
    }
  }
}

TEST(InterestAtRandom, WhatHostsAreToldKeepsThemExact) {
  size_t groups = 0, shared = 0, lost = 0;
  for (unsigned seed = 1; seed <= 30; ++seed) {
    Changes changes(seed);
    Snapshot snapshot;
    Interest interest;
    Agents agents;
    for (int step = 0; step < 150; ++step) {
      const Snapshot before = snapshot;
      Delta delta{snapshot.revision(), snapshot.revision(), {}};
      const uint64_t revisions = step % 3 == 0 ? 1 + changes.below(8) : 1;
      for (uint64_t i = 0; i < revisions; ++i) {
        auto result = changes.next(snapshot);
        delta.merge(result.delta);
        snapshot = std::move(result.next);
      }
      const ClosureDelta told = interest.follow(snapshot, delta);
      agents.take(told, before, snapshot);
      if (step % 10 == 0) expect_answers(interest, snapshot);
      for (const ClosureGroup& group : told) {
        ++groups;
        shared += group.hosts.size() > 1;
        lost += group.lost.size();
      }
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
    expect_answers(Interest(snapshot), snapshot);
  }
  EXPECT_GT(groups, 2000u);
  EXPECT_GT(shared, 500u);
  EXPECT_GT(lost, 500u);
}

TEST(InterestAtRandom, AHostThatWasAwayIsExactAgain) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    Changes changes(1000 + seed);
    Snapshot snapshot;
    Interest interest;
    std::vector<Tombstone> tombstones;
    std::map<HostId, Snapshot> have;
    for (int step = 0; step < 100; ++step) {
      auto result = changes.next(snapshot);
      snapshot = std::move(result.next);
      interest.follow(snapshot, result.delta);
      const auto gone = tombstones_of(result.delta);
      tombstones.insert(tombstones.end(), gone.begin(), gone.end());
      if (step % 5 != 0) continue;
      Resumption resumption(interest, snapshot, tombstones);
      for (HostId host : all_hosts()) {
        if (changes.below(3) == 0) continue;  // stays away
        const auto has = owners_in(have[host]);
        ClosureChanges told;
        for (const auto& part : resumption.resume(host, has, have[host].revision())) {
          told.insert(told.end(), part->begin(), part->end());
        }
        have[host] = delta_of(have[host], host, told, snapshot.revision()).apply_to(have[host]);
        expect_equal(everything_in(have[host]), closure_by_walking(snapshot, host));
      }
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace viaduct::topology
