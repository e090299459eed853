// Hosts that share connections over a network that loses, doubles and delays, played from a seed.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>

#include "flows/packet/flow_key.hpp"
#include "flows/replication/replicator.hpp"

namespace viaduct::flows::testing {

using namespace std::chrono_literals;

const Time kStart = Time{} + 1h;
const Uuid kDevice = Uuid::from_words(7, 7);

inline HostId host_id(int n) { return HostId(Uuid::from_words(1, static_cast<uint64_t>(n) + 1)); }

inline ConnectionKey key(uint32_t number) {
  return {ConnectionKind::track,
          ip_proto::kTcp,
          static_cast<uint16_t>(number),
          80,
          IpAddress::v4(0x0a000000 + (number >> 16)),
          IpAddress::v4(0x0a000002),
          kDevice};
}

const PortId kGuest(Uuid::from_words(9, 1)), kUplink(Uuid::from_words(9, 2)), kOther(Uuid::from_words(9, 3));

// A machine's connection, the port that its source becomes, and what its answers come to.
const IpAddress kOutside = IpAddress::v4(0xcb007109);
inline ConnectionKey inside(uint16_t number) {
  return {ConnectionKind::snat,      ip_proto::kTcp, number, 80, IpAddress::v4(0x0a000001),
          IpAddress::v4(0xc6336401), kDevice};
}
inline ConnectionEntry translation(uint16_t port, Time now) {
  ConnectionEntry entry;
  entry.address = kOutside;
  entry.port = port;
  entry.seen_forward = seen::kPacket;
  entry.last_seen = now;
  return entry;
}
inline ConnectionKey outside(uint16_t number, uint16_t port) {
  return *partner_of(inside(number), translation(port, kStart));
}

class World {
 public:
  explicit World(uint64_t seed, int hosts, double loss = 0, std::chrono::milliseconds delay = 1ms)
      : random_(seed), loss_(loss), delay_(delay) {
    for (int n = 0; n < hosts; ++n) start(n);
  }
  struct Host {
    ConnectionTable table{{4'096, 4'096, 4'096}};
    std::unique_ptr<Replicator> replicator;
    std::vector<ReplicationTicket> released;
    std::vector<uint64_t> handed;
    std::vector<ConnectionKey> ended;  // by poll()
    size_t refused = 0;
    bool alive = true;
  };
  void start(int n) {
    if (hosts_.size() <= static_cast<size_t>(n)) hosts_.push_back(std::make_unique<Host>());
    auto fresh = std::make_unique<Host>();
    hosts_[static_cast<size_t>(n)] = std::move(fresh);
    Host& host = *hosts_[static_cast<size_t>(n)];
    host.replicator = std::make_unique<Replicator>(
        host_id(n), random_() | 1, host.table,
        [](HostId, const ConnectionUpdate& update) { return update.key.device == kDevice; },
        [this](std::span<const PortId> ends) { return hosts_of(ends); },
        [this](const ConnectionKey& key) {
          const auto holder = holders.find(key.dst_port);
          return holder == holders.end() ? std::nullopt : std::optional(host_id(holder->second));
        },
        Replicator::Options{});
    std::vector<HostId> all;
    for (int other = 0; other < 8; ++other) all.push_back(host_id(other));
    host.replicator->reach(all);
  }
  Host& at(int n) { return *hosts_.at(static_cast<size_t>(n)); }
  bool open(int n, uint32_t number, std::vector<HostId> peers, ReplicationTicket ticket) {
    ConnectionEntry entry;
    entry.seen_forward = seen::kPacket;
    entry.last_seen = now;
    at(n).table.open(key(number), entry);
    const ConnectionKey keys[] = {key(number)};
    return at(n).replicator->share({keys, {}, peers, ticket}, now);
  }
  // A connection that enters and leaves at these ports; whom it concerns follows from where they are.
  void open_between(int n, uint32_t number, std::vector<PortId> ends) {
    open(n, number, {}, 0);
    use(n, number, std::move(ends));
  }
  void use(int n, uint32_t number, std::vector<PortId> ends) {
    at(n).table.touch(key(number), Direction::forward, 0, now);
    const ConnectionKey keys[] = {key(number)};
    const std::vector<HostId> peers = hosts_of(ends);
    at(n).replicator->share({keys, ends, peers, 0}, now);
  }
  void move_port(PortId port, int to) {
    where_[port] = to;
    for (auto& host : hosts_) {
      if (host->alive) host->replicator->moved({{port}}, now);
    }
  }
  void kill(int n) { at(n).alive = false; }
  void wake(int n) { at(n).alive = true; }
  void run(std::chrono::milliseconds time) {
    for (const Time end = now + time; now < end; now += 1ms) step();
  }
  Time now = kStart;
  std::map<uint16_t, int> holders;  // of translated ports
  double loss() const { return loss_; }
  void set_loss(double loss) { loss_ = loss; }

 private:
  struct Packet {
    Time at;
    int from, to;
    std::vector<uint8_t> bytes;
    bool operator>(const Packet& other) const { return at > other.at; }
  };
  std::vector<HostId> hosts_of(std::span<const PortId> ends) const {
    std::vector<HostId> out;
    for (PortId end : ends) out.push_back(host_id(where_.at(end)));
    return out;
  }
  int number_of(HostId id) const { return static_cast<int>(id.uuid().low()) - 1; }
  void send(int from, const StateFrame& frame) {
    const int copies = std::uniform_real_distribution<>()(random_) < 0.02 ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      if (std::uniform_real_distribution<>()(random_) < loss_) continue;
      const auto jitter = std::chrono::microseconds(random_() % 1'000);
      network_.push({now + delay_ + jitter, from, number_of(frame.receiver), encode(frame, now)});
    }
  }
  void step() {
    while (!network_.empty() && network_.top().at <= now) {
      const Packet packet = network_.top();
      network_.pop();
      if (packet.to < 0 || static_cast<size_t>(packet.to) >= hosts_.size() || !at(packet.to).alive) continue;
      auto frame = decode_state_frame(packet.bytes, now);
      ASSERT_TRUE(std::holds_alternative<StateFrame>(frame));
      Host& host = at(packet.to);
      auto received = host.replicator->receive(std::get<StateFrame>(frame), host_id(packet.from), now);
      host.released.insert(host.released.end(), received.released.begin(), received.released.end());
      host.refused += received.refused;
      if (received.answer) send(packet.to, *received.answer);
    }
    for (size_t n = 0; n < hosts_.size(); ++n) {
      Host& host = *hosts_[n];
      if (!host.alive) continue;
      auto work = host.replicator->poll(now);
      host.released.insert(host.released.end(), work.released.begin(), work.released.end());
      host.ended.insert(host.ended.end(), work.ended.begin(), work.ended.end());
      host.handed.insert(host.handed.end(), work.handed.begin(), work.handed.end());
      for (const StateFrame& frame : work.frames) send(static_cast<int>(n), frame);
    }
  }
  std::map<PortId, int> where_;
  std::mt19937_64 random_;
  double loss_;
  std::chrono::milliseconds delay_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::priority_queue<Packet, std::vector<Packet>, std::greater<>> network_;
};

}  // namespace viaduct::flows::testing
