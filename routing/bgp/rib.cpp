#include "routing/bgp/rib.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::routing::bgp {

const char* to_string(RouteRefusal refusal) {
  switch (refusal) {
    case RouteRefusal::own_network:
      return "own_network";
    case RouteRefusal::own_address:
      return "own_address";
    case RouteRefusal::bad_prefix:
      return "bad_prefix";
  }
  return "unknown";
}

namespace {

// RFC 6890 2.2.2: not forwardable, and neither are parts of it.
bool is_never_routed(const IpPrefix& prefix) {
  static const std::array<IpPrefix, 8> kNever = {
      IpPrefix(IpAddress::v4(0), 8),                // "this network"
      IpPrefix(IpAddress::v4(0x7f00'0000), 8),      // loopback
      IpPrefix(IpAddress::v4(0xa9fe'0000), 16),     // link-local
      IpPrefix(IpAddress::v4(0xe000'0000), 4),      // multicast
      IpPrefix::host(IpAddress::v4(0xffff'ffff)),   // limited broadcast
      IpPrefix(IpAddress::v6({0xff}), 8),           // multicast
      IpPrefix(IpAddress::v6({0xfe, 0x80}), 10),    // link-local
      IpPrefix(IpAddress::any(IpFamily::v6), 127),  // unspecified, loopback
  };
  return std::any_of(kNever.begin(), kNever.end(), [&](const IpPrefix& never) { return never.contains(prefix); });
}

}  // namespace

// --- what is told ---------------------------------------------------------------------------------

std::optional<RouteRefusal> Rib::refusal(const IpPrefix& prefix) const {
  if (is_never_routed(prefix)) return RouteRefusal::bad_prefix;
  // Who announces a default route has not the whole world behind it.
  const auto ours = [&](const IpPrefix& own) { return own == prefix || (own.length() > 0 && own.contains(prefix)); };
  if (std::any_of(own_networks_.begin(), own_networks_.end(), ours)) return RouteRefusal::own_network;
  const auto me = [&](const IpAddress& own) { return prefix == IpPrefix::host(own); };
  if (std::any_of(own_addresses_.begin(), own_addresses_.end(), me)) return RouteRefusal::own_address;
  return std::nullopt;
}

std::vector<IpAddress> Rib::usable(const std::vector<IpAddress>& gateways) const {
  std::vector<IpAddress> out;
  for (const IpAddress& gateway : gateways) {
    if (std::find(own_addresses_.begin(), own_addresses_.end(), gateway) == own_addresses_.end())
      out.push_back(gateway);
  }
  return out;
}

void Rib::learn(const RouteNews& news, Time now) {
  if (phase_ == Phase::returning) quiet_since_ = now;
  refused_routes_.erase(news.prefix);
  if (!news.removed) return take(news);
  const auto known = routes_.find(news.prefix);
  if (known == routes_.end() || known->second.removed) return;
  known->second.removed = now;
  removals_.emplace(now, news.prefix);
}

void Rib::take(const RouteNews& news) {
  std::vector<IpAddress> gateways = usable(news.gateways);
  auto refused = refusal(news.prefix);
  if (!refused && gateways.empty()) refused = RouteRefusal::own_address;
  if (refused) {
    ++refused_[static_cast<size_t>(*refused)];
    refused_routes_[news.prefix] = news;
    if (routes_.count(news.prefix) != 0) erase(news.prefix);
    return;
  }
  Route& route = routes_[news.prefix];
  if (const auto before = gone_.find(news.prefix); before != gone_.end()) {
    route.published = std::move(before->second);
    gone_.erase(before);
  }
  forget_removal(news.prefix, route);
  route.marked = false;
  set_told(news.prefix, route, std::move(gateways));
}

void Rib::forget_removal(const IpPrefix& prefix, Route& route) {
  if (route.removed) removals_.erase({*route.removed, prefix});
  route.removed.reset();
}

void Rib::set_told(const IpPrefix& prefix, Route& route, std::vector<IpAddress> gateways) {
  if (route.told == gateways) return;
  const auto names = [](const std::vector<IpAddress>& all, const IpAddress& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  for (const IpAddress& gateway : route.told) {
    if (!names(gateways, gateway)) leave(gateway, prefix);
  }
  for (const IpAddress& gateway : gateways) {
    if (!names(route.told, gateway)) join(gateway, prefix);
  }
  route.told = std::move(gateways);
  dirty_.insert(prefix);
}

void Rib::erase(const IpPrefix& prefix) {
  const auto found = routes_.find(prefix);
  forget_removal(prefix, found->second);
  for (const IpAddress& gateway : found->second.told) leave(gateway, prefix);
  if (!found->second.published.empty()) gone_[prefix] = std::move(found->second.published);
  dirty_.insert(prefix);
  routes_.erase(found);
}

void Rib::set_own(std::vector<IpPrefix> networks, std::vector<IpAddress> addresses, Time now) {
  own_networks_ = std::move(networks);
  own_addresses_ = std::move(addresses);
  std::vector<RouteNews> broken;
  for (const auto& [prefix, route] : routes_) {
    if (refusal(prefix) || usable(route.told) != route.told) broken.push_back({prefix, route.told, false});
  }
  for (const RouteNews& one : broken) {
    const Route before = routes_.at(one.prefix);
    take(one);
    const auto still = routes_.find(one.prefix);
    if (still == routes_.end()) continue;
    still->second.marked = before.marked;
    still->second.removed = before.removed;
    if (before.removed) removals_.emplace(*before.removed, one.prefix);
  }
  const auto refused = std::exchange(refused_routes_, {});
  for (const auto& [prefix, news] : refused) {
    if (refusal(prefix) || usable(news.gateways).empty()) {
      refused_routes_.emplace(prefix, news);  // counted when it came
    } else {
      learn(news, now);
    }
  }
}

// --- limits ---------------------------------------------------------------------------------------

uint32_t Rib::limit_of(const IpAddress& gateway) const {
  const auto found = limits_.per_gateway.find(gateway);
  if (found != limits_.per_gateway.end()) return found->second;
  return gateway.is_v4() ? limits_.other_v4 : limits_.other_v6;
}

void Rib::join(const IpAddress& gateway, const IpPrefix& prefix) {
  const auto [at, fresh] = shares_.try_emplace(gateway);
  Share& share = at->second;
  if (fresh) share.limit = limit_of(gateway);
  const bool room = share.limit == 0 || share.admitted.size() < share.limit;
  (room ? share.admitted : share.waiting).insert(prefix);
}

void Rib::leave(const IpAddress& gateway, const IpPrefix& prefix) {
  const auto found = shares_.find(gateway);
  found->second.waiting.erase(prefix);
  if (found->second.admitted.erase(prefix) != 0) balance(found->second);
  if (found->second.admitted.empty()) shares_.erase(found);  // then nobody waits
}

// The first that waits come in while there is room; the last go out while there are too many.
void Rib::balance(Share& share) {
  const auto move_one = [this](std::set<IpPrefix>& from, std::set<IpPrefix>& to, std::set<IpPrefix>::iterator which) {
    dirty_.insert(*which);
    to.insert(from.extract(which));
  };
  while (share.limit != 0 && share.admitted.size() > share.limit) {
    move_one(share.admitted, share.waiting, std::prev(share.admitted.end()));
  }
  while (!share.waiting.empty() && (share.limit == 0 || share.admitted.size() < share.limit)) {
    move_one(share.waiting, share.admitted, share.waiting.begin());
  }
}

void Rib::set_limits(RibLimits limits) {
  if (limits == limits_) return;
  limits_ = std::move(limits);
  for (auto& [gateway, share] : shares_) {
    share.limit = limit_of(gateway);
    balance(share);
  }
}

uint64_t Rib::surplus() const {
  uint64_t out = 0;
  for (const auto& [gateway, share] : shares_) out += share.waiting.size();
  return out;
}

// --- restarts, and what is due --------------------------------------------------------------------

void Rib::restart_begins(Time latest) {
  if (phase_ == Phase::normal) latest_ = latest;  // a second death gives no more time
  phase_ = Phase::away;
}

void Rib::stream_lost(Time latest) {
  restart_begins(latest);
  for (auto& [prefix, route] : routes_) route.marked = true;
  refused_routes_.clear();
}

void Rib::settled(Time now) {
  if (phase_ != Phase::away) return;
  phase_ = Phase::returning;
  quiet_since_ = now;
}

void Rib::sweep() {
  std::vector<IpPrefix> out;
  for (const auto& [prefix, route] : routes_) {
    if (route.marked) out.push_back(prefix);
  }
  for (const IpPrefix& prefix : out) erase(prefix);
}

void Rib::expire(Time now) {
  if (phase_ != Phase::normal) {
    const bool quiet = phase_ == Phase::returning && now >= quiet_since_ + kQuiet;
    if (!quiet && now < latest_) return;
    phase_ = Phase::normal;
    sweep();
  }
  while (!removals_.empty() && removals_.begin()->first + kDeleteHold <= now)
    erase(IpPrefix(removals_.begin()->second));
}

std::vector<RouteChange> Rib::take_changes(Time now) {
  expire(now);
  std::vector<RouteChange> out;
  for (const IpPrefix& prefix : dirty_) {
    const auto found = routes_.find(prefix);
    if (found == routes_.end()) {
      if (gone_.erase(prefix) != 0) out.push_back({prefix, {}});
      continue;
    }
    std::vector<IpAddress> gateways;
    for (const IpAddress& gateway : found->second.told) {
      if (shares_.at(gateway).admitted.count(prefix) != 0) gateways.push_back(gateway);
    }
    if (gateways == found->second.published) continue;
    found->second.published = gateways;
    out.push_back({prefix, std::move(gateways)});
  }
  dirty_.clear();
  return out;
}

std::optional<Time> Rib::next_deadline() const {
  if (!dirty_.empty()) return Time{};
  switch (phase_) {
    case Phase::away:
      return latest_;
    case Phase::returning:
      return std::min(latest_, quiet_since_ + kQuiet);
    case Phase::normal:
      if (!removals_.empty()) return removals_.begin()->first + kDeleteHold;
  }
  return std::nullopt;
}

}  // namespace viaduct::routing::bgp
