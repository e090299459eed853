// Probes: what each part of the daemon reports, as verbs. Logic says `probe.flow_installed(...)`; which metric that is,
// its name, labels and help text, is decided here and in probes.cpp only.
//
// A probe is made with the registry, which must outlive it. WorkerProbe belongs to one thread; all others may be called
// by any thread. Labels that come from outside (names of actors, errors, ports) are bounded by the registry. Where it is
// known which labels there can be, their counters are there from the start: a rule then sees the first event, too.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "observability/metrics.hpp"
#include "observability/supervisor_probe.hpp"
#include "observability/worker_probe.hpp"

namespace viaduct::observability {

using Names = std::vector<std::string>;

class StoreProbe {
 public:
  // `refusals`: the reasons that refused() is called with.
  explicit StoreProbe(Registry& registry, const Names& refusals = {});
  void committed(std::chrono::nanoseconds duration, uint64_t revision);
  void refused(std::string_view reason);
  void revision(uint64_t revision);  // as found when the store is opened
  void watch_compacted();            // a watcher had to read everything again
  // Agents of this node that were sent something and have not applied it; for how long the slowest has applied nothing.
  void agents_behind(size_t agents, std::chrono::nanoseconds lag);

 private:
  Registry& registry_;
  Histogram& commits_;
  Gauge& revision_;
  Gauge& behind_;
  Gauge& lag_;
  Counter& compacted_;
};

// The servers behind the clustered store.
class EtcdProbe {
 public:
  explicit EtcdProbe(Registry& registry);
  void called(std::string_view method, std::string_view result);  // one attempt at one server
  void took(std::string_view method, std::chrono::nanoseconds duration);
  void reachable(bool now) { reachable_.set(now ? 1 : 0); }  // a call was answered by any server; or by none
  void server_left(std::string_view server);                 // it failed, another one is asked
  void watch_broken() { broken_.add(); }
  void watch_resumed() { resumed_.add(); }
  void authenticated() { authentications_.add(); }  // a token was given

 private:
  Registry& registry_;
  Gauge& reachable_;
  Counter& broken_;
  Counter& resumed_;
  Counter& authentications_;
};

class MirrorProbe {
 public:
  explicit MirrorProbe(Registry& registry);
  void applied(uint64_t revision);  // nothing is shown before
  void enforced_after(std::chrono::nanoseconds commit_to_applied);
  void resynchronised();  // read everything instead of following changes
  void cache_failed();    // a batch could not be written to the cache

 private:
  std::atomic<uint64_t> revision_{0};
  std::atomic<bool> any_{false};
  Histogram& commit_to_applied_;
  Counter& resyncs_;
  Counter& cache_failures_;
  ExportedCallback export_;
};

// What this host tells the cluster of itself.
class PublisherProbe {
 public:
  explicit PublisherProbe(Registry& registry);
  void write(size_t entries);
  void failed();               // no answer, or the database's error: sent again
  void lost(uint64_t claims);  // another host's came first
  void published(size_t entries);

 private:
  Counter& writes_;
  Counter& entries_;
  Counter& failures_;
  Counter& lost_;
  Gauge& published_;
};

// Blocks of ports for dynamic SNAT.
class NatProbe {
 public:
  struct Leasing {
    size_t held = 0, resting = 0, spent_addresses = 0;
    uint64_t wanted = 0, claimed = 0, lost = 0, exhausted = 0, refused = 0, adopted = 0;  // since the start
  };
  explicit NatProbe(Registry& registry);
  // One address of one device: what becomes of the blocks that rules give out there.
  struct AddressNumbers {
    std::string device, address;  // the device's id
    size_t held = 0, others = 0, resting = 0, free = 0;
  };
  void leasing(const Leasing& now);
  void addresses(std::vector<AddressNumbers> all);  // who is not among them is no longer shown
  void connections(uint64_t now);                   // that have a port of some block
  void ended(size_t connections);                   // with a block that went back
  void refused();                                   // the table of blocks is full

 private:
  Gauge& held_;
  Gauge& resting_;
  Gauge& spent_;
  Gauge& connections_;
  Counter& wanted_;
  Counter& claimed_;
  Counter& lost_;
  Counter& exhausted_;
  Counter& refused_;
  Counter& adopted_;
  Counter& ended_;
  Leasing known_;
  mutable std::mutex mutex_;
  std::vector<AddressNumbers> addresses_;
  ExportedCallback export_;
};

// Connections that are shared with other hosts.
class ReplicationProbe {
 public:
  struct Numbers {
    size_t shared = 0, waiting = 0, silent_peers = 0;
    std::chrono::nanoseconds lag{};  // the age of the oldest update that a host which answers has not acknowledged
    uint64_t sent = 0, sent_again = 0, received = 0, overflows = 0, resyncs = 0, unacknowledged = 0;
    uint64_t handed_over = 0, not_answered = 0;
    uint64_t yielded = 0, taken_over = 0, yields_refused = 0, yields_unheard = 0;
    std::vector<std::pair<std::string_view, uint64_t>> refused;  // by reason
  };
  explicit ReplicationProbe(Registry& registry);
  void observed(const Numbers& now);
  void frame_refused(std::string_view reason);
  void waited(std::chrono::nanoseconds time);        // a packet, until it was released
  void acknowledged(std::chrono::nanoseconds time);  // a batch, since it was first sent

 private:
  Registry& registry_;
  Gauge& shared_;
  Gauge& waiting_;
  Gauge& silent_;
  Gauge& lag_;
  Counter& sent_;
  Counter& sent_again_;
  Counter& received_;
  Counter& overflows_;
  Counter& resyncs_;
  Counter& unacknowledged_;
  Counter& handed_over_;
  Counter& not_answered_;
  Counter& yielded_;
  Counter& taken_over_;
  Counter& yields_refused_;
  Counter& yields_unheard_;
  Histogram& waited_;
  Histogram& acknowledged_;
  Numbers known_;
};

// An agent's connection to the cluster.
class ClusterLinkProbe {
 public:
  explicit ClusterLinkProbe(Registry& registry);
  void joined();
  void lost();
  void asked_from_afar(std::string_view outcome);  // a question of another host's operator

 private:
  Registry& registry_;
  Gauge& connected_;
  Counter& joins_;
  Counter& losses_;
};

// A cluster node's side of it.
class GatewayProbe {
 public:
  // `refusals`: the reasons that refused() is called with.
  explicit GatewayProbe(Registry& registry, const Names& refusals = {});
  void refused(std::string_view reason);
  void joined(bool fresh);
  void sessions(size_t now);
  void claims_refused(uint64_t claims);     // of NAT blocks, by hosts that do not need the device
  void question(std::string_view outcome);  // about a port of some host

 private:
  Registry& registry_;
  Gauge& sessions_;
  Counter& claims_refused_;
};

class FlowControllerProbe {
 public:
  // `drops`: the reasons of dropped().
  explicit FlowControllerProbe(Registry& registry, const Names& drops = {});
  void limit(uint64_t flows) { limit_.set(static_cast<double>(flows)); }
  void flows(uint64_t installed);
  void expired(uint64_t flows = 1) { expired_.add(flows); }          // idle
  void invalidated(uint64_t flows = 1) { invalidated_.add(flows); }  // what it depended on changed
  void evicted(std::string_view reason, uint64_t flows = 1);         // to keep a limit
  void adopted(uint64_t flows = 1) { adopted_.add(flows); }          // found in the kernel at the start
  void renewed(uint64_t flows = 1) { renewed_.add(flows); }          // their connection is ending
  void dropped(std::string_view reason, uint64_t packets);           // by a flow, in the datapath
  void drop_history(uint64_t entries, uint64_t evicted);             // evicted: since the last time

 private:
  Registry& registry_;
  Gauge& flows_;
  Gauge& limit_;
  Counter& expired_;
  Counter& invalidated_;
  Counter& adopted_;
  Counter& renewed_;
  Gauge& drop_entries_;
  Counter& drop_evictions_;
};

// Connections that this host knows.
class ConnectionProbe {
 public:
  // The reasons of expired() and evicted().
  ConnectionProbe(Registry& registry, const Names& expiries, const Names& shortages);
  // Entries: of the table, of what enters by one port, of one tenant.
  void limits(size_t all, size_t of_a_port, size_t of_a_tenant);
  void expired(std::string_view reason, uint64_t connections);
  void evicted(std::string_view reason, uint64_t connections);  // to make room
  void flushed(uint64_t connections);                           // an operator's word
  void entries(std::string_view kind, uint64_t now);
  void connections(std::string_view protocol, std::string_view state, uint64_t now);

 private:
  Registry& registry_;
};

class DatapathProbe {
 public:
  explicit DatapathProbe(Registry& registry) : registry_(registry) {}
  void error(std::string_view name, uint64_t count = 1);

 private:
  Registry& registry_;
};

class AdminProbe {
 public:
  explicit AdminProbe(Registry& registry) : registry_(registry) {}
  void request(std::string_view kind, std::string_view outcome);
  void malformed(std::string_view reason);

 private:
  Registry& registry_;
};

// The REST API.
class RestProbe {
 public:
  explicit RestProbe(Registry& registry);
  void serving();  // there is a REST API: what it counts is shown from 0 on
  void answered(std::string_view method, int status, std::chrono::nanoseconds taken);
  void refused(std::string_view reason);
  void login_failed(std::string_view reason);
  void keystone_failed(std::string_view reason);
  void watching(size_t now);  // clients, for events
  void events_reset(std::string_view reason);

 private:
  Registry& registry_;
  Histogram& seconds_;
  Gauge& watching_;
};

// One tunnel as it is now. What is not known is not shown.
struct TunnelNumbers {
  std::string peer;  // the host's name
  std::string kind;  // "vxlan", "gre"
  bool up = false;
  uint32_t mtu_bytes = 0;                          // behind the inner Ethernet header
  std::optional<double> loss_to_us, loss_to_peer;  // of the last probes, 0 to 1
  std::optional<std::chrono::nanoseconds> round_trip;
};

class TunnelProbe {
 public:
  explicit TunnelProbe(Registry& registry);
  void observed(std::vector<TunnelNumbers> all);  // a peer that is not among them is no longer shown
  void state_changed(std::string_view peer, std::string_view to);
  void probe_refused(std::string_view reason);
  void late(uint64_t times);    // since the last call: this host, by its own deadlines
  void held(size_t peers);      // that answer, and are not believed in yet
  void problems(uint64_t now);  // what keeps a zone or a peer from being used

 private:
  template <class Show>
  ExportedCallback exported(std::string_view name, std::string_view help, Show show);

  Registry& registry_;
  Gauge& problems_;
  Counter& late_;
  Gauge& held_;
  mutable std::mutex mutex_;
  std::vector<TunnelNumbers> tunnels_;
  ExportedCallback up_, round_trip_, loss_, mtu_;
};

}  // namespace viaduct::observability
