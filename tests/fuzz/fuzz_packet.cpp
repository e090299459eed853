// A frame from a guest, with the offload metadata that its driver claims: parsed, answered, rewritten, translated,
// fragmented and segmented. The first bytes of the input are the metadata and the MTU, the rest is the frame.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

#include "flows/match/apply.hpp"
#include "flows/match/flow.hpp"
#include "flows/packet/build.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/fragment.hpp"
#include "flows/packet/icmp_error.hpp"
#include "flows/packet/icmp_quote.hpp"
#include "flows/packet/rewrite.hpp"

using namespace viaduct;
using namespace viaduct::flows;

namespace {

void require(bool invariant) {
  if (!invariant) std::abort();
}

constexpr size_t kControlBytes = 5;
const MacAddress kMac = MacAddress::from_uint64(0x0200'0000'0009);

void check_parsed(const Packet& packet) {
  size_t size = packet.bytes.size();
  require(packet.l3_offset <= size && packet.l4_offset <= size);
  require(packet.l3_length <= size - packet.l3_offset);
  require(packet.l3_segment_bytes() <= size);
  require(packet.key.fragment != Fragment::later || packet.l4_offset == 0);
  Flow flow = Flow::make(packet.key, FieldSet::from_bits(static_cast<uint32_t>(size)), {});
  require(flow.matches(packet.key));
  require(!flow.to_string().empty());
}

// What we make from it must be well-formed, whatever it was.
void check_made(std::vector<uint8_t> frame) {
  Packet packet = parse(frame, {});
  require(packet.error == DropReason::none);
  require(verify_l4_checksum(packet));
  if (packet.key.eth_type == ethertype::kIpv4) require(verify_ipv4_header(std::span(frame).subspan(packet.l3_offset)));
}

void check_answers(const Packet& packet, uint16_t mtu) {
  if (auto arp = parse_arp(packet)) check_made(make_arp_reply(*arp, kMac));
  if (auto nd = parse_neighbour_discovery(packet)) {
    require(is_neighbour_discovery(packet.key));
    if (!nd->is_advertisement) check_made(make_neighbour_advertisement(*nd, kMac, kMac, NodeKind::router));
  }
  if (auto reply = make_echo_reply(packet)) check_made(*reply);
  if (auto reply = make_echo_reply_fragment(packet)) check_made(*reply);
  IcmpErrorSender sender{IpAddress::any(packet.key.ip_src.family()), kMac, kMac};
  for (const auto& error : {make_unreachable(packet, sender, Unreachable::host), make_time_exceeded(packet, sender),
                            make_packet_too_big(packet, sender, mtu)}) {
    if (!error) continue;
    check_made(*error);
    require(error->size() <= 14 + 1280U);
    std::vector<uint8_t> frame = *error;
    require(!may_answer_with_error(parse(frame, {})));
  }
  may_answer_with_error(packet, IcmpErrorKind::packet_too_big);
}

void check_cuts(const Packet& packet, uint16_t mtu) {
  size_t fragments = 0;
  FragmentResult result = fragment_ipv4(packet, mtu, [&](std::span<uint8_t> frame) {
    ++fragments;
    require(frame.size() <= packet.l3_offset + size_t{mtu});
  });
  require((result == FragmentResult::fragmented) == (fragments != 0));
  size_t header = packet.l4_offset + size_t{60};
  segment(packet, [&](std::span<uint8_t> frame) {
    require(frame.size() <= header + packet.offload.gso_size);
    Packet piece = parse(frame, {});
    require(piece.error == DropReason::none && verify_l4_checksum(piece));
  });
}

// Addresses, ports and identifiers there and back again give the same bytes, but for the two forms of a checksum of zero.
void check_translation(std::span<const uint8_t> input, const Offload& offload) {
  std::vector<uint8_t> frame(input.begin(), input.end());
  Packet packet = parse(frame, {}, offload);
  bool was_right = offload.partial_checksum || packet.error != DropReason::none || verify_l4_checksum(packet);
  FlowKey before = packet.key;
  bool v4 = before.eth_type == ethertype::kIpv4;
  IpAddress other = v4 ? IpAddress::v4(0xc6336401) : *IpAddress::parse("2001:db8:7::8");
  bool addresses = set_ip(packet, other, other);
  require(addresses == (packet.error == DropReason::none && before.is_ip()));
  bool ports = set_ports(packet, 0xfffe, 3);
  std::optional<uint16_t> id = icmp_id(packet);
  require(set_icmp_id(packet, 0xfffe) == id.has_value() && !(ports && id));
  Packet again = parse(frame, {}, offload);
  require(again.error == packet.error && again.key == packet.key);
  if (was_right && before.is_ip()) require(packet.error != DropReason::none || verify_l4_checksum(packet));
  std::optional<IcmpQuote> quote = parse_icmp_quote(packet);
  if (quote) require(rewrite_icmp_quote(packet, {other, other, quote->proto, 5, 6, true}));
  if (quote && was_right) require(verify_l4_checksum(packet));
  if (quote) require(parse_icmp_quote(packet).has_value() && rewrite_icmp_quote(packet, *quote));
  if (id) set_icmp_id(packet, *id);
  if (ports) set_ports(packet, before.l4_src, before.l4_dst);
  if (addresses) set_ip(packet, before.ip_src, before.ip_dst);
  require(packet.key == before && parse(frame, {}, offload).key == before);
  if (quote) require(parse_icmp_quote(packet) == quote);
}

void check_rewrites(std::span<const uint8_t> input, const Offload& offload) {
  std::vector<uint8_t> frame(input.begin(), input.end());
  Packet packet = parse(frame, {});
  bool was_right = packet.error == DropReason::none && packet.key.eth_type == ethertype::kIpv4 &&
                   verify_ipv4_header(std::span(frame).subspan(packet.l3_offset));
  ActionList actions{SetEthernet{kMac, kMac}, DecrementTtl{}, CheckMtu{1500}, Output{{1}}};
  size_t outputs = 0;
  ApplyResult result =
      apply(actions.view(), frame, offload, [&](const OutputTarget&, std::span<uint8_t> out, const Offload&) {
        ++outputs;
        require(out.size() == input.size());
        if (was_right) require(verify_ipv4_header(out.subspan(packet.l3_offset)));
      });
  require((result == ApplyResult::done) == (outputs == 1));

  check_translation(input, offload);

  frame.assign(input.begin(), input.end());
  Packet fixed = parse(frame, {}, offload);
  looks_partial(fixed);
  verify_l4_checksum(fixed);
  complete_partial_checksum(fixed);
  if (fix_l4_checksum(fixed)) require(verify_l4_checksum(fixed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kControlBytes) return 0;
  Offload offload;
  offload.gso = static_cast<Offload::Gso>(data[0] & 3);
  offload.partial_checksum = (data[0] & 4) != 0;
  offload.gso_size = static_cast<uint16_t>(data[1] << 8 | data[2]);
  auto mtu = static_cast<uint16_t>(data[3] << 8 | data[4]);
  std::vector<uint8_t> frame(data + kControlBytes, data + size);
  const std::vector<uint8_t> original = frame;
  Packet packet = parse(frame, PortNumber{1}, offload);
  check_parsed(packet);
  check_answers(packet, mtu);
  check_cuts(packet, mtu);
  require(frame == original);  // all of these only read
  check_rewrites(frame, offload);
  return 0;
}
