// What this host has to tell the cluster, as writes: one at a time, each with what has changed since the last.
//
//   news, locations --> waiting --next()--> out --written()--> published
//                          ^                 |
//                          +---- not done ---+
//
// A write is bounded, in entries and bytes: what does not fit waits for the next one. Lost gateways come before routes, and
// parts of routes take turns, so that some that change all the time keep no others waiting.
//
// Local first: nothing waits for it. After every join all is told anew, in one write that is complete or in as many as it
// takes (topology/state_write.hpp), with changes in between. So whatever was lost on the way, or ended with the host's lease,
// is there again; what the host knew before it was away gives way to what others claim now. What it had said before stays until
// the last of them: one that dies on the way leaves what was so, and its next life goes through it again from the start.
//
// What the state tables end or refuse though it is still so is said again: at once, and when this host's ports have changed.
//
// Not for several threads at a time; in the state publisher's actor.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/agent/agent_state.hpp"
#include "topology/state_write.hpp"

namespace viaduct::actors {

class StateOutbox {
 public:
  // Confirmations of a neighbour that say nothing else are published no more often.
  static constexpr std::chrono::seconds kConfirmInterval{30};
  // Of one write: a fraction of a second's work for the state tables, which serve others as well, and by its bytes one
  // transaction (host_states.hpp). A single entry may be larger.
  static constexpr size_t kMaxEntries = 1'000;  // puts and deletes
  static constexpr size_t kMaxBytes = size_t{512} << 10;

  explicit StateOutbox(HostId host) : host_(host) {}

  void learned(StateNews::Taken news);
  void located(const std::vector<topology::StateEntry>& entries);
  // The host's interfaces, all of them.
  void described(const std::vector<topology::StateEntry>& entries);
  // Blocks of NAT ports to lease or to give back, in this order. The first call, perhaps with none, says that those of an
  // earlier life are named: before it nothing is written, as a write that is complete would give them back.
  void lease(const std::vector<NatLease>& leases);
  // Pools that this host checks, with what it has found, or not any more.
  void report(const std::vector<HealthClaim>& claims);
  // What this host's routers have learned, or not any more: nobody else says it of their ports.
  void routed(const RoutesLearned& news);
  void joined() { complete_ = true; }

  // Nothing while a write is out, or when there is nothing to say.
  std::optional<topology::StateWrite> next(AgentState& state, std::chrono::system_clock::time_point now);
  // The answer, or that there was none (`written` null).
  void written(const topology::StateWritten* written);

  bool out() const { return out_.has_value(); }
  bool waiting() const {
    return complete_ || telling_ != Telling::none || located_changed_ || !waiting_.empty() ||
           !claims_waiting_.empty() || !routes_waiting_.empty();
  }
  size_t published() const { return published_.size(); }
  // What has become of claims, since the last call.
  struct Answered {
    std::vector<flows::NatBlock> won, lost;
    std::vector<PoolId> pools_won, pools_lost;
  };
  Answered take_answered() { return std::exchange(answered_, {}); }
  bool primed() const { return primed_; }
  uint64_t lost() const { return lost_; }  // claims that another host's took precedence over

 private:
  // Of everything, after a join.
  enum class Telling : uint8_t { none, begins, goes_on };  // what the next write does
  struct Out {
    Telling telling = Telling::none;  // before it
    size_t bytes = 0;
    LearnedKeys keys, restored;
    std::map<std::string, topology::StateEntry> puts;
    std::vector<std::string> deletes;
    std::map<std::string, topology::HostFact> claims;  // of puts
    std::set<std::string> claim_keys;
    std::set<std::string> routes;  // keys, of puts and deletes
  };
  void begin_telling(const AgentState& state);
  void note_progress(topology::StateWrite& write);
  bool has_room(size_t bytes = 0) const;  // in the write that is being made
  void add(const std::string& key, const flows::simulation::Learned& entry, AgentState& state, uint64_t now_s,
           topology::StateWrite& write);
  void add_changes(AgentState& state, uint64_t now_s, topology::StateWrite& write);
  void add_restored(const AgentState& state, uint64_t now_s, topology::StateWrite& write);
  void own(std::initializer_list<std::string_view> tables, const std::vector<topology::StateEntry>& entries);
  void add_locations(topology::StateWrite& write);
  void claim(topology::HostFact fact);
  void give_up(const topology::HostFact& fact);
  void add_claims(topology::StateWrite& write);
  void add_routes(topology::StateWrite& write);
  std::set<std::string>::iterator next_route();
  void answer_claims(const Out& out, const std::vector<std::string>& lost);
  void put(const std::string& key, topology::StateEntry entry, topology::StateWrite::Mode mode,
           topology::StateWrite& write);
  void remove(const std::string& key, topology::StateWrite& write);
  void not_written(Out out);

  const HostId host_;
  LearnedKeys waiting_;
  LearnedKeys restoring_;  // of what is told anew: to be said, unless it is another host's by then
  std::map<std::string, topology::StateEntry> located_;  // and its interfaces
  bool located_changed_ = false;
  std::map<std::string, topology::HostFact> claims_;  // NAT blocks and pools that this host wants to have
  std::set<std::string> claims_waiting_;              // to be said; not in claims_: given back
  std::map<std::string, topology::HostFact> routes_;  // learned by routers of this host
  std::set<std::string> routes_waiting_;              // to be said; not in routes_: ended
  std::set<std::string> routes_untold_;               // of these, what is told anew
  std::set<std::string> routes_refused_;              // said again when this host's ports have changed
  std::string route_said_;                            // the last one
  Answered answered_;
  bool primed_ = false;
  bool complete_ = false;  // all is to be told anew
  Telling telling_ = Telling::none;
  std::optional<Out> out_;
  std::map<std::string, topology::StateEntry> published_;  // parts of routes without their prefixes
  std::set<std::string> doubtful_;                         // perhaps there: a write with them was not answered
  uint64_t lost_ = 0;
};

}  // namespace viaduct::actors
