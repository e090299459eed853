#include "topology/parents.hpp"

namespace viaduct::topology {
namespace {

using Parents = std::vector<ParentField>;
Parents parents_of_kind(const auto&, const auto&) { return {}; }
Parents parents_of_kind(const Port& before, const Port& after) {
  return {{"bridge", before.bridge.uuid(), after.bridge.uuid()}, {"router", before.router.uuid(), after.router.uuid()}};
}
Parents parents_of_kind(const Route& before, const Route& after) {
  return {{"router", before.router.uuid(), after.router.uuid()}};
}
Parents parents_of_kind(const StaticMac& before, const StaticMac& after) {
  return {{"bridge", before.bridge.uuid(), after.bridge.uuid()}};
}
Parents parents_of_kind(const StaticNeighbour& before, const StaticNeighbour& after) {
  return {{"bridge", before.bridge.uuid(), after.bridge.uuid()}};
}
Parents parents_of_kind(const TunnelZoneHost& before, const TunnelZoneHost& after) {
  return {{"zone", before.zone.uuid(), after.zone.uuid()}, {"host", before.host.uuid(), after.host.uuid()}};
}
Parents parents_of_kind(const Rule& before, const Rule& after) {
  return {{"chain", before.chain.uuid(), after.chain.uuid()}};
}
Parents parents_of_kind(const PortGroupPort& before, const PortGroupPort& after) {
  return {{"group", before.group.uuid(), after.group.uuid()}, {"port", before.port.uuid(), after.port.uuid()}};
}
Parents parents_of_kind(const IpGroupAddress& before, const IpGroupAddress& after) {
  return {{"group", before.group.uuid(), after.group.uuid()}};
}
Parents parents_of_kind(const BgpPeer& before, const BgpPeer& after) {
  return {{"router", before.router.uuid(), after.router.uuid()}};
}
Parents parents_of_kind(const BgpNetwork& before, const BgpNetwork& after) {
  return {{"router", before.router.uuid(), after.router.uuid()}};
}

}  // namespace

std::vector<ParentField> parents_of(const Object& before, const Object& after) {
  return std::visit(
      [&](const auto& value) { return parents_of_kind(value, std::get<std::remove_cvref_t<decltype(value)>>(after)); },
      before);
}

}  // namespace viaduct::topology
