#include "routing/bgp/peer_status.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace viaduct::routing::bgp {

namespace {

using Json = nlohmann::json;

constexpr std::array kStates = {
    std::pair("Idle", PeerState::idle),
    std::pair("Connect", PeerState::connect),
    std::pair("Active", PeerState::active),
    std::pair("OpenSent", PeerState::open_sent),
    std::pair("OpenConfirm", PeerState::open_confirm),
    std::pair("Established", PeerState::established),
};

// Members that are missing, or of another type, are as if they were empty.
const Json& member(const Json& object, const char* key) {
  static const Json kNothing;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? kNothing : *found;
}
uint64_t number(const Json& value) { return value.is_number_unsigned() ? value.get<uint64_t>() : 0; }
std::string text(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

PeerState state_of(const std::string& name) {
  for (const auto& [word, state] : kStates) {
    if (name == word) return state;
  }
  return PeerState::unknown;
}

PeerStatus status_of(const IpAddress& address, const Json& peer) {
  const char* family = address.is_v4() ? "ipv4Unicast" : "ipv6Unicast";
  PeerStatus out{.address = address, .state = state_of(text(member(peer, "bgpState")))};
  if (out.state == PeerState::established) {
    const uint64_t up = number(member(peer, "bgpTimerUpMsec"));
    out.uptime = std::chrono::milliseconds(std::min<uint64_t>(up, INT64_MAX));
  }
  const Json& counters = member(member(peer, "addressFamilyInfo"), family);
  out.prefixes_in = number(member(counters, "acceptedPrefixCounter"));
  out.prefixes_out = number(member(counters, "sentPrefixCounter"));
  out.sessions_lost = number(member(peer, "connectionsDropped"));
  const Json& restart = member(peer, "gracefulRestartInfo");
  out.restarting = member(restart, "gracefulRestartTimerMsecs").is_number() ||
                   member(restart, "gracefulStalepathTimerMsecs").is_number() ||
                   member(peer, "gracefulRestartTimerMsecs").is_number() ||
                   member(peer, "gracefulStalepathTimerMsecs").is_number();
  out.end_of_rib = member(member(restart, "endOfRibRecv"), family) == true;
  const std::string bfd = text(member(member(peer, "peerBfdInfo"), "status"));
  if (!bfd.empty()) out.bfd = bfd == "Up" ? BfdState::up : BfdState::down;
  // The first session has not ended: what bgpd says is from its own start.
  if (out.state == PeerState::established && out.sessions_lost == 0) return out;
  out.last_error = text(member(peer, "lastResetDueTo"));
  const std::string reason = text(member(peer, "lastNotificationReason"));
  if (!reason.empty()) out.last_error += (out.last_error.empty() ? "" : ": ") + reason;
  return out;
}

}  // namespace

bool is_lost(const PeerStatus& peer) {
  return peer.sessions_lost > 0 && peer.state != PeerState::established && !peer.restarting;
}

std::vector<IpAddress> established(const std::vector<PeerStatus>& peers) {
  std::vector<IpAddress> out;
  for (const PeerStatus& peer : peers) {
    if (peer.state == PeerState::established) out.push_back(peer.address);
  }
  return out;
}

const char* to_string(PeerState state) {
  for (const auto& [word, one] : kStates) {
    if (state == one) return word;
  }
  return "Unknown";
}

const char* to_string(BfdState state) {
  switch (state) {
    case BfdState::off:
      return "off";
    case BfdState::down:
      return "down";
    case BfdState::up:
      return "up";
  }
  return "unknown";
}

std::optional<std::vector<PeerStatus>> parse_peer_status(std::string_view json) {
  const Json all = Json::parse(json, nullptr, false);
  if (!all.is_object()) return std::nullopt;
  std::vector<PeerStatus> out;
  for (const auto& [name, peer] : all.items()) {
    if (const auto address = IpAddress::parse(name)) out.push_back(status_of(*address, peer));
  }
  std::sort(out.begin(), out.end(), [](const PeerStatus& a, const PeerStatus& b) { return a.address < b.address; });
  return out;
}

}  // namespace viaduct::routing::bgp
