// zebra's stream of routes: whatever comes, in whatever pieces, gives the same news, and a table that learns them keeps its
// promises.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "routing/bgp/rib.hpp"

namespace {

using namespace viaduct;
using namespace viaduct::routing::bgp;
using namespace std::chrono_literals;

void check(bool holds) {
  if (!holds) std::abort();
}

std::vector<RouteNews> decode(std::span<const uint8_t> input, size_t piece) {
  FpmDecoder decoder;
  std::vector<RouteNews> out;
  while (!input.empty() && decoder.feed(input.first(std::min(piece, input.size())), out)) {
    input = input.subspan(std::min(piece, input.size()));
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<RouteNews> news = decode({data, size}, SIZE_MAX);
  check(news == decode({data, size}, 7));
  Rib rib;
  rib.set_limits({.other_v4 = 2, .other_v6 = 1});
  rib.set_own({*IpPrefix::parse("203.0.113.0/24")}, {IpAddress::v4(0x0a09'0001)}, Time{});
  Time now{1h};
  for (const RouteNews& one : news) {
    check(one.prefix == one.prefix.network() && one.removed == one.gateways.empty());
    check(one.gateways.size() <= FpmDecoder::kMaxGateways);
    check(std::is_sorted(one.gateways.begin(), one.gateways.end()));
    rib.learn(one, now += 30ms);
    for (const RouteChange& change : rib.take_changes(now)) {
      check(!IpPrefix::parse("203.0.113.0/24")->contains(change.prefix));
      check(std::is_sorted(change.gateways.begin(), change.gateways.end()));
    }
    check(rib.next_deadline().value_or(now) >= now - 100ms);
  }
  // Nothing is told again after a restart: nothing is left.
  rib.stream_lost(now + 60s);
  rib.settled(now);
  rib.take_changes(now + 1s);
  check(rib.size() == 0 && rib.surplus() == 0 && rib.take_changes(now + 2s).empty());
  return 0;
}
