#include "driver.hpp"

#include <algorithm>

#include "flows/packet/packet.hpp"

namespace viaduct::scenario {

using namespace viaduct::flows;

std::string ports_of(const std::vector<Delivery>& deliveries) {
  std::vector<std::string> names;
  for (const Delivery& delivery : deliveries) names.push_back(delivery.port);
  std::sort(names.begin(), names.end());
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " ") + name;
  return out.empty() ? "nothing" : out;
}

Frame on(const std::vector<Delivery>& deliveries, const std::string& port) {
  const Delivery* only = nullptr;
  for (const Delivery& delivery : deliveries) {
    if (delivery.port != port) continue;
    if (only != nullptr) return {};
    only = &delivery;
  }
  return only == nullptr ? Frame{} : only->frame;
}

namespace {

std::string describe_neighbour_discovery(const NeighbourDiscovery& nd) {
  const std::string who = nd.link_layer ? nd.link_layer->to_string() : "nobody";
  if (!nd.is_advertisement) return "ns who-has " + nd.target.to_string() + " tell " + who;
  return "na " + nd.target.to_string() + " is-at " + who + (nd.router ? " router" : "") +
         (nd.solicited ? " solicited" : "") + (nd.override_ ? " override" : "");
}

}  // namespace

std::string describe(const Frame& frame) {
  if (frame.empty()) return "no frame";
  Frame copy = frame;
  const Packet packet = parse(copy, PortNumber{});
  const FlowKey& key = packet.key;
  if (const auto arp = parse_arp(packet)) {
    return arp->operation == Arp::request
               ? "arp request " + arp->target_ip.to_string() + " tell " + arp->sender_ip.to_string()
               : "arp reply " + arp->sender_ip.to_string() + " is-at " + arp->sender_mac.to_string();
  }
  if (const auto nd = parse_neighbour_discovery(packet)) return describe_neighbour_discovery(*nd);
  if (!key.is_ip()) return "ethertype " + std::to_string(key.eth_type);
  const std::string ends = key.ip_src.to_string() + " > " + key.ip_dst.to_string();
  if (key.ip_proto == ip_proto::kIcmp || key.ip_proto == ip_proto::kIcmpv6) {
    return "icmp " + std::to_string(key.l4_src) + "/" + std::to_string(key.l4_dst) + " " + ends;
  }
  return "ip " + ends + " proto " + std::to_string(key.ip_proto) + " ttl " + std::to_string(key.ip_ttl);
}

std::string ethernet_of(const Frame& frame) {
  Frame copy = frame;
  const Packet packet = parse(copy, PortNumber{});
  return packet.key.eth_src.to_string() + " > " + packet.key.eth_dst.to_string();
}

}  // namespace viaduct::scenario
