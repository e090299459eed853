// Which address and port a connection's source becomes, among the blocks that this host has leased.
//
// A port is free for a connection when no other with the same remote end has it, so each serves as many connections as
// there are remote ends. The search goes through the ports of all the blocks in an order that the connection's hash
// names, and looks at no more than kMaxTries: with blocks that are three quarters full one in 10^16 finds nothing. When
// it takes long one more block is asked for, so that they do not become much fuller than that.
#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "flows/simulation/walk.hpp"
#include "flows/state/nat_blocks.hpp"

namespace viaduct::flows::simulation {

namespace {

using topology::NatTarget;

constexpr unsigned kMaxTries = 128;
// Tried in vain before a free one was found: the blocks fill up.
constexpr unsigned kScarce = 16;
constexpr unsigned kMaxAddresses = 64;  // of a range, that are looked at for one packet

struct Ports {
  unsigned first, last;
};

IpAddress next_of(const IpAddress& address) {
  IpAddress::Bytes bytes = address.storage();
  for (int i = address_bytes(address.family()) - 1; i >= 0 && ++bytes[i] == 0; --i) {
  }
  return IpAddress::from_network(address.family(), bytes.data());
}

// The blocks of an address that this host has, in a range.
class Leased {
 public:
  Leased(const NatBlocks& blocks, const Uuid& device, const IpAddress& address, Ports ports) {
    const unsigned first = ports.first / kNatBlockPorts, last = ports.last / kNatBlockPorts;
    for (unsigned word = first / 64; word <= last / 64; ++word) {
      words_[word] = blocks.leased(device, address, word);
      if (word == first / 64) words_[word] &= ~uint64_t{0} << first % 64;
      if (word == last / 64) words_[word] &= ~uint64_t{0} >> (63 - last % 64);
      count_ += static_cast<unsigned>(std::popcount(words_[word]));
    }
  }
  unsigned count() const { return count_; }
  unsigned nth(unsigned n) const {
    unsigned word = 0;
    for (unsigned here; n >= (here = static_cast<unsigned>(std::popcount(words_[word]))); n -= here) ++word;
    uint64_t bits = words_[word];
    for (; n > 0; --n) bits &= bits - 1;
    return word * 64 + static_cast<unsigned>(std::countr_zero(bits));
  }

 private:
  std::array<uint64_t, kNatBlocks / 64> words_{};
  unsigned count_ = 0;
};

class Search {
 public:
  Search(Walk& walk, const Uuid& device, const Tuple& tuple, Ports ports)
      : walk_(walk), device_(device), tuple_(tuple), ports_(ports), hash_(hash_of(tuple)) {}

  // The port, or nothing: then it is not worth looking on.
  std::optional<uint16_t> at(const IpAddress& address) {
    const Leased leased(walk_.input.state.nat_blocks, device_, address, ports_);
    const unsigned count = leased.count() * kNatBlockPorts;
    if (count == 0) return std::nullopt;
    auto step = static_cast<unsigned>(hash_ >> 32) % count | 1;
    while (std::gcd(step, count) != 1) step += 2;  // so that all come before one comes again
    auto place = static_cast<unsigned>(hash_ % count);
    for (unsigned i = 0; i < count && tries_ < kMaxTries; ++i, place = (place + step) % count) {
      const unsigned port = leased.nth(place / kNatBlockPorts) * kNatBlockPorts + place % kNatBlockPorts;
      if (port < ports_.first || port > ports_.last) continue;
      if (is_free(address, static_cast<uint16_t>(port))) return static_cast<uint16_t>(port);
      ++tries_;
    }
    return std::nullopt;
  }
  // One more block would do good soon.
  bool scarce() const { return tries_ >= kScarce; }

 private:
  static uint64_t hash_of(const Tuple& tuple) {
    uint64_t hash = std::hash<IpAddress>{}(tuple.src) ^ uint64_t { tuple.src_port } * 0x9e37'79b9'7f4a'7c15ULL;
    hash = (hash ^ hash >> 32) * 0xd6e8'feb8'6659'fd93ULL;
    return hash ^ hash >> 32;
  }
  bool is_free(const IpAddress& address, uint16_t port) const {
    const ConnectionKey key = key_of(ConnectionKind::snat, device_, tuple_);
    ConnectionEntry entry;
    entry.address = address;
    entry.port = port;
    return !walk_.input.state.connections.find(*partner_of(key, entry));
  }

  Walk& walk_;
  const Uuid& device_;
  const Tuple& tuple_;
  const Ports ports_;
  const uint64_t hash_;
  unsigned tries_ = 0;
};

NatBlockWanted wanted_for(const Uuid& device, const IpAddress& address, Ports ports) {
  return {device, address, static_cast<uint16_t>(ports.first / kNatBlockPorts),
          static_cast<uint16_t>(ports.last / kNatBlockPorts)};
}

}  // namespace

PortChoice choose_source(Walk& walk, const Uuid& device, const NatTarget& target, const Tuple& tuple) {
  const Ports ports{target.port_first, target.port_last};
  PortChoice out;
  IpAddress address = target.first;
  for (unsigned i = 0; i < kMaxAddresses; ++i, address = next_of(address)) {
    Search search(walk, device, tuple, ports);
    if (const auto port = search.at(address)) {
      if (search.scarce()) walk.verdict.scarce.push_back(wanted_for(device, address, ports));
      return {PortChoice::Kind::found, address, *port, {}};
    }
    const NatBlockWanted want = wanted_for(device, address, ports);
    const bool spent = walk.input.state.nat_blocks.spent(device, address, want.first, want.last);
    if (out.kind == PortChoice::Kind::exhausted && !spent) out = {PortChoice::Kind::wanted, {}, 0, want};
    if (address == target.last) break;
  }
  return out;
}

}  // namespace viaduct::flows::simulation
