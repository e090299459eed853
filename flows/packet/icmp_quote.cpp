#include "flows/packet/icmp_quote.hpp"

#include <algorithm>
#include <array>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

// Where the quote's parts are. `l4` is empty when it is cut in front of layer 4, or a later fragment.
struct Quoted {
  std::span<uint8_t> ip;  // from the IP header on, as far as it is quoted
  std::span<uint8_t> l4;
  bool v4 = true;
  uint8_t proto = 0;
  uint8_t* addresses() const { return ip.data() + (v4 ? wire::ipv4::kSrc : wire::ipv6::kSrc); }
  size_t address_bytes() const { return v4 ? 4 : 16; }
};

bool is_error(const FlowKey& key) {
  if (key.eth_type == ethertype::kIpv4) {
    return key.ip_proto == ip_proto::kIcmp &&
           (key.l4_src == wire::icmp::kUnreachable || key.l4_src == wire::icmp::kSourceQuench ||
            key.l4_src == wire::icmp::kTimeExceeded || key.l4_src == wire::icmp::kParameterProblem);
  }
  return key.eth_type == ethertype::kIpv6 && key.ip_proto == ip_proto::kIcmpv6 &&
         key.l4_src >= wire::icmpv6::kUnreachable && key.l4_src <= wire::icmpv6::kParameterProblem;
}

// RFC 4884 4: where the quote ends and extensions begin; 0 when the message does not say. The byte is unused in
// messages that know none.
size_t said_length(const FlowKey& key, const uint8_t* icmp) {
  if (key.eth_type == ethertype::kIpv6) {
    bool has = key.l4_src == wire::icmpv6::kUnreachable || key.l4_src == wire::icmpv6::kTimeExceeded;
    return has ? size_t{8} * icmp[4] : 0;
  }
  return key.l4_src == wire::icmp::kSourceQuench ? 0 : size_t{4} * icmp[5];
}

bool find_ipv4(Quoted& quoted) {
  std::span<uint8_t> ip = quoted.ip;
  if (ip.size() < wire::ipv4::kBytes || ip[0] >> 4 != 4) return false;
  size_t header = size_t{4} * (ip[0] & 0x0f);
  size_t total = wire::load16(ip.data() + wire::ipv4::kTotalLength);
  if (header < wire::ipv4::kBytes || header > total || header > ip.size()) return false;
  quoted.proto = ip[wire::ipv4::kProtocol];
  bool later = (wire::load16(ip.data() + wire::ipv4::kFragment) & wire::ipv4::kOffsetMask) != 0;
  // What stands behind the quoted packet's end is padding.
  if (!later) quoted.l4 = ip.subspan(header, std::min(total, ip.size()) - header);
  return true;
}

bool find_ipv6(Quoted& quoted) {
  std::span<uint8_t> ip = quoted.ip;
  if (ip.size() < wire::ipv6::kBytes || ip[0] >> 4 != 6) return false;
  size_t payload = wire::load16(ip.data() + wire::ipv6::kPayloadLength);
  // A jumbogram says 0.
  if (payload != 0) ip = ip.first(std::min(ip.size(), wire::ipv6::kBytes + payload));
  size_t at = wire::ipv6::kBytes;
  quoted.proto = ip[wire::ipv6::kNextHeader];
  for (int extensions = 0; extensions <= wire::ipv6::kMaxExtensions; ++extensions) {
    uint8_t type = quoted.proto;
    if (!wire::ipv6::is_extension(type)) {
      if (at <= ip.size()) quoted.l4 = ip.subspan(at);
      return true;
    }
    if (at + 8 > ip.size()) return true;
    const uint8_t* header = ip.data() + at;
    bool later = type == wire::ipv6::kFragment && (wire::load16(header + 2) & wire::ipv6::kOffsetMask) != 0;
    quoted.proto = header[0];
    if (later) return true;
    at += wire::ipv6::extension_bytes(type, header);
  }
  return true;
}

std::optional<Quoted> find(const Packet& packet) {
  if (packet.error != DropReason::none || packet.l4_offset == 0 || !is_error(packet.key)) return std::nullopt;
  size_t end = packet.l3_length != 0 ? packet.l3_offset + size_t{packet.l3_length} : packet.bytes.size();
  std::span<uint8_t> icmp = packet.bytes.subspan(packet.l4_offset, end - packet.l4_offset);
  Quoted quoted;
  quoted.ip = icmp.subspan(wire::icmp::kBytes);
  if (size_t said = said_length(packet.key, icmp.data())) {
    quoted.ip = quoted.ip.first(std::min(said, quoted.ip.size()));
  }
  quoted.v4 = packet.key.eth_type == ethertype::kIpv4;
  if (quoted.v4 ? !find_ipv4(quoted) : !find_ipv6(quoted)) return std::nullopt;
  return quoted;
}

bool is_echo(const Quoted& quoted) {
  if (quoted.l4.size() < wire::icmp::kEchoId + 2) return false;
  return quoted.v4 ? quoted.proto == ip_proto::kIcmp && wire::icmp::is_echo(quoted.l4[0])
                   : quoted.proto == ip_proto::kIcmpv6 && wire::icmpv6::is_echo(quoted.l4[0]);
}

bool has_ports(const Quoted& quoted) {
  return quoted.l4.size() >= 4 &&
         (quoted.proto == ip_proto::kTcp || quoted.proto == ip_proto::kUdp || quoted.proto == ip_proto::kSctp);
}

// Offset in layer 4, or nothing when it has none or it is not quoted. `addresses`: whether it covers those.
std::optional<size_t> checksum_field(const Quoted& quoted, bool& addresses) {
  size_t field = wire::icmp::kChecksum;
  addresses = true;
  if (quoted.proto == ip_proto::kTcp) {
    field = wire::tcp::kChecksum;
  } else if (quoted.proto == ip_proto::kUdp) {
    field = wire::udp::kChecksum;
  } else if (quoted.v4 && quoted.proto == ip_proto::kIcmp) {
    addresses = false;
  } else if (quoted.v4 || quoted.proto != ip_proto::kIcmpv6) {
    return std::nullopt;
  }
  if (quoted.l4.size() < field + 2) return std::nullopt;
  if (quoted.proto == ip_proto::kUdp && wire::load16(quoted.l4.data() + field) == 0) return std::nullopt;
  return field;
}

struct Change {
  uint16_t before, after;  // sums of words
};

Change set_addresses(const Quoted& quoted, const IcmpQuote& to) {
  std::span<uint8_t> addresses(quoted.addresses(), 2 * quoted.address_bytes());
  uint16_t before = checksum_sum(addresses);
  wire::store_ip(addresses.data(), to.src);
  wire::store_ip(addresses.data() + quoted.address_bytes(), to.dst);
  Change change{before, checksum_sum(addresses)};
  if (quoted.v4) {
    uint8_t* field = quoted.ip.data() + wire::ipv4::kChecksum;
    wire::store16(field, update_checksum(wire::load16(field), change.before, change.after));
  }
  return change;
}

Change set_ports(const Quoted& quoted, const IcmpQuote& to) {
  if (!to.has_ports || (!has_ports(quoted) && !is_echo(quoted))) return {0, 0};
  std::span<uint8_t> field = is_echo(quoted) ? quoted.l4.subspan(wire::icmp::kEchoId, 2) : quoted.l4.first(4);
  uint16_t before = checksum_sum(field);
  wire::store16(field.data(), to.l4_src);
  if (field.size() == 4) wire::store16(field.data() + 2, to.l4_dst);
  return {before, checksum_sum(field)};
}

void rewrite(const Quoted& quoted, const IcmpQuote& to) {
  bool covers_addresses = false;
  std::optional<size_t> field = checksum_field(quoted, covers_addresses);
  Change addresses = set_addresses(quoted, to);
  Change ports = set_ports(quoted, to);
  if (!field) return;
  uint8_t* at = quoted.l4.data() + *field;
  uint16_t checksum = wire::load16(at);
  if (covers_addresses) checksum = update_checksum(checksum, addresses.before, addresses.after);
  checksum = update_checksum(checksum, ports.before, ports.after);
  if (checksum == 0 && quoted.proto == ip_proto::kUdp) checksum = 0xffff;
  wire::store16(at, checksum);
}

}  // namespace

std::optional<IcmpQuote> parse_icmp_quote(const Packet& packet) {
  std::optional<Quoted> quoted = find(packet);
  if (!quoted) return std::nullopt;
  const uint8_t* addresses = quoted->addresses();
  IcmpQuote out;
  out.src = quoted->v4 ? wire::load_ipv4(addresses) : wire::load_ipv6(addresses);
  out.dst = quoted->v4 ? wire::load_ipv4(addresses + 4) : wire::load_ipv6(addresses + 16);
  out.proto = quoted->proto;
  if (has_ports(*quoted)) {
    out.l4_src = wire::load16(quoted->l4.data());
    out.l4_dst = wire::load16(quoted->l4.data() + 2);
    out.has_ports = true;
  } else if (is_echo(*quoted)) {
    out.l4_src = out.l4_dst = wire::load16(quoted->l4.data() + wire::icmp::kEchoId);
    out.has_ports = true;
  }
  return out;
}

bool rewrite_icmp_quote(Packet& packet, const IcmpQuote& to) {
  std::optional<Quoted> quoted = find(packet);
  if (!quoted || quoted->proto != to.proto) return false;
  if (to.src.is_v4() != quoted->v4 || to.dst.is_v4() != quoted->v4) return false;
  // The quote begins on a word of what the error's checksum covers, and so does every header in it.
  uint16_t before = checksum_sum(quoted->ip);
  rewrite(*quoted, to);
  uint8_t* field = packet.bytes.data() + packet.l4_offset + wire::icmp::kChecksum;
  if (!packet.offload.partial_checksum) {
    wire::store16(field, update_checksum(wire::load16(field), before, checksum_sum(quoted->ip)));
  }
  return true;
}

}  // namespace viaduct::flows
