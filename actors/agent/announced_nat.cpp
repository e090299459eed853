#include "actors/agent/announced_nat.hpp"

#include <algorithm>
#include <set>

namespace viaduct::actors {

using topology::NatKind;
using topology::NatTarget;
using topology::Rule;
using topology::Snapshot;

namespace {

class NatOf {
 public:
  explicit NatOf(const Snapshot& topology) : topology_(topology) {}

  void add_chain(ChainId chain) {
    if (!chain.is_nil() && seen_.insert(chain).second) waiting_.push_back(chain);
  }
  void walk() {
    while (!waiting_.empty()) {
      const ChainId chain = waiting_.back();
      waiting_.pop_back();
      topology_.for_each_rule_of(chain, [&](const Rule& rule) {
        if (rule.action == topology::RuleAction::jump) add_chain(rule.jump);
        if (rule.nat == NatKind::snat) {
          for (const NatTarget& target : rule.targets) add_target(target);
        }
        const auto& destination = rule.condition.ip_dst;
        if (rule.nat == NatKind::dnat && destination.value && !destination.inverted && !rule.condition.inverted &&
            destination.value->length() > 0) {
          found.insert(destination.value->network());
        }
      });
    }
  }
  void add_vips(LoadBalancerId balancer) {
    const auto* one = balancer.is_nil() ? nullptr : topology_.find(balancer);
    if (one == nullptr || !one->admin_up) return;
    topology_.for_each_pool_of(balancer, [&](const topology::Pool& pool) {
      if (!pool.admin_up) return;
      topology_.for_each_vip_of(pool.id, [&](const topology::Vip& vip) {
        if (vip.admin_up) found.insert(IpPrefix::host(vip.address));
      });
    });
  }

  std::set<IpPrefix> found;

 private:
  void add_target(const NatTarget& target) {
    if (target.prefix_length != 0) {
      found.insert(IpPrefix(target.first, target.prefix_length).network());
    } else if (target.is_static()) {
      found.insert(IpPrefix::host(target.first));
    } else {
      for (const IpPrefix& one : prefixes_of(target.first, target.last, AnnouncedNat::kMost + 1)) found.insert(one);
    }
  }

  const Snapshot& topology_;
  std::set<ChainId> seen_;
  std::vector<ChainId> waiting_;
};

bool routable(const IpPrefix& prefix) {
  const IpAddress& address = prefix.address();
  return !address.is_any() && !address.is_multicast() && !address.is_loopback() && !address.is_link_local();
}

// The last address of the prefix.
IpAddress last_of(const IpPrefix& prefix) {
  IpAddress::Bytes bytes = prefix.network().address().storage();
  for (int bit = prefix.length(); bit < prefix.address().width_bits(); ++bit) {
    bytes[static_cast<size_t>(bit / 8)] |= static_cast<uint8_t>(0x80 >> bit % 8);
  }
  return IpAddress::from_network(prefix.family(), bytes.data());
}

// The next one; nothing behind the last one of all.
std::optional<IpAddress> after(const IpAddress& address) {
  IpAddress::Bytes bytes = address.storage();
  for (int i = address_bytes(address.family()) - 1; i >= 0; --i) {
    if (++bytes[static_cast<size_t>(i)] != 0) return IpAddress::from_network(address.family(), bytes.data());
  }
  return std::nullopt;
}

}  // namespace

std::vector<IpPrefix> prefixes_of(const IpAddress& first, const IpAddress& last, size_t most) {
  std::vector<IpPrefix> out;
  std::optional<IpAddress> at = first;
  while (at && *at <= last && out.size() < most) {
    // The widest that begins here and ends in time.
    IpPrefix one = IpPrefix::host(*at);
    while (one.length() > 0) {
      const IpPrefix wider(*at, one.length() - 1);
      if (wider.has_host_bits() || last < last_of(wider)) break;
      one = wider;
    }
    out.push_back(one);
    at = after(last_of(one));
  }
  return out;
}

AnnouncedNat announced_nat(const Snapshot& topology, RouterId id, const std::vector<IpPrefix>& covered) {
  AnnouncedNat out;
  const auto* router = topology.find(id);
  if (router == nullptr) return out;
  NatOf nat(topology);
  for (ChainId chain :
       {router->local_redirect, router->inbound_filter, router->forward_filter, router->outbound_filter}) {
    nat.add_chain(chain);
  }
  std::set<IpPrefix> own;
  topology.for_each_port_of(id.uuid(), [&](const topology::Port& port) {
    nat.add_chain(port.inbound_filter);
    nat.add_chain(port.outbound_filter);
    for (const IpPrefix& address : port.addresses) own.insert(IpPrefix::host(address.address()));
  });
  nat.walk();
  nat.add_vips(router->load_balancer);
  // By address, a prefix before those within it.
  for (const IpPrefix& prefix : nat.found) {
    const auto holds = [&](const IpPrefix& other) { return other.contains(prefix); };
    if (!routable(prefix) || own.contains(prefix) || std::any_of(covered.begin(), covered.end(), holds)) continue;
    if (!out.prefixes.empty() && out.prefixes.back().contains(prefix)) continue;
    if (out.prefixes.size() == AnnouncedNat::kMost) {
      out.cut = true;
      break;
    }
    out.prefixes.push_back(prefix);
  }
  return out;
}

}  // namespace viaduct::actors
