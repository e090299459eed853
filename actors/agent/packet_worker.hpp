// One packet worker: a thread with its own upcall channel, parking lot and ring, and the only place where a packet's
// verdict becomes effects.
//
//   poll -> parse -> simulate -> learn -> install the flow, execute the packet, send what devices emit, or park it
//
// A worker shares nothing with other workers but AgentState's tables (lock-free reads) and the kernel. It tells actors
// what concerns time and indexes through AgentState's news, in batches, and never waits for an answer.
//
// A verdict is installed only when none of its tags changed since before its simulation (TagEpochs); else the packet is
// simulated again, at most kMaxAttempts times, and then executed without a flow.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "actors/agent/agent_state.hpp"
#include "actors/agent/drop_history.hpp"
#include "actors/agent/parking_lot.hpp"
#include "actors/agent/spsc_ring.hpp"
#include "actors/agent/worker_inbox.hpp"
#include "actors/messages.hpp"
#include "flows/datapath/datapath.hpp"
#include "flows/simulation/simulate.hpp"
#include "flows/table/flow_index.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

// What a flow keeps alive while it carries packets.
using FlowTouches = flows::SmallVector<flows::simulation::Touch, 4>;
// What the flow controller needs to know of a flow besides what it depends on.
struct FlowNotes {
  FlowTouches touches;
  flows::DropReason drop = flows::DropReason::none;  // of the packets that it takes
  uint64_t log_serial = 0;                           // its record in the flow log; 0: none
};
// `drop_site`: of a flow that takes packets; not kept in the index.
struct InstalledFlow : flows::FlowRecord<FlowNotes> {
  flows::simulation::DropSite drop_site;
};
using InstalledRing = SpscRing<InstalledFlow>;

class PacketWorker {
 public:
  static constexpr int kMaxAttempts = 3;
  static constexpr int kMaxEmissionDepth = 6;  // an error about a reply about …
  static constexpr size_t kMaxEmitsARound = 1024;
  static constexpr size_t kBatch = 64;
  static constexpr size_t kRingCapacity = 8192;
  static constexpr size_t kDropRingCapacity = 2048;
  static constexpr unsigned kTicketWorkerBits = 8;  // of a ReplicationTicket
  // What waits for others to know its connection waits so much longer than the replicator does for any of them.
  static constexpr std::chrono::milliseconds kShareMargin{700};
  static constexpr size_t kEvictionBacklog =
      256;  // records; fewer do not keep a port that has too many flows from more

  // To every worker's inbox: packets may wait for it there. Called from the worker's thread; must not block.
  using NeighbourLearned = std::function<void(const flows::simulation::NeighbourWanted&)>;

  PacketWorker(AgentState& state, flows::Capabilities capabilities, std::unique_ptr<flows::PacketChannel> channel,
               NeighbourLearned neighbour_learned, observability::WorkerProbe& probe, unsigned index = 0);

  // The thread's body.
  void run(std::stop_token stop);
  // One round: what waits, at most kBatch upcalls, and all their consequences. For tests, and for run().
  void round(std::chrono::milliseconds timeout);
  // Any thread.
  WorkerInbox& inbox() { return inbox_; }
  // The flow controller's end; it is told by AgentState::flow_news.
  InstalledRing& installed() { return installed_; }
  const InstalledRing& installed() const { return installed_; }
  // Likewise; looked into once a second, and when somebody asks.
  DropRing& drops() { return drops_; }
  // The flow log's end; null: there is none.
  FlowLogTap::Ring* flow_log() { return tap_ ? &tap_->ring() : nullptr; }
  void wake() { channel_->wake(); }

 private:
  struct Job {
    flows::Packet packet;
    PortId emitted_from;  // nil: it came in by packet.key.in_port
    flows::Time received;
    int depth = 0;
    bool give_up = false;
  };
  struct Outgoing {
    std::span<uint8_t> frame;
    flows::Offload offload;
    flows::PortNumber in_port;
    flows::ActionList actions;
  };

  void serve_inbox(flows::Time now);
  void serve(const WorkerRequest& request, flows::Time now);
  void retry(std::vector<ParkedPacket> packets, flows::Time now, bool give_up);
  void give_up(std::vector<ParkedPacket> packets, flows::Time now);
  void process(Job& job, flows::Time now);
  uint64_t decide(const Job& job, flows::Time now, bool& stable);
  void apply_writes(flows::Time now);
  using Keys = flows::SmallVector<flows::ConnectionKey, 4>;
  enum class Opened : uint8_t { all, again, refused };
  Opened apply_connections(flows::Time now);
  void use_connections(flows::Time now);
  bool share(const Job& job, flows::Time now);
  void forget_ticket(flows::ReplicationTicket ticket);
  void tell_replicator();
  void learn(const flows::simulation::LearnMac& write, flows::Time now);
  void learn(const flows::simulation::LearnNeighbour& write, flows::Time now);
  void act(const Job& job, flows::Time now, uint64_t epoch, bool stable);
  static ParkedPacket parked_packet(const Job& job, ParkCause cause, flows::Time now);
  void wait(const Job& job, const flows::simulation::Wanted& wanted, ParkedPacket packet, flows::Time deadline,
            flows::Time now);
  void park(const Job& job, flows::Time now);
  bool crowded(flows::PortNumber port) const;
  bool queue_install(const Job& job, uint64_t epoch);
  void hear_check(const flows::Upcall& upcall);
  void tell_checkers();
  void queue_emits(const Job& job, flows::Time now);
  // Where it was, if not where the verdict says: at the port where the packet came in.
  void drop(const Job& job, flows::DropReason reason, flows::Time now);
  void drop(const Job& job, flows::DropReason reason, flows::simulation::DropSite site, flows::Time now);
  void drop(const DropNote& note);
  flows::simulation::DropSite arrival_site(const Job& job);
  void log_decision(const Job& job, bool queued, flows::Time now);
  void log_drop(const Job& job, flows::DropReason reason, flows::Time now);
  void log_installed();
  void flush(flows::Time now);
  void install_batch();
  void execute_batch(flows::Time now);
  void refused_by_datapath(size_t packets, flows::Time now);
  void tell();

  const uint64_t index_;  // among the workers
  AgentState& state_;
  const flows::Capabilities capabilities_;
  std::unique_ptr<flows::PacketChannel> channel_;
  const NeighbourLearned neighbour_learned_;
  observability::WorkerProbe& probe_;
  NetworkSlot::Reader network_;
  WorkerInbox inbox_;
  InstalledRing installed_{kRingCapacity};
  DropRing drops_{kDropRingCapacity};
  DropTally tally_;
  std::unique_ptr<FlowLogTap> tap_;  // null: no flow log
  ParkingLot parking_;

  flows::simulation::Verdict verdict_;
  Keys opened_;  // for the packet, by any of its simulations
  std::vector<flows::Upcall> upcalls_;
  std::vector<flows::FlowInstall> installs_;
  std::vector<flows::InstallResult> results_;
  std::vector<InstalledFlow> records_;  // of installs_, by index
  std::vector<flows::Time> received_;   // of installs_, by index
  struct LogRecord {
    size_t install = 0;  // index
    FlowLogTap::Record record;
  };
  std::vector<LogRecord> log_records_;  // of some of installs_
  std::vector<Outgoing> outgoing_;
  std::vector<flows::PacketOut> packets_out_;
  std::vector<std::vector<uint8_t>> frames_;  // owned by this round: emitted and retried packets
  std::vector<Job> emitted_jobs_;
  DeviceEvents events_;
  std::vector<flows::ConnectionKey> changed_connections_;
  std::vector<SharedState> shares_;
  // Entries that packets have opened and other hosts may not know yet.
  std::unordered_map<flows::ConnectionKey, flows::ReplicationTicket, flows::ConnectionKeyHash> unshared_;
  std::unordered_map<flows::ReplicationTicket, Keys> unshared_keys_;
  flows::ReplicationTicket next_ticket_ = 1;
};

}  // namespace viaduct::actors
