// One reason why packets do not arrive, and in which order such reasons are told. Values and words only: who finds them is
// why_drops.hpp (what was dropped, what would be) and why_live.hpp (how things are now).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flows/packet/drop_reason.hpp"
#include "flows/packet/flow_key.hpp"
#include "flows/simulation/drop_site.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::actors {

// The surest first.
enum class Certainty : uint8_t {
  traced,   // the packet of the question meets it
  now,      // it is so, and packets have met it lately, or have to
  likely,   // it is so, and may be why
  earlier,  // packets have met it, and would not now
};
std::string_view to_string(Certainty certainty);

enum class Way : uint8_t { forward, back };  // the packet's, or its answer's

struct Cause {
  std::string name;  // stable: of flows/packet/drop_reason.hpp, or one of kLiveCauses
  Certainty certainty = Certainty::likely;
  std::string text = {}, cure = {};
  topology::ObjectRef device = {};  // a nil id: the host itself
  ChainId chain = {};
  RuleId rule = {};
  uint32_t position = 0;
  std::string host = {};  // on which it was found
  uint64_t packets = 0;
  double first_seconds = 0, last_seconds = 0;  // ago, of packets
  std::string example = {};
  Way way = Way::forward;
  // Such drops are a healthy network's, too (a machine's multicast that nobody wants): told last.
  bool noise = false;
  unsigned distance = 0;  // devices between the port of the question and this one
};

// Names of causes that are no drop's reason.
namespace cause {
inline constexpr std::string_view kPortUnbound = "port_unbound";  // neither bound nor linked
inline constexpr std::string_view kHostAway = "host_away";        // of a port: the cluster does not hear its agent
inline constexpr std::string_view kHostSilent = "host_silent";    // of a port: does not answer in the tunnels
inline constexpr std::string_view kTunnelDown = "tunnel_down";    // to a host
inline constexpr std::string_view kTunnelMtu = "tunnel_mtu_too_small";  // what does not fit, and may not be cut
inline constexpr std::string_view kBgpDown = "bgp_session_down";        // and with it the routes
inline constexpr std::string_view kAsymmetric =
    "asymmetric_path";  // the answer comes in where its connection is unknown
inline constexpr std::string_view kMemberDown = "pool_member_down";  // some of a pool's, not all
}  // namespace cause

// What a reason means, and what helps.
struct ReasonWords {
  std::string_view what, cure;
};
ReasonWords words_of(flows::DropReason reason);

// "bridge blue", "port vm1", or "this host".
std::string place_name(const topology::Snapshot& snapshot, const topology::ObjectRef& ref);
topology::ObjectRef ref_of(const flows::simulation::DropSite& site);
std::string describe(const flows::FlowKey& key, uint32_t bytes);
// Whether a healthy network drops such packets, too.
bool is_noise(flows::DropReason reason, const flows::FlowKey& example);

// A cause for a drop; certainty and counts are the caller's.
Cause cause_of(flows::DropReason reason, const flows::simulation::DropSite& site, const flows::FlowKey& example,
               uint32_t bytes, const topology::Snapshot& snapshot);

// The most probable first, and no cause twice: of the same name, device, rule and way the surest stays, with all packets.
void rank(std::vector<Cause>& causes);

}  // namespace viaduct::actors
