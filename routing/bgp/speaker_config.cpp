#include "routing/bgp/speaker_config.hpp"

#include <algorithm>
#include <set>

namespace viaduct::routing::bgp {

namespace {

using Complaint = std::optional<std::string>;
constexpr size_t kMaxPasswordBytes = 80;  // TCP_MD5SIG_MAXKEYLEN

// What FRR takes as one word, in a file and on a socket.
bool is_word(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool speaks(const IpAddress& address) {
  const bool no_host =
      address.is_any() || address.is_multicast() || address.is_loopback() || address.is_limited_broadcast();
  return !no_host && !(address.is_v6() && address.is_link_local());
}

Complaint check_filter(const Filter& filter, const std::string& where) {
  for (const FilterRule& rule : filter) {
    const int own = rule.prefix.length(), width = rule.prefix.address().width_bits();
    const std::string name = where + ": rule for " + rule.prefix.to_string() + ": ";
    if (rule.min_length != 0 && (rule.min_length < own || rule.min_length > width)) {
      return name + "min_length " + std::to_string(rule.min_length) + " is not in " + std::to_string(own) + " to " +
             std::to_string(width);
    }
    const int least = rule.min_length == 0 ? own : rule.min_length;
    if (rule.max_length != 0 && (rule.max_length < least || rule.max_length > width)) {
      return name + "max_length " + std::to_string(rule.max_length) + " is not in " + std::to_string(least) + " to " +
             std::to_string(width);
    }
  }
  return std::nullopt;
}

Complaint check_peer(const SpeakerPeer& peer) {
  const std::string name = "peer " + peer.address.to_string() + ": ";
  const auto seconds_fit = [](std::chrono::seconds value, int least) {
    return value.count() >= least && value.count() <= 65535;
  };
  if (!speaks(peer.address)) return name + "not the address of a host, or link-local";
  if (peer.as_number == 0) return name + "AS number 0 is reserved (RFC 7607)";
  if (!seconds_fit(peer.keep_alive, 0)) return name + "keep_alive is not in 0 to 65535 s";
  if (peer.hold_time.count() != 0 && !seconds_fit(peer.hold_time, 3))
    return name + "hold_time is neither 0 nor in 3 to 65535 s";
  if (!seconds_fit(peer.connect_retry, 1)) return name + "connect_retry is not in 1 to 65535 s";
  if (peer.password.size() > kMaxPasswordBytes) return name + "the password has more than 80 bytes";
  if (!is_word(peer.password)) return name + "the password has spaces, or bytes that are not printable ASCII";
  if (peer.multihop == 0) return name + "multihop 0: no packet would reach it";
  if (auto bad = check_filter(peer.import_filter, name + "import filter")) return bad;
  return check_filter(peer.export_filter, name + "export filter");
}

Complaint check_network(const IpPrefix& prefix) {
  const std::string name = "network " + prefix.to_string() + ": ";
  if (prefix.has_host_bits()) return name + "has host bits; write " + prefix.network().to_string();
  if (prefix.address().is_multicast() || prefix.address().is_loopback()) return name + "cannot be announced";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> check(const SpeakerConfig& config) {
  if (config.as_number == 0) return "AS number 0 is reserved (RFC 7607)";
  if (!config.router_id.is_v4() || config.router_id.is_any())
    return "the router id is no IPv4 address other than 0.0.0.0";
  const auto interval = config.bfd_interval.count();
  if (interval < 10 || interval > 60000) return "the BFD interval is not in 10 to 60000 ms";
  if (config.bfd_multiplier < 2) return "the BFD multiplier is not in 2 to 255";
  if (config.restart_time.count() < 1 || config.restart_time.count() > 3600)
    return "restart_time is not in 1 to 3600 s";
  std::set<IpAddress> addresses;
  for (const SpeakerPeer& peer : config.peers) {
    if (auto bad = check_peer(peer)) return bad;
    if (!addresses.insert(peer.address).second) return "peer " + peer.address.to_string() + ": named twice";
  }
  std::set<IpPrefix> networks;
  for (const IpPrefix& network : config.networks) {
    if (auto bad = check_network(network)) return bad;
    if (!networks.insert(network).second) return "network " + network.to_string() + ": named twice";
  }
  return std::nullopt;
}

}  // namespace viaduct::routing::bgp
