#include "api/rest/local_routes.hpp"

namespace viaduct::api::rest {
namespace {

constexpr size_t kMostAddresses = 16;  // of a port that are looked through for an id

// Another id for each address of the port, and the port's again when done twice.
Uuid derived(const Uuid& id, size_t index) {
  constexpr uint64_t kHigh = 0x6c6f'6361'6c2d'726fULL, kLow = 0x7574'6500'0000'0000ULL;  // "local-route"
  return Uuid::from_words(id.high() ^ kHigh, id.low() ^ (kLow | index));
}

std::vector<IpPrefix> addresses_of(const Record& port) {
  const auto* addresses = std::get_if<std::vector<IpPrefix>>(&port.get("addresses"));
  return addresses == nullptr ? std::vector<IpPrefix>() : *addresses;
}

Record route(const Record& port, const IpAddress& address, size_t index) {
  Record out(Kind::ROUTE, derived(port.id(), index));
  out.set("router", port.reference("router"));
  out.set("source", IpPrefix::any(address.family()));
  out.set("destination", IpPrefix::host(address));
  out.set("next_hop", std::string("local"));
  out.set("next_hop_port", port.id());
  out.set("weight", uint64_t{0});
  return out;
}

}  // namespace

std::vector<Record> local_routes(const std::vector<Record>& ports) {
  std::vector<Record> out;
  for (const Record& port : ports) {
    const auto addresses = addresses_of(port);
    for (size_t i = 0; i < addresses.size(); ++i) out.push_back(route(port, addresses[i].address(), i));
  }
  return out;
}

std::optional<Record> find_local_route(Context& context, const Uuid& id) {
  for (size_t i = 0; i < kMostAddresses; ++i) {
    auto port = context.find(Kind::PORT, derived(id, i));
    if (!port) continue;
    const auto addresses = addresses_of(*port);
    if (i < addresses.size()) return route(*port, addresses[i].address(), i);
  }
  return std::nullopt;
}

}  // namespace viaduct::api::rest
