#include "api/client/packet_description.hpp"

#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "api/client/value.hpp"

namespace viaduct::api {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17, kSctp = 132;
constexpr const char* kHelp = "see viaduct help trace for examples";
// Jumbo frames and offloaded super-packets have room; more is a typing error.
constexpr size_t kMaxFrameBytes = 65'535;

Failure complain(std::string message) { return usage_error(std::move(message), kHelp); }

template <class Number>
std::optional<Number> to_number(std::string_view text, Number minimum = 0) {
  int base = 10;
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    base = 16;
  }
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value < minimum) return std::nullopt;
  return value;
}

// One word and the value behind it.
class Words {
 public:
  explicit Words(const std::vector<std::string>& words) : words_(words) {}
  bool done() const { return at_ == words_.size(); }
  const std::string& next() { return words_[at_++]; }

 private:
  const std::vector<std::string>& words_;
  size_t at_ = 0;
};

using Setter = std::function<bool(PacketDescription&, const std::string&)>;
struct Keyword {
  const char* expects;
  Setter set;
};

template <class Member>
Setter address_setter(Member member) {
  return [member](PacketDescription& packet, const std::string& text) {
    packet.*member = std::remove_reference_t<decltype(*(packet.*member))>::parse(text);
    return (packet.*member).has_value();
  };
}

template <class Number>
Setter number_setter(Number PacketDescription::*member, Number minimum = 0,
                     Number maximum = std::numeric_limits<Number>::max()) {
  return [=](PacketDescription& packet, const std::string& text) {
    auto value = to_number<Number>(text, minimum);
    if (!value || *value > maximum) return false;
    packet.*member = *value;
    return true;
  };
}

std::map<std::string, Keyword> keywords() {
  using P = PacketDescription;
  Keyword destination{"an IP address", address_setter(&P::destination)};
  return {
      {"from", {"an IP address", address_setter(&P::source)}},
      {"to", destination},
      {"for", destination},
      {"smac", {"a MAC address", address_setter(&P::source_mac)}},
      {"dmac", {"a MAC address", address_setter(&P::destination_mac)}},
      {"sport", {"a port from 0 to 65535", number_setter(&P::source_port)}},
      {"dport", {"a port from 0 to 65535", number_setter(&P::destination_port)}},
      {"ttl", {"a number from 1 to 255", number_setter<uint8_t>(&P::ttl, 1)}},
      {"tos", {"a number from 0 to 255", number_setter(&P::tos)}},
      {"proto", {"a protocol number from 1 to 255", number_setter<uint8_t>(&P::protocol, 1)}},
      {"vlan", {"a VLAN from 1 to 4094", number_setter<uint16_t>(&P::vlan, 1, 4094)}},
      {"length", {"the bytes of the frame, 14 to 65535", number_setter<uint16_t>(&P::length, 14)}},
  };
}

// What the first word makes of the packet; false when it is no kind of packet.
bool start(PacketDescription& packet, const std::string& kind) {
  static constexpr std::pair<const char*, uint8_t> kKinds[] = {
      {"icmp", 0}, {"icmp6", 0}, {"ip", 0}, {"arp", 0}, {"nd", 0}, {"tcp", kTcp}, {"udp", kUdp}, {"sctp", kSctp}};
  for (auto [name, protocol] : kKinds) {
    if (kind != name) continue;
    packet.protocol = protocol;
    if (kind == "arp" || kind == "nd") packet.resolution = PacketDescription::Resolution::arp_or_nd;
    return true;
  }
  return false;
}

std::optional<Failure> check_families(const PacketDescription& packet, const std::string& kind) {
  const auto& destination = packet.destination;
  if (kind == "arp" && !destination->is_v4()) return complain("arp asks for an IPv4 address; for IPv6 use nd");
  if ((kind == "nd" || kind == "icmp6") && !destination->is_v6())
    return complain(kind + " needs an IPv6 address; for IPv4 use " + (kind == "nd" ? "arp" : "icmp"));
  if (packet.source && packet.source->family() != destination->family())
    return complain("source " + packet.source->to_string() + " and destination " + destination->to_string() +
                    " are of different families");
  return std::nullopt;
}

std::optional<Failure> check(const PacketDescription& packet, const std::string& kind) {
  bool asks = packet.resolution == PacketDescription::Resolution::arp_or_nd;
  if (!packet.destination) return complain(kind + " needs a destination: " + (asks ? "for ADDRESS" : "to ADDRESS"));
  bool ports = packet.protocol == kTcp || packet.protocol == kUdp || packet.protocol == kSctp;
  if (!ports && (packet.source_port != 0 || packet.destination_port != 0))
    return complain(kind + " has no ports: sport and dport are for tcp, udp and sctp");
  if (kind == "ip" && packet.protocol == 0) return complain("ip needs a protocol: proto NUMBER");
  return check_families(packet, kind);
}

Result<PacketDescription> parse_hex(const std::vector<std::string>& words) {
  std::string digits;
  for (size_t i = 1; i < words.size(); ++i)
    for (char c : words[i])
      if (c != ':' && c != ' ') digits += c;
  if (digits.empty() || digits.size() % 2 != 0) return complain("hex needs whole bytes: an even number of digits");
  if (digits.size() / 2 > kMaxFrameBytes) return complain("a frame has at most 65535 bytes");
  PacketDescription packet;
  for (size_t i = 0; i < digits.size(); i += 2) {
    auto byte = to_number<uint16_t>("0x" + digits.substr(i, 2));
    if (!byte) return complain("'" + digits.substr(i, 2) + "' is not a hexadecimal byte");
    packet.frame.push_back(static_cast<uint8_t>(*byte));
  }
  return packet;
}

}  // namespace

Result<PacketDescription> parse_packet(const std::vector<std::string>& words) {
  if (words.empty()) return complain("describe a packet: icmp, tcp, udp, sctp, ip, arp, nd or hex");
  if (words[0] == "hex") return parse_hex(words);
  PacketDescription packet;
  Words rest(words);
  const std::string& kind = rest.next();
  if (!start(packet, kind))
    return complain("'" + kind + "' is no kind of packet: use icmp, tcp, udp, sctp, ip, arp, nd or hex");
  const auto known = keywords();
  std::set<std::string> seen;
  while (!rest.done()) {
    const std::string& word = rest.next();
    if (!seen.insert(word).second) return complain("'" + word + "' is given twice");
    if (word == "df") {
      packet.fragmentation = PacketDescription::Fragmentation::forbidden;
      continue;
    }
    auto at = known.find(word);
    if (at == known.end()) return complain("'" + word + "' is not a word of a packet description");
    if (rest.done()) return complain("'" + word + "' needs " + at->second.expects);
    const std::string& value = rest.next();
    if (!at->second.set(packet, value)) return complain(word + ": '" + value + "' is not " + at->second.expects);
  }
  if (auto failure = check(packet, kind)) return *failure;
  return packet;
}

void write_packet(const PacketDescription& packet, schema::PacketDescription::Builder builder) {
  if (!packet.frame.empty()) return builder.setFrame(kj::arrayPtr(packet.frame.data(), packet.frame.size()));
  if (packet.source_mac) builder.setEthSrc(packet.source_mac->as_uint64());
  if (packet.destination_mac) builder.setEthDst(packet.destination_mac->as_uint64());
  if (packet.source) set_address(builder.initIpSrc(), *packet.source);
  if (packet.destination) set_address(builder.initIpDst(), *packet.destination);
  builder.setVlan(packet.vlan);
  builder.setIpProto(packet.protocol);
  builder.setTtl(packet.ttl);
  builder.setTos(packet.tos);
  builder.setL4Src(packet.source_port);
  builder.setL4Dst(packet.destination_port);
  builder.setLength(packet.length);
  builder.setArp(packet.resolution == PacketDescription::Resolution::arp_or_nd);
  builder.setDontFragment(packet.fragmentation == PacketDescription::Fragmentation::forbidden);
}

const std::vector<std::string>& packet_words() {
  static const std::vector<std::string> kWords = {"icmp", "icmp6", "tcp",   "udp",  "sctp",   "ip",   "arp",   "nd",
                                                  "hex",  "from",  "to",    "for",  "smac",   "dmac", "sport", "dport",
                                                  "ttl",  "tos",   "proto", "vlan", "length", "df"};
  return kWords;
}

}  // namespace viaduct::api
