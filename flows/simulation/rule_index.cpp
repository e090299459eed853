#include "flows/simulation/rule_index.hpp"

#include <algorithm>

namespace viaduct::flows::simulation {

namespace {

using topology::Condition;
using topology::Rule;

// Prefixes are rounded down to one of these: IPv4's are steps 0 to 3, IPv6's 4 to 9.
constexpr std::array<uint8_t, 10> kPrefixLengths{8, 16, 24, 32, 16, 32, 48, 64, 96, 128};
constexpr unsigned kFirstV6 = 4;
// Ranges of ports lie in a block whose first bits, this many, are the same.
constexpr std::array<uint8_t, 4> kPortBits{4, 8, 12, 16};

struct Steps {
  unsigned first, last;  // the last one is not in it
};
Steps steps_of(IpFamily family) {
  return family == IpFamily::v4 ? Steps{0, kFirstV6} : Steps{kFirstV6, kPrefixLengths.size()};
}

std::optional<unsigned> step_of(const IpPrefix& prefix) {
  const Steps steps = steps_of(prefix.family());
  for (unsigned step = steps.last; step-- > steps.first;) {
    if (prefix.length() >= kPrefixLengths[step]) return step;
  }
  return std::nullopt;
}

uint16_t block_of(uint16_t port, unsigned step) {
  return static_cast<uint16_t>(port & (0xffffU << (16 - kPortBits[step])));
}
std::optional<unsigned> step_of(const topology::PortRange& range) {
  for (unsigned step = kPortBits.size(); step-- > 0;) {
    if (block_of(range.first, step) == block_of(range.last, step)) return step;
  }
  return std::nullopt;
}

uint64_t kind_word(unsigned by, unsigned step, uint8_t proto, uint16_t value) {
  return uint64_t{by} | uint64_t{step} << 8 | uint64_t{proto} << 16 | uint64_t{value} << 32;
}

struct Words {
  uint64_t high = 0, low = 0;
};
// The first bits of an address.
Words words_of(const IpAddress& address, unsigned step) {
  const IpAddress network = IpPrefix(address, kPrefixLengths[step]).network().address();
  Words out;
  std::memcpy(&out.high, network.storage().data(), 8);
  std::memcpy(&out.low, network.storage().data() + 8, 8);
  return out;
}

bool by_position(const RulePtr& a, const RulePtr& b) {
  return std::tie(a->position, a->id) < std::tie(b->position, b->id);
}

constexpr uint64_t kAllBits = 0xffff'ffff'ffff;
constexpr uint8_t kAnyProto = 0;  // of rules for ports of whatever has them; hop-by-hop options (0) have none

}  // namespace

RulePtr rule_of(const topology::Ref<topology::Object>& object) {
  return object == nullptr ? nullptr : RulePtr(object, &std::get<Rule>(*object));
}

size_t RuleIndex::BucketHash::operator()(const BucketKey& key) const noexcept {
  uint64_t hash = key.kind * 0x9e37'79b9'7f4a'7c15ULL;
  for (uint64_t word : {key.high, key.low}) {
    hash = (hash ^ word) * 0xff51'afd7'ed55'8ccdULL;
    hash ^= hash >> 32;
  }
  return hash;
}

// Every bucket that the rule could be found by, the most telling first; the last one takes all packets.
void RuleIndex::places_for(const Rule& rule, std::vector<BucketKey>& out) {
  const Condition& condition = rule.condition;
  const auto add = [&](By by, unsigned step, uint8_t proto, uint16_t value, Words words = {}) {
    out.push_back({kind_word(static_cast<unsigned>(by), step, proto, value), words.high, words.low});
  };
  const auto usable = [&](const auto& match) { return match.value.has_value() && !match.inverted; };
  if (!condition.inverted) {
    for (const auto& [by, match] : {std::pair{By::ip_dst, &condition.ip_dst}, {By::ip_src, &condition.ip_src}}) {
      const auto step = usable(*match) ? step_of(*match->value) : std::nullopt;
      if (step) add(by, *step, 0, 0, words_of(match->value->address(), *step));
    }
    const bool proto_known = usable(condition.ip_proto);
    for (const auto& [by, match] : {std::pair{By::l4_dst, &condition.l4_dst}, {By::l4_src, &condition.l4_src}}) {
      const auto step = usable(*match) ? step_of(*match->value) : std::nullopt;
      const uint8_t proto = proto_known ? *condition.ip_proto.value : kAnyProto;
      if (step) add(by, *step, proto, block_of(match->value->first, *step));
    }
    for (const auto& [by, match] : {std::pair{By::eth_dst, &condition.eth_dst}, {By::eth_src, &condition.eth_src}}) {
      if (usable(*match) && match->value->mask.as_uint64() == kAllBits) {
        add(by, 0, 0, 0, {match->value->address.as_uint64(), 0});
      }
    }
    for (const auto& [by, match] :
         {std::pair{By::out_port, &condition.out_ports}, {By::in_port, &condition.in_ports}}) {
      if (usable(*match) && match->value->size() == 1) {
        const Uuid& id = match->value->front().uuid();
        add(by, 0, 0, 0, {id.high(), id.low()});
      }
    }
    if (proto_known) add(By::proto, 0, *condition.ip_proto.value, 0);
    if (usable(condition.eth_type)) add(By::eth_type, 0, 0, *condition.eth_type.value);
  }
  add(By::all, 0, 0, 0);
}

RuleIndex::BucketKey RuleIndex::choose(const Rule& rule) const {
  std::vector<BucketKey> places;
  places_for(rule, places);
  const auto crowd = [&](const BucketKey& key) {
    const Bucket* bucket = buckets_.find(key);
    return bucket == nullptr ? size_t{0} : bucket->size();
  };
  return *std::min_element(places.begin(), places.end(),
                           [&](const BucketKey& a, const BucketKey& b) { return crowd(a) < crowd(b); });
}

void RuleIndex::add(const RulePtr& rule) {
  remove(rule->id);
  const BucketKey key = choose(*rule);
  const Bucket* old = buckets_.find(key);
  Bucket bucket = old == nullptr ? Bucket{} : *old;
  bucket.insert(std::lower_bound(bucket.begin(), bucket.end(), rule, by_position), rule);
  buckets_.put(key, std::move(bucket));
  places_.put(rule->id, {key, rule});
  ++uses(key);
  count(*rule, 1);
}

void RuleIndex::remove(RuleId id) {
  const Place* place = places_.find(id);
  if (place == nullptr) return;
  const Place gone = *place;
  Bucket bucket = *buckets_.find(gone.bucket);
  std::erase(bucket, gone.rule);
  if (bucket.empty()) {
    buckets_.remove(gone.bucket);
  } else {
    buckets_.put(gone.bucket, std::move(bucket));
  }
  places_.remove(id);
  --uses(gone.bucket);
  count(*gone.rule, -1);
}

void RuleIndex::count(const Rule& rule, int change) {
  const Condition& condition = rule.condition;
  const auto add = [change](uint32_t& of, bool asked) { of += asked ? static_cast<uint32_t>(change) : 0; };
  const bool addresses = condition.forward_flow || condition.return_flow || rule.nat != topology::NatKind::none;
  add(fields_.ip_src, addresses || condition.ip_src.value || condition.ip_src_group.value);
  add(fields_.ip_dst, addresses || condition.ip_dst.value || condition.ip_dst_group.value);
  add(fields_.ip_tos, condition.ip_tos.value.has_value());
  const bool src = condition.l4_src.value.has_value(), dst = condition.l4_dst.value.has_value();
  add(fields_.fragments, addresses || src || dst || condition.fragments != topology::FragmentPolicy::any);
  // A rule that inverts its protocol, or the whole, may ask for ports of any.
  const bool any = condition.inverted || condition.ip_proto.inverted || !condition.ip_proto.value;
  if (src || dst) count_l4(any ? kAnyProto : *condition.ip_proto.value, src, dst, change);
}

void RuleIndex::count_l4(uint8_t proto, bool src, bool dst, int change) {
  auto at = std::find_if(fields_.l4.begin(), fields_.l4.end(), [&](const auto& of) { return of[0] == proto; });
  if (at == fields_.l4.end()) at = fields_.l4.insert(at, {proto, 0, 0});
  (*at)[1] += src ? static_cast<uint32_t>(change) : 0;
  (*at)[2] += dst ? static_cast<uint32_t>(change) : 0;
  if ((*at)[1] == 0 && (*at)[2] == 0) fields_.l4.erase(at);
}

FieldSet RuleIndex::reads(const FlowKey& key) const {
  FieldSet out;
  if (!key.is_ip()) return out;
  if (fields_.ip_src != 0) out.add(Field::ip_src);
  if (fields_.ip_dst != 0) out.add(Field::ip_dst);
  if (fields_.ip_tos != 0) out.add(Field::ip_tos);
  for (const auto& [proto, src, dst] : fields_.l4) {
    if (proto != key.ip_proto && proto != kAnyProto) continue;
    if (src != 0) out.add(Field::l4_src);
    if (dst != 0) out.add(Field::l4_dst);
  }
  return out;
}

void RuleIndex::look(const BucketKey& key, Candidates& out) const {
  const Bucket* bucket = buckets_.find(key);
  if (bucket != nullptr) out.cursors_.push_back({bucket->data(), bucket->data() + bucket->size()});
}

void RuleIndex::look_addresses(By by, const IpAddress& address, Candidates& out) const {
  const Steps steps = steps_of(address.family());
  for (unsigned step = steps.first; step < steps.last; ++step) {
    if (!in_use(by, step)) continue;
    const Words words = words_of(address, step);
    look({kind_word(static_cast<unsigned>(by), step, 0, 0), words.high, words.low}, out);
  }
}

void RuleIndex::look_ports(By by, uint8_t proto, uint16_t port, Candidates& out) const {
  for (unsigned step = 0; step < kPortBits.size(); ++step) {
    if (!in_use(by, step)) continue;
    look({kind_word(static_cast<unsigned>(by), step, proto, block_of(port, step)), 0, 0}, out);
    if (proto != kAnyProto) {
      look({kind_word(static_cast<unsigned>(by), step, kAnyProto, block_of(port, step)), 0, 0}, out);
    }
  }
}

RuleIndex::Candidates RuleIndex::candidates(const FlowKey& key, PortId in, PortId out_port) const {
  Candidates out;
  const auto simple = [&](By by, uint8_t proto, uint16_t value, Words words = {}) {
    if (in_use(by, 0)) look({kind_word(static_cast<unsigned>(by), 0, proto, value), words.high, words.low}, out);
  };
  if (key.is_ip() || key.eth_type == ethertype::kArp) {
    look_addresses(By::ip_dst, key.ip_dst, out);
    look_addresses(By::ip_src, key.ip_src, out);
    look_ports(By::l4_dst, key.ip_proto, key.l4_dst, out);
    look_ports(By::l4_src, key.ip_proto, key.l4_src, out);
    simple(By::proto, key.ip_proto, 0);
  }
  simple(By::eth_dst, 0, 0, {key.eth_dst.as_uint64(), 0});
  simple(By::eth_src, 0, 0, {key.eth_src.as_uint64(), 0});
  simple(By::out_port, 0, 0, {out_port.uuid().high(), out_port.uuid().low()});
  simple(By::in_port, 0, 0, {in.uuid().high(), in.uuid().low()});
  simple(By::eth_type, 0, key.eth_type);
  simple(By::all, 0, 0);
  return out;
}

const Rule* RuleIndex::Candidates::next() {
  Cursor* least = nullptr;
  for (Cursor& cursor : cursors_) {
    if (cursor.at != cursor.end && (least == nullptr || by_position(*cursor.at, *least->at))) least = &cursor;
  }
  return least == nullptr ? nullptr : (least->at++)->get();
}

}  // namespace viaduct::flows::simulation
