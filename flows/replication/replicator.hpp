// Keeps the connections of this host also on the hosts that may see their next packet, and theirs here.
//
// Who needs an entry is for the simulation to say (egress hosts, members of stateful port groups); share() is told, and
// again when that changes. An entry is owned by the host that made it; others have copies, which answer and age as the
// owner's do. Whoever sees packets of it says so every `refresh`: the owner to all copies, a copy to the owner, which
// passes it on. So an entry ends everywhere at about the same time, and lives on where it is used when its owner is dead.
//
//   share() ─> ReplicationLink per peer ─> poll() ─> frames                frames ─> receive() ─> table, acknowledgement
//
// The owner of a translated connection is who holds the lease of its ports. When they have become another host's, who slept
// through its lease and is back gives its connections over (yield.cpp): its entries become copies at once, and the new
// holder, who mostly has copies of them, owns them from then on. Only what it refuses, as the ports are another
// connection's by now, ends. A holder that cannot be reached is told when it can; but where it has never had a copy it may
// give the ports out again, so that the connection ends when it still cannot be reached after `refresh`.
//
// What comes is believed as far as `may_claim` goes: a host that claims what is not its to claim is counted and not heard.
//
// A state machine without sockets, clocks or threads; one owner. The table is everybody's.
#pragma once

#include <functional>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "flows/replication/connection_ends.hpp"
#include "flows/replication/link.hpp"

namespace viaduct::flows {

class Replicator {
 public:
  using MayClaim = std::function<bool(HostId, const ConnectionUpdate&)>;
  // The hosts that may see the next packet of what enters and leaves at these ports.
  using PeersOf = std::function<std::vector<HostId>(std::span<const PortId> ends)>;
  // Who holds the lease of the ports of a snat_reverse entry; nothing: nobody is known to.
  using HolderOf = std::function<std::optional<HostId>(const ConnectionKey&)>;
  struct Options {
    ReplicationLink::Options link;
    std::chrono::seconds refresh{10};
    std::chrono::milliseconds ask_again{50};
    std::chrono::milliseconds ask_for{1'000};  // and no longer
    size_t max_shared = 1'000'000;
  };
  // `life`: random, not 0, another one for each start.
  Replicator(HostId self, uint64_t life, ConnectionTable& table, MayClaim may_claim, PeersOf peers_of,
             HolderOf holder_of, const Options& options);

  // Entries of the table that packets open or use, where these packets enter and leave, and the hosts that may see the
  // next one.
  struct Share {
    std::span<const ConnectionKey> keys;
    std::span<const PortId> ends;
    std::span<const HostId> peers;
    ReplicationTicket ticket = 0;  // 0: nobody waits
    bool by_anybody = false;       // copies too, whether or not their owner answers
    // So many of the keys, from the first on, are of entries that the packet has opened: what others were told of these
    // keys before was another entry, which has ended, so that they are told anew.
    size_t opened = 0;
  };
  // True when the ticket has to wait: it is released by one of the others.
  bool share(const Share& what, Time now);
  // The hosts of these ports may be others now.
  void moved(std::span<const PortId> ports, Time now);
  // Ports (kMaxAsked at most) have moved here from that host: it is asked for what it knows of their connections. poll()
  // says when it is all
  // here, or the host does not answer. Returns the question's number; 0: nobody can be asked.
  uint64_t ask(HostId from, std::vector<PortId> ports, Time now);

  // An entry of this host, or a copy of another's.
  bool made_here(const ConnectionKey& key) const;
  // The ports of these connections of this host, by their snat_reverse entries, have become another host's: his they are
  // now, and here there are copies. Who it is may become known later, see leases_changed().
  // Returns the entries that are copies now.
  std::vector<ConnectionKey> yield(std::span<const ConnectionKey> keys, Time now);
  // Ports may have other holders than before.
  void leases_changed(Time now);
  // They are no more, by somebody's decision (not by age). What has been opened again meanwhile is told anew.
  void ended(std::span<const ConnectionKey> keys, Time now);
  // The hosts that can be reached; what was for others is forgotten.
  void reach(const std::vector<HostId>& hosts);
  // It does not answer probes: nobody waits for it, and of what it had made, the copies here count.
  void lost(HostId host, Time now);
  // It answers them again: it may be asked and waited for.
  void back(HostId host, Time now);

  struct Received {
    std::vector<ConnectionKey> changed;  // of the table
    size_t refused = 0;                  // connections that have ended: the new holder of their ports has refused them
    std::optional<StateFrame> answer;
    std::vector<ReplicationTicket> released;
  };
  // `by`: whose tunnel it came by.
  Received receive(const StateFrame& frame, HostId by, Time now);

  struct Work {
    std::vector<StateFrame> frames;
    std::vector<ReplicationTicket> released;  // for want of an answer
    std::vector<uint64_t> handed;             // questions that are over
    std::vector<ConnectionKey> ended;         // entries whose ports another host may give out again
  };
  Work poll(Time now);
  std::optional<Time> next_deadline() const;

  struct Counters {
    uint64_t sent = 0, sent_again = 0, received = 0;  // updates; frames; updates
    uint64_t not_for_us = 0;                          // frames of another receiver, or another sender than the tunnel's
    uint64_t not_theirs = 0;                          // updates that the sender may not claim
    uint64_t conflicts = 0;                           // updates against what this host owns
    uint64_t table_full = 0;                          // updates without room
    uint64_t not_shared = 0;                          // entries beyond max_shared
    uint64_t unacknowledged = 0;                      // tickets that did not wait for all who are to know
    uint64_t resyncs = 0, overflows = 0;
    uint64_t handed_over = 0;                         // entries, to hosts that asked
    uint64_t not_answered = 0;                        // questions, also those that nobody could be asked
    uint64_t yielded = 0, taken_over = 0;             // connections: to others that are known, from others
    uint64_t yields_refused = 0, yields_unheard = 0;  // yielded ones that have ended
  };
  Counters counters() const;
  size_t shared() const { return shared_.size(); }
  size_t looks_waiting() const { return refreshes_.size(); }
  size_t backlog() const;  // updates that wait, of all peers
  // For how long the oldest update that a peer which is not silent has not acknowledged has been waiting.
  std::chrono::nanoseconds lag(Time now) const;
  bool silent(HostId peer) const;
  bool owes(HostId peer) const;  // something is not yet there, as far as is known
  bool knows(const ConnectionKey& key) const { return shared_.contains(key); }

 private:
  struct Shared {
    SmallVector<HostId, 4> peers;
    bool owned = false;      // made here
    bool adopted = false;    // a copy whose owner was silent: this host tells the others in its place
    HostId yielded_to;       // of a snat_reverse entry: who is told that it is his
    bool unheard = false;    // of that host, which may know nothing of it
    Time told;               // the time of use that all of them know
    uint16_t told_seen = 0;  // and what has been seen, of both directions
    Time refresh;  // when it is looked at again; other entries of refreshes_ for the key are of its earlier lives
  };
  struct Awaited {
    size_t updates = 0;
  };
  // By another host.
  struct Asked {
    uint64_t life = 0;
    std::map<uint64_t, ReplicationTicket> questions;  // 0: answered
  };
  struct Question {
    HostId from;
    std::vector<PortId> ports;
    Time again, until;
  };
  // Tickets of this object's own: hand-overs.
  static constexpr ReplicationTicket kOwn = ReplicationTicket{1} << 63;
  using SharedKeys = std::unordered_map<ConnectionKey, Shared, ConnectionKeyHash>;
  ConnectionUpdate update_of(const ConnectionKey& key, const ConnectionEntry& entry, HostId peer) const;
  bool passes_on(const ConnectionEntry& entry, const Shared& shared) const;
  void forget(SharedKeys::iterator shared);
  SmallVector<HostId, 4> begin_anew(const ConnectionKey& key, Shared& shared);
  static uint16_t seen_of(const ConnectionEntry& entry) {
    return static_cast<uint16_t>(entry.seen_forward << 8 | entry.seen_back);
  }
  bool is_news(const ConnectionEntry& entry, const Shared& shared) const;
  Shared& shared_of(const ConnectionKey& key, Time now);
  bool put(const ConnectionKey& key, const ConnectionEntry& entry, HostId peer, ReplicationTicket ticket, Time now);
  bool share_one(const ConnectionKey& key, const ConnectionEntry& entry, const Share& what, bool opened, Time now);
  void wait_for_what_is_sent(const ConnectionKey& key, HostId peer, ReplicationTicket ticket);
  void look_later(const ConnectionKey& key, Shared& shared, Time now);
  void refresh(Time now, Work& work);
  void adopt(const ConnectionKey& key, Time now);
  void resync(HostId peer, ReplicationLink& link, Time now);
  void apply_end(const ConnectionKey& key, HostId by, Time now, Received& out);
  void apply(const ConnectionUpdate& update, HostId by, Time now, Received& out);
  struct Pair;  // of a translation: the answer's entry and the packet's
  static std::optional<Pair> pair_of(const ConnectionKey& reverse, const ConnectionEntry& entry);
  static std::optional<Pair> pair_of_half(const ConnectionKey& key, const ConnectionEntry& entry);
  std::vector<ConnectionKey> own(const Pair& pair, bool owned, Time now);
  std::vector<ConnectionKey> end(const Pair& pair);
  void give_over(const Pair& pair, Time now);
  bool end_if_unheard(const ConnectionKey& key, const ConnectionEntry& entry, const Shared& shared, Work& work);
  bool clashes(const Pair& pair) const;
  bool open(const Pair& pair, Received& out);
  bool correct(const ConnectionUpdate& update, HostId by, Time now, Received& out);
  void drop_copy(const ConnectionKey& key, const ConnectionEntry& entry, Received& out);
  void take_over(const ConnectionUpdate& update, HostId by, Time now, Received& out);
  void apply_refusal(const ConnectionUpdate& update, HostId by, Received& out);
  std::optional<HostId> holder_of(const ConnectionKey& key, const ConnectionEntry& entry) const;
  void release(std::span<const ReplicationTicket> tickets, std::vector<ReplicationTicket>& out);
  void hand_over(const StateQuestion& question, HostId to, uint64_t its_life, Time now);
  void handed_over(ReplicationTicket ticket);
  void ask_again(Time now, Work& work);

  const HostId self_;
  const uint64_t life_;
  ConnectionTable& table_;
  const MayClaim may_claim_;
  const PeersOf peers_of_;
  const HolderOf holder_of_;
  const Options options_;
  std::map<HostId, ReplicationLink> links_;
  SharedKeys shared_;
  ConnectionEnds ends_;                                           // of shared_
  std::unordered_set<ConnectionKey, ConnectionKeyHash> yielded_;  // of shared_: the snat_reverse entries
  std::deque<std::pair<Time, ConnectionKey>> refreshes_;          // by time
  std::unordered_map<ReplicationTicket, Awaited> awaited_;
  std::vector<ReplicationTicket> orphaned_;  // of hosts that cannot be reached any more
  std::map<uint64_t, Question> questions_;
  std::vector<uint64_t> answered_;
  uint64_t next_question_ = 1;
  std::map<HostId, Asked> asked_;
  std::unordered_map<ReplicationTicket, std::pair<HostId, uint64_t>> handing_;
  uint64_t next_own_ = 1;
  std::vector<StateFrame> answers_;  // to be sent
  Counters counters_;
};

}  // namespace viaduct::flows
