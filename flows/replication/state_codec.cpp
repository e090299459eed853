#include "flows/replication/state_codec.hpp"

#include <algorithm>
#include <limits>

namespace viaduct::flows {

namespace {

constexpr uint8_t kKnownBits = seen::kPacket | seen::kFin | seen::kSyn | seen::kRst | seen::kAck;

void put(const IpAddress& address, schema::IpAddress::Builder to) {
  to.setBytes(kj::arrayPtr(address.bytes().data(), address.bytes().size()));
}
std::optional<IpAddress> get(schema::IpAddress::Reader from) {
  const auto bytes = from.getBytes();
  if (bytes.size() == 4) return IpAddress::from_network(IpFamily::v4, bytes.begin());
  if (bytes.size() == 16) return IpAddress::from_network(IpFamily::v6, bytes.begin());
  return std::nullopt;
}

}  // namespace

void encode(const Uuid& id, schema::Uuid::Builder to) {
  to.setHigh(id.high());
  to.setLow(id.low());
}
Uuid decode(schema::Uuid::Reader from) { return Uuid::from_words(from.getHigh(), from.getLow()); }

void encode(const ConnectionUpdate& update, Time now, schema::ConnectionUpdate::Builder to) {
  to.setKind(static_cast<uint8_t>(update.key.kind));
  to.setProto(update.key.proto);
  to.setSrcPort(update.key.src_port);
  to.setDstPort(update.key.dst_port);
  put(update.key.src, to.initSrc());
  put(update.key.dst, to.initDst());
  encode(update.key.device, to.initDevice());
  to.setEnded(update.ended);
  if (update.ended) return;
  const ConnectionEntry& entry = update.entry;
  const auto idle = std::chrono::duration_cast<std::chrono::milliseconds>(now - entry.last_seen).count();
  put(entry.address, to.initAddress());
  to.setPort(entry.port);
  to.setSeenForward(entry.seen_forward);
  to.setSeenBack(entry.seen_back);
  to.setIdle(static_cast<uint32_t>(std::clamp<int64_t>(idle, 0, std::numeric_limits<uint32_t>::max())));
  to.setTenant(entry.tenant);
  to.setPortAccount(entry.port_account);
  to.setOwnership(static_cast<uint8_t>(update.ownership));
  const size_t count = std::min(update.ends.size(), kMaxEnds);
  if (count == 0) return;
  auto ends = to.initEnds(static_cast<unsigned>(count));
  for (unsigned i = 0; i < count; ++i) encode(update.ends[i].uuid(), ends[i]);
}

std::optional<ConnectionUpdate> decode(schema::ConnectionUpdate::Reader from, Time now) {
  if (from.getKind() >= static_cast<uint8_t>(ConnectionKind::count_)) return std::nullopt;
  const auto src = get(from.getSrc()), dst = get(from.getDst());
  if (!src || !dst || src->family() != dst->family()) return std::nullopt;
  ConnectionUpdate out;
  out.key = {static_cast<ConnectionKind>(from.getKind()),
             from.getProto(),
             from.getSrcPort(),
             from.getDstPort(),
             *src,
             *dst,
             decode(from.getDevice())};
  out.ended = from.getEnded();
  if (out.ended) return out;
  const auto address = get(from.getAddress());
  if (!address) return std::nullopt;
  out.entry.address = *address;
  out.entry.port = from.getPort();
  out.entry.seen_forward = from.getSeenForward() & kKnownBits;
  out.entry.seen_back = from.getSeenBack() & kKnownBits;
  out.entry.owned = false;
  out.entry.tenant = from.getTenant();
  out.entry.port_account = from.getPortAccount();
  out.entry.last_seen = now - std::chrono::milliseconds(from.getIdle());
  const bool known = from.getOwnership() < static_cast<uint8_t>(Ownership::count_);
  out.ownership = known ? static_cast<Ownership>(from.getOwnership()) : Ownership::unsaid;
  const auto ends = from.getEnds();
  if (ends.size() > kMaxEnds) return std::nullopt;
  for (const auto end : ends) out.ends.emplace_back(decode(end));
  return out;
}

}  // namespace viaduct::flows
