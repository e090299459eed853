#include "routing/bgp/fpm.hpp"

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

#include "routing/bgp/netlink_view.hpp"

namespace viaduct::routing::bgp {

namespace {

constexpr size_t kFrameHeader = 4;
constexpr uint8_t kVersion = 1, kNetlink = 1;
static_assert(FpmDecoder::kBgpProtocol == RTPROT_BGP);

std::optional<IpAddress> address(uint8_t family, Bytes value) {
  if (family == AF_INET && value.size() == 4) return IpAddress::from_network(IpFamily::v4, value.data());
  if (family == AF_INET6 && value.size() == 16) return IpAddress::from_network(IpFamily::v6, value.data());
  return std::nullopt;
}

// RTA_VIA: a family and an address of it.
std::optional<IpAddress> via(Bytes value) {
  const auto family = read_header<uint16_t>(value);
  if (!family || *family > 0xff) return std::nullopt;
  return address(static_cast<uint8_t>(*family), value.subspan(sizeof(uint16_t)));
}

// What is in the attributes of a route, or of one leg of RTA_MULTIPATH.
struct Found {
  std::vector<IpAddress> gateways = {};
  std::optional<Bytes> destination = {};
  std::optional<uint32_t> next_hop_id = {}, table = {};
  bool sound = true;

  void gateway(const std::optional<IpAddress>& one) {
    if (!one || gateways.size() >= FpmDecoder::kMaxGateways) sound = false;
    if (sound) gateways.push_back(*one);
  }
};

void read_multipath(uint8_t family, Bytes legs, Found& out) {
  while (!legs.empty() && out.sound) {
    const auto leg = read_header<rtnexthop>(legs);
    if (!leg || leg->rtnh_len < sizeof(rtnexthop) || leg->rtnh_len > legs.size()) {
      out.sound = false;
      return;
    }
    const Bytes attributes = legs.subspan(sizeof(rtnexthop), leg->rtnh_len - sizeof(rtnexthop));
    const bool whole = for_each_attribute(attributes, [&](const Attribute& one) {
      if (one.type == RTA_GATEWAY) out.gateway(address(family, one.value));
      if (one.type == RTA_VIA) out.gateway(via(one.value));
    });
    out.sound = out.sound && whole;
    legs = rest_after(legs, leg->rtnh_len);
  }
}

Found read_route(uint8_t family, Bytes attributes) {
  Found out;
  const bool whole = for_each_attribute(attributes, [&](const Attribute& one) {
    switch (one.type) {
      case RTA_DST:
        out.destination = one.value;
        break;
      case RTA_GATEWAY:
        out.gateway(address(family, one.value));
        break;
      case RTA_VIA:
        out.gateway(via(one.value));
        break;
      case RTA_MULTIPATH:
        read_multipath(family, one.value, out);
        break;
      case RTA_NH_ID:
        out.next_hop_id = one.u32();
        out.sound = out.sound && out.next_hop_id.has_value();
        break;
      case RTA_TABLE:
        out.table = one.u32();
        break;
      default:
        break;  // metrics, interfaces, encapsulations: not ours
    }
  });
  out.sound = out.sound && whole;
  return out;
}

// The network of a route; nothing: length or address are impossible. No RTA_DST: the default route.
std::optional<IpPrefix> destination(const rtmsg& header, const Found& found) {
  if (header.rtm_family != AF_INET && header.rtm_family != AF_INET6) return std::nullopt;
  const IpFamily family = header.rtm_family == AF_INET ? IpFamily::v4 : IpFamily::v6;
  if (header.rtm_dst_len > 8 * address_bytes(family)) return std::nullopt;
  if (!found.destination) return header.rtm_dst_len == 0 ? std::optional(IpPrefix::any(family)) : std::nullopt;
  const auto value = address(header.rtm_family, *found.destination);
  if (!value) return std::nullopt;
  return IpPrefix(*value, header.rtm_dst_len).network();
}

}  // namespace

void FpmDecoder::reset() {
  pending_.clear();
  next_hops_.clear();
  routes_by_id_.clear();
}

bool FpmDecoder::feed(Bytes bytes, std::vector<RouteNews>& out) {
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  Bytes left(pending_);
  while (left.size() >= kFrameHeader) {
    const size_t length = size_t{left[2]} << 8 | left[3];
    if (left[0] != kVersion || left[1] != kNetlink || length < kFrameHeader) return false;
    if (left.size() < length) break;
    ++counters_.frames;
    messages(left.subspan(kFrameHeader, length - kFrameHeader), out);
    left = left.subspan(length);
  }
  pending_.erase(pending_.begin(), pending_.end() - static_cast<ptrdiff_t>(left.size()));
  return true;
}

void FpmDecoder::messages(Bytes bytes, std::vector<RouteNews>& out) {
  while (!bytes.empty()) {
    const auto header = read_header<nlmsghdr>(bytes);
    if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > bytes.size()) {
      ++counters_.malformed;
      return;
    }
    message(header->nlmsg_type, bytes.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr)), out);
    bytes = rest_after(bytes, header->nlmsg_len);
  }
}

void FpmDecoder::message(uint16_t type, Bytes body, std::vector<RouteNews>& out) {
  switch (type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return route(body, type == RTM_DELROUTE, out);
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
      return next_hop(body, type == RTM_DELNEXTHOP, out);
    default:
      ++counters_.unknown;
  }
}

void FpmDecoder::route(Bytes body, bool removed, std::vector<RouteNews>& out) {
  const auto header = read_header<rtmsg>(body);
  if (!header) {
    ++counters_.malformed;
    return;
  }
  const Found found = read_route(header->rtm_family, rest_after(body, sizeof(rtmsg)));
  const auto prefix = destination(*header, found);
  if (!prefix || !found.sound) {
    ++counters_.malformed;
    return;
  }
  if (header->rtm_protocol != kBgpProtocol || found.table.value_or(header->rtm_table) != RT_TABLE_MAIN) {
    ++counters_.other_routes;
    return;
  }
  routes_by_id_.erase(*prefix);
  if (removed) {
    ++counters_.routes;
    out.push_back({*prefix, {}, true});
    return;
  }
  if (found.next_hop_id) routes_by_id_[*prefix] = *found.next_hop_id;
  if (header->rtm_type != RTN_UNICAST) return tell(*prefix, {}, out);
  tell(*prefix, found.next_hop_id ? gateways_of(*found.next_hop_id) : found.gateways, out);
}

void FpmDecoder::tell(const IpPrefix& prefix, std::vector<IpAddress> gateways, std::vector<RouteNews>& out) {
  std::sort(gateways.begin(), gateways.end());
  gateways.erase(std::unique(gateways.begin(), gateways.end()), gateways.end());
  ++counters_.routes;
  if (gateways.empty()) ++counters_.no_gateway;
  const bool removed = gateways.empty();
  out.push_back({prefix, std::move(gateways), removed});
}

std::vector<IpAddress> FpmDecoder::gateways_of(uint32_t id) const {
  std::vector<IpAddress> out;
  const auto found = next_hops_.find(id);
  if (found == next_hops_.end()) return out;
  if (found->second.gateway) out.push_back(*found->second.gateway);
  for (const uint32_t member : found->second.group) {  // groups of groups do not exist
    const auto one = next_hops_.find(member);
    if (one != next_hops_.end() && one->second.gateway) out.push_back(*one->second.gateway);
  }
  return out;
}

void FpmDecoder::next_hop(Bytes body, bool removed, std::vector<RouteNews>& out) {
  const auto header = read_header<nhmsg>(body);
  std::optional<uint32_t> id;
  NextHop hop;
  bool sound = header.has_value();
  const bool whole = sound && for_each_attribute(rest_after(body, sizeof(nhmsg)), [&](const Attribute& one) {
                       if (one.type == NHA_ID) id = one.u32();
                       if (one.type == NHA_GATEWAY) {
                         hop.gateway = address(header->nh_family, one.value);
                         sound = sound && hop.gateway;
                       }
                       if (one.type != NHA_GROUP) return;
                       sound = sound && one.value.size() % sizeof(nexthop_grp) == 0 &&
                               one.value.size() / sizeof(nexthop_grp) <= kMaxGateways;
                       for (Bytes left = one.value; sound && !left.empty(); left = left.subspan(sizeof(nexthop_grp))) {
                         hop.group.push_back(read_header<nexthop_grp>(left)->id);
                       }
                     });
  if (!whole || !sound || !id) {
    ++counters_.malformed;
    return;
  }
  if (removed) {
    next_hops_.erase(*id);  // its routes have gone before, or go soon
    return;
  }
  const bool known = next_hops_.count(*id) != 0;
  if (!known && next_hops_.size() >= kMaxNextHops) {
    ++counters_.over_bound;
    return;
  }
  next_hops_[*id] = std::move(hop);
  if (!known) return;
  for (const auto& [prefix, of_route] : routes_by_id_) {
    const auto found = next_hops_.find(of_route);
    if (found == next_hops_.end()) continue;
    const std::vector<uint32_t>& group = found->second.group;
    if (of_route == *id || std::find(group.begin(), group.end(), *id) != group.end())
      tell(prefix, gateways_of(of_route), out);
  }
}

}  // namespace viaduct::routing::bgp
