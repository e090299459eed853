// The packets of one worker that wait for a fact: a neighbour's MAC address, ports for a translation.
//
// Owned by the worker's thread. Bounded in every direction: for one fact, for one port of entry (so that one guest's
// scan of empty addresses cannot use up the room of all), in packets and in bytes. What does not fit is refused with a
// reason that is counted; the caller drops it as park_overflow. What waits too long is handed back by expire().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "flows/packet/packet.hpp"
#include "flows/simulation/verdict.hpp"
#include "flows/state/state_tables.hpp"

namespace viaduct::actors {

enum class ParkRefusal : uint8_t { fact_full, port_full, packets_full, bytes_full, count_ };
enum class ParkCause : uint8_t { neighbour, nat_ports, replication, count_ };

// A packet with bytes of its own, and what it takes to simulate it again from the start.
struct ParkedPacket {
  std::vector<uint8_t> frame;
  flows::Offload offload;
  flows::PortNumber in_port;  // none for a packet that a device made: those share the bound of one port
  PortId emitted_from;        // set for a packet that a device made
  flows::Time received;
  flows::Tunnel tunnel = {};  // by which it came
  uint64_t ticket = 0;        // set when it waits for other hosts to know its connection
  flows::Time since = {};     // when it began to wait, and for what
  ParkCause cause = ParkCause::neighbour;
};

class ParkingLot {
 public:
  struct Options {
    size_t per_fact = 64;  // a burst; Linux keeps about a hundred (unres_qlen_bytes)
    size_t per_port = 256;
    size_t packets = 4096;
    size_t bytes = 16 << 20;  // of frames
  };
  ParkingLot() : ParkingLot(Options()) {}
  explicit ParkingLot(const Options& options) : options_(options) {}

  // Nothing when it waits; else why it cannot, which is counted.
  std::optional<ParkRefusal> park(const flows::simulation::Wanted& wanted, ParkedPacket packet, flows::Time deadline);
  // What waits for this, in the order of arrival.
  std::vector<ParkedPacket> take(const flows::simulation::Wanted& wanted);
  // What has waited until its deadline.
  std::vector<ParkedPacket> expire(flows::Time now);
  std::optional<flows::Time> next_deadline() const;

  size_t size() const { return spots_.size(); }
  size_t bytes() const { return bytes_; }
  uint64_t refused(ParkRefusal reason) const { return refused_[static_cast<size_t>(reason)]; }

 private:
  using Wanted = flows::simulation::Wanted;
  struct WantedHash {
    size_t operator()(const Wanted& wanted) const {
      const auto mix = [](size_t id, const IpAddress& address) {
        return (id ^ std::hash<IpAddress>()(address)) * 0x9e37'79b9'7f4a'7c15ULL;
      };
      if (const auto* block = std::get_if<flows::simulation::NatBlockWanted>(&wanted)) {
        return mix(std::hash<Uuid>()(block->device), block->address);
      }
      if (const auto* shared = std::get_if<flows::simulation::StateShared>(&wanted)) return shared->ticket;
      const auto& neighbour = std::get<flows::simulation::NeighbourWanted>(wanted);
      return mix(std::hash<PortId>()(neighbour.port), neighbour.address);
    }
  };
  struct Spot {
    Wanted wanted;
    ParkedPacket packet;
    flows::Time deadline;
  };
  using Spots = std::list<Spot>;  // by deadline

  std::optional<ParkRefusal> refusal(const Wanted& wanted, const ParkedPacket& packet) const;
  ParkedPacket leave(Spots::iterator spot);

  const Options options_;
  Spots spots_;
  std::unordered_map<Wanted, std::vector<Spots::iterator>, WantedHash> waiting_;
  std::unordered_map<flows::PortNumber, size_t> by_port_;
  size_t bytes_ = 0;
  std::array<uint64_t, static_cast<size_t>(ParkRefusal::count_)> refused_{};
};

}  // namespace viaduct::actors
