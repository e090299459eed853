#include "actors/agent/route_book.hpp"

#include <algorithm>

namespace viaduct::actors {

using flows::simulation::LearnedAtPort;
using flows::simulation::LearnedByHost;
using flows::simulation::Locations;
using flows::simulation::Moved;
using topology::GatewayLost;
using topology::HostFact;
using topology::LearnedRoutes;

namespace {

template <class Change>
void change_at(PortId port, HostId host, Locations& locations, Change&& change) {
  const LearnedByHost* known = locations.learned.find(port);
  LearnedByHost all = known == nullptr ? LearnedByHost{} : *known;
  const auto said = all.find(host);
  LearnedAtPort learned = said == all.end() ? LearnedAtPort{} : *said->second;
  change(learned);
  if (learned.empty()) {
    all.erase(host);
  } else {
    all[host] = std::make_shared<const LearnedAtPort>(std::move(learned));
  }
  all.empty() ? locations.learned.remove(port) : locations.learned.put(port, std::move(all));
}

// The port concerned; nil when the fact is of another kind.
struct Say {
  HostId host;
  bool is_so;
  Locations& locations;

  PortId operator()(const LearnedRoutes& routes) const {
    change_at(routes.port, host, locations, [&](LearnedAtPort& learned) {
      const flows::simulation::LearnedPart part{routes.gateway, routes.part};
      is_so ? learned.parts.put(part, std::make_shared<const LearnedRoutes>(routes)) : learned.parts.remove(part);
    });
    return routes.port;
  }
  PortId operator()(const GatewayLost& gone) const {
    change_at(gone.port, host, locations, [&](LearnedAtPort& learned) {
      const auto at = std::lower_bound(learned.lost.begin(), learned.lost.end(), gone.gateway);
      const bool known = at != learned.lost.end() && *at == gone.gateway;
      if (is_so && !known) learned.lost.insert(at, gone.gateway);
      if (!is_so && known) learned.lost.erase(at);
    });
    return gone.port;
  }
  PortId operator()(const auto&) const { return {}; }
};

// Whether the host says so; not of facts of other kinds.
struct Says {
  HostId host;
  const Locations& locations;

  const LearnedAtPort* at(PortId port) const {
    const LearnedByHost* known = locations.learned.find(port);
    if (known == nullptr) return nullptr;
    const auto said = known->find(host);
    return said == known->end() ? nullptr : said->second.get();
  }
  bool operator()(const LearnedRoutes& routes) const {
    const LearnedAtPort* learned = at(routes.port);
    return learned != nullptr && learned->parts.find({routes.gateway, routes.part}) != nullptr;
  }
  bool operator()(const GatewayLost& gone) const {
    const LearnedAtPort* learned = at(gone.port);
    return learned != nullptr && std::binary_search(learned->lost.begin(), learned->lost.end(), gone.gateway);
  }
  bool operator()(const auto&) const { return false; }
};

void say(HostId host, const HostFact& fact, bool is_so, Locations& locations, Moved& moved) {
  const PortId port = std::visit(Say{host, is_so, locations}, fact);
  if (port.is_nil()) return;
  if (moved.ports.empty() || moved.ports.back() != port) moved.ports.push_back(port);
}

}  // namespace

void RouteBook::restore(const HostFact& fact, Locations& locations) const {
  std::visit(Say{self_, true, locations}, fact);
}

void RouteBook::follow(const topology::StateChange& change, Locations& locations, Moved& moved) const {
  const auto& before = change.before;
  const auto& after = change.after;
  if (before != nullptr && before->host != self_ && (after == nullptr || after->host != before->host)) {
    say(before->host, before->fact, false, locations, moved);
  }
  if (after != nullptr && after->host != self_) say(after->host, after->fact, true, locations, moved);
}

bool RouteBook::is_missing(const topology::StateChange& change, const Locations& locations) const {
  if (change.before == nullptr || change.before->host != self_) return false;
  if (change.after != nullptr && change.after->host == self_) return false;
  return std::visit(Says{self_, locations}, change.before->fact);
}

void RouteBook::learn(const RoutesLearned& news, Locations& locations, Moved& moved) const {
  for (const HostFact& fact : news.ended) say(self_, fact, false, locations, moved);
  for (const HostFact& fact : news.said) say(self_, fact, true, locations, moved);
}

}  // namespace viaduct::actors
