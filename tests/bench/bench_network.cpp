#include "bench_network.hpp"

namespace viaduct::bench {

using scenario::ip;
using scenario::prefix;

namespace {

constexpr uint64_t kGuestMac = 0x0200'0000'0001;
constexpr uint64_t kFarMac = 0x0200'0001'0000;  // + host

// The router's port `side` (0: towards the guest, 1: away from it).
MacAddress router_mac(int router, int side) { return MacAddress::from_uint64(0x0200'00ff'0000 + router * 2 + side); }
std::string name(const char* kind, int number) { return kind + std::to_string(number); }
std::string port_name(int router, int side) { return name("r", router) + (side == 0 ? "-near" : "-far"); }
MacAddress far_mac(int host) { return MacAddress::from_uint64(kFarMac + static_cast<uint64_t>(host)); }

}  // namespace

BenchNetwork::BenchNetwork(int devices, IpFamily family) : devices_(devices), family_(family) {
  build_path();
  compile();
  frame_ = frame_to(0);
}

// Segment `number` is what bridge b<number> connects; the last one may be an uplink's link.
std::string BenchNetwork::subnet(int number, int host) const {
  if (family_ == IpFamily::v4) {
    return "10." + std::to_string(number) + "." + std::to_string(host / 256) + "." + std::to_string(host % 256);
  }
  char text[48];
  std::snprintf(text, sizeof text, "fd00:%x::%x", number + 1, host);
  return text;
}

IpAddress BenchNetwork::destination(int host) const { return ip(subnet(devices_ / 2, 0x1000 + host)); }

void BenchNetwork::build_path() {
  const char* length = family_ == IpFamily::v4 ? "/16" : "/64";
  const int routers = devices_ / 2;
  for (int i = 0; i <= routers && 2 * i < devices_; ++i) scenario_.bridge(name("b", i));
  scenario_.guest_port("b0", "guest");
  for (int i = 0; i < routers; ++i) {
    scenario_.router(name("r", i));
    scenario_.link(name("b", i), port_name(i, 0), router_mac(i, 0).to_string(), {subnet(i, 1) + length});
    const scenario::ScenarioNetwork::Addresses far{subnet(i + 1, 2) + length};
    if (2 * (i + 1) < devices_) {
      scenario_.link(name("b", i + 1), port_name(i, 1), router_mac(i, 1).to_string(), far);
    } else {
      scenario_.uplink(name("r", i), port_name(i, 1), router_mac(i, 1).to_string(), far);
    }
  }
  const std::string everything = family_ == IpFamily::v4 ? "0.0.0.0/0" : "::/0";
  for (int i = 0; i + 1 < routers; ++i) {
    scenario_.route(name("onward", i), name("r", i), everything, port_name(i, 1), subnet(i + 1, 1));
  }
  if (devices_ % 2 == 1) scenario_.guest_port(name("b", routers), "far");
  know_gateways();
  know_destinations(1);
}

void BenchNetwork::know_gateways() {
  const BridgeId first(scenario_.id("b0"));
  macs_.learn({first, 0, MacAddress::from_uint64(kGuestMac)}, scenario_.port("guest"), now_);
  for (int i = 0; i + 1 < devices_ / 2; ++i) {
    neighbours_.learn({scenario_.id(name("r", i)), scenario_.port(port_name(i, 1)), ip(subnet(i + 1, 1))},
                      router_mac(i + 1, 0), now_);
  }
}

void BenchNetwork::know_destinations(int count) {
  const int last = devices_ / 2 - 1;
  for (int host = 0; host < count; ++host) {
    if (devices_ % 2 == 1) {
      macs_.learn({BridgeId(scenario_.id(name("b", devices_ / 2))), 0, far_mac(host)}, scenario_.port("far"), now_);
    }
    if (last < 0) continue;
    neighbours_.learn({scenario_.id(name("r", last)), scenario_.port(port_name(last, 1)), destination(host)},
                      far_mac(host), now_);
  }
}

std::vector<uint8_t> BenchNetwork::frame_to(int host) const {
  const MacAddress next = devices_ == 1 ? far_mac(host) : router_mac(0, 0);
  return flows::PacketBuilder{}
      .eth(MacAddress::from_uint64(kGuestMac), next)
      .ip(ip(subnet(0, 0x100)), destination(host))
      .udp(4000, 5000)
      .payload(64)
      .build();
}

void BenchNetwork::add_bridge_ports(int count) {
  for (int i = 0; i < count; ++i) scenario_.guest_port("b0", name("more", i));
}

void BenchNetwork::add_routes(int count) {
  topology::Route route;
  route.router = RouterId(scenario_.id("r0"));
  route.source = IpPrefix::any(family_);
  route.next_hop_port = scenario_.port(port_name(0, 1));
  route.gateway = ip(subnet(1, 1));
  for (int i = 0; i < count; ++i) {
    route.id = RouteId(Uuid::from_words(0x5ca1ab1eULL * static_cast<uint64_t>(i + 1), static_cast<uint64_t>(i)));
    char text[48];
    if (family_ == IpFamily::v4) {
      std::snprintf(text, sizeof text, "%d.%d.%d.0/24", 100 + (i >> 16), i >> 8 & 255, i & 255);
    } else {
      std::snprintf(text, sizeof text, "2001:%x:%x::/48", i >> 16, i & 0xffff);
    }
    route.destination = prefix(text);
    scenario_.put(route);
  }
}

void BenchNetwork::put_far_on_another_host() {
  scenario_.spread(2).move("guest", 0).move("far", 1).change_hosts().mtu = 1450;
}

void BenchNetwork::compile() { network_ = scenario_.compile(0); }

}  // namespace viaduct::bench
