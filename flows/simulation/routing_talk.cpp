// Routing protocols: what peers of a router's port say to its speaker, and the speaker to them (devices.md 1.13).
//
// The speaker is a process with an interface of the datapath, which has the port's MAC and addresses; on the wire it is the
// router. Between its addresses and the peers' pass BGP (TCP 179, RFC 4271 4), BFD (UDP 3784, 3785 and 4784, RFC 5881 4,
// RFC 5883 5) and ICMP; the speaker asks for its neighbours itself, and hears the answers along with the router. All else
// that peers send is the network's, answers to what the router has translated among it, and all else that the speaker
// sends is dropped.
#include <algorithm>

#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

constexpr uint16_t kBgpPort = 179;
constexpr uint16_t kBfdPorts[] = {3784, 3785, 4784};

bool is_one_of(const std::vector<IpAddress>& peers, const IpAddress& address) {
  return std::binary_search(peers.begin(), peers.end(), address);
}

// Reads ports only where a port decides. Fragments have none: no peer sends these protocols in pieces.
bool is_protocol(Walk& walk) {
  const FlowKey& key = walk.key;
  if (key.ip_proto == ip_proto::kIcmp || key.ip_proto == ip_proto::kIcmpv6) return true;
  if (key.fragment != Fragment::none) return false;
  if (key.ip_proto == ip_proto::kTcp) {
    walk.verdict.mask.add({Field::l4_src, Field::l4_dst});
    return key.l4_src == kBgpPort || key.l4_dst == kBgpPort;
  }
  if (key.ip_proto != ip_proto::kUdp) return false;
  walk.verdict.mask.add(Field::l4_dst);
  return std::find(std::begin(kBfdPorts), std::end(kBfdPorts), key.l4_dst) != std::end(kBfdPorts);
}

// Whose talk it is, seen from the port; the flow depends on it.
bool is_between(Walk& walk, const PortView& port, const IpAddress& own, const IpAddress& peer) {
  walk.verdict.mask.add({Field::ip_src, Field::ip_dst});
  return port.has_address(own) && is_one_of(port.speaker.peers, peer);
}

}  // namespace

bool hand_to_speaker(Walk& walk, const PortView& port) {
  if (!walk.untagged || !walk.key.is_ip() || walk.neighbour_talk) return false;
  if (!is_between(walk, port, walk.key.ip_dst, walk.key.ip_src)) return false;
  if (walk.input.packet.error != DropReason::none) {  // a flow made of it would be the session's, too
    walk.drop_once(DropReason::malformed);
    return true;
  }
  if (!is_protocol(walk) || is_translated(walk, port.device_id)) return false;
  walk.note_port(port, Stage::local_delivery, [&] { return "from a peer, " + walk.key.ip_src.to_string(); });
  walk.output_to_speaker(port);
  return true;
}

void leave_speaker(Walk& walk, const PortView& port) {
  walk.stand_at(port);
  walk.tag(tag::device(port.id));
  walk.note_port(port, Stage::port_in, [&] { return "speaker of " + name_of(port); });
  if (!port.admin_up) {
    walk.drop(DropReason::port_down);
    return;
  }
  const bool talks =
      walk.neighbour_talk || (walk.untagged && walk.key.is_ip() &&
                              is_between(walk, port, walk.key.ip_src, walk.key.ip_dst) && is_protocol(walk));
  if (!talks) {
    walk.drop(DropReason::not_routing_talk);
    return;
  }
  walk.tag(tag::datapath_port(port.number));
  walk.output(port);
}

void tell_speaker(Walk& walk) {
  if (walk.in->speaker.number) walk.output_to_speaker(*walk.in);
}

}  // namespace viaduct::flows::simulation
