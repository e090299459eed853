#include "actors/agent/parking_lot.hpp"

#include <utility>

namespace viaduct::actors {

std::optional<ParkRefusal> ParkingLot::refusal(const Wanted& wanted, const ParkedPacket& packet) const {
  if (auto same = waiting_.find(wanted); same != waiting_.end() && same->second.size() >= options_.per_fact) {
    return ParkRefusal::fact_full;
  }
  if (auto port = by_port_.find(packet.in_port); port != by_port_.end() && port->second >= options_.per_port) {
    return ParkRefusal::port_full;
  }
  if (spots_.size() >= options_.packets) return ParkRefusal::packets_full;
  if (bytes_ + packet.frame.size() > options_.bytes) return ParkRefusal::bytes_full;
  return std::nullopt;
}

std::optional<ParkRefusal> ParkingLot::park(const Wanted& wanted, ParkedPacket packet, flows::Time deadline) {
  if (auto reason = refusal(wanted, packet)) {
    ++refused_[static_cast<size_t>(*reason)];
    return reason;
  }
  bytes_ += packet.frame.size();
  ++by_port_[packet.in_port];
  // Deadlines come nearly in order: the search from the end is short.
  auto behind = spots_.end();
  while (behind != spots_.begin() && std::prev(behind)->deadline > deadline) --behind;
  waiting_[wanted].push_back(spots_.insert(behind, {wanted, std::move(packet), deadline}));
  return std::nullopt;
}

ParkedPacket ParkingLot::leave(Spots::iterator spot) {
  ParkedPacket packet = std::move(spot->packet);
  spots_.erase(spot);
  bytes_ -= packet.frame.size();
  if (auto port = by_port_.find(packet.in_port); --port->second == 0) by_port_.erase(port);
  return packet;
}

std::vector<ParkedPacket> ParkingLot::take(const Wanted& wanted) {
  std::vector<ParkedPacket> out;
  auto node = waiting_.extract(wanted);
  if (node.empty()) return out;
  out.reserve(node.mapped().size());
  for (auto spot : node.mapped()) out.push_back(leave(spot));
  return out;
}

std::vector<ParkedPacket> ParkingLot::expire(flows::Time now) {
  std::vector<ParkedPacket> out;
  while (!spots_.empty() && spots_.front().deadline <= now) {
    const auto spot = spots_.begin();
    const auto same = waiting_.find(spot->wanted);
    std::erase(same->second, spot);
    if (same->second.empty()) waiting_.erase(same);
    out.push_back(leave(spot));
  }
  return out;
}

std::optional<flows::Time> ParkingLot::next_deadline() const {
  return spots_.empty() ? std::nullopt : std::optional(spots_.front().deadline);
}

}  // namespace viaduct::actors
