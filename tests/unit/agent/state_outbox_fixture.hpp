// An outbox with its host's tables, and short ways to write what it says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "actors/agent/state_outbox.hpp"
#include "host_states_literals.hpp"

namespace viaduct::actors::outbox_test {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using topology::StateWrite;
using topology::StateWritten;
using topology::testing::ip;
using Mode = StateWrite::Mode;
using namespace std::chrono_literals;

MATCHER_P2(Puts, fact, mode, "") { return arg.entry.fact == topology::HostFact(fact) && arg.mode == mode; }

inline const topology::NatBlockClaim kBlock{Uuid::from_words(0, 12), ip("203.0.113.9"), 7};
inline flows::NatBlock lease_of(const topology::NatBlockClaim& claim) {
  return {claim.device, claim.address, claim.block};
}

inline topology::LearnedRoutes routes(uint16_t part, std::vector<std::string_view> prefixes) {
  topology::LearnedRoutes out{id<PortId>(22), ip("10.9.0.254"), part};
  for (std::string_view prefix : prefixes) out.prefixes.push_back(IpPrefix::parse(prefix).value());
  return out;
}

// Parts of `prefixes` host routes each, of about five bytes.
inline std::vector<topology::HostFact> many_routes(uint16_t parts, size_t prefixes = 5'000) {
  std::vector<topology::HostFact> out;
  for (uint16_t part = 0; part < parts; ++part) {
    topology::LearnedRoutes many = routes(part, {});
    for (uint32_t i = 0; i < prefixes; ++i) {
      many.prefixes.push_back(IpPrefix::host(IpAddress::v4(0x0a00'0000 + (uint32_t{part} << 16) + i)));
    }
    out.emplace_back(std::move(many));
  }
  return out;
}

class StateOutboxTest : public testing::Test {
 protected:
  static constexpr uint64_t kNow = 1'000;  // seconds

  static flows::MacKey mac(uint64_t number) { return {id<BridgeId>(10), 0, MacAddress::from_uint64(number)}; }
  static flows::NeighbourKey hop(std::string_view address) {
    return {Uuid::from_words(0, 12), id<PortId>(22), ip(address)};
  }
  static std::string key_of(const topology::HostFact& fact) { return topology::state_key(of(kHere, fact)); }

  void tell() { outbox.learned(state.state_news.take()); }
  // A worker sees it, and the publisher hears of it.
  void see(uint64_t number, uint64_t port = 20) {
    state.macs.learn(mac(number), id<PortId>(port), {});
    state.state_news.changed(mac(number));
    tell();
  }
  void hear(std::string_view address, uint64_t hardware) {
    state.neighbours.learn(hop(address), MacAddress::from_uint64(hardware), {});
    state.state_news.changed(hop(address));
    tell();
  }
  void see_many(uint64_t count) {
    for (uint64_t i = 1; i <= count; ++i) {
      state.macs.learn(mac(i), id<PortId>(20), {});
      state.state_news.changed(mac(i));
    }
    tell();
  }
  std::optional<StateWrite> next() {
    return outbox.next(state, std::chrono::system_clock::time_point(std::chrono::seconds(now)));
  }
  StateWrite must_next() {
    auto write = next();
    EXPECT_TRUE(write);
    return write.value_or(StateWrite{});
  }
  void done(StateWritten written = {}) { outbox.written(&written); }
  // Everything that waits is in the database.
  void settle() {
    while (next()) done();
  }

  uint64_t now = kNow;
  AgentState state;
  StateOutbox outbox{kHere};
};

}  // namespace viaduct::actors::outbox_test
