#include "actors/agent/nat_leaser_actor.hpp"

#include <memory>
#include <random>

#include "actors/agent/nat_connections.hpp"
#include "actors/agent/nat_rules.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kTick{1};
constexpr std::chrono::milliseconds kSlicePause{10};
constexpr std::chrono::seconds kLookInterval{60};
constexpr std::chrono::seconds kShowInterval{5};
constexpr std::chrono::seconds kComplaintInterval{10};

enum Timer : uint32_t { kTime, kRetry, kSlice };

struct LeaserState {
  const char* name = "nat_leaser";
  Status status{"nat_leaser", "nat_leaser"};
  std::unique_ptr<NatLeaserLinks> links;
  std::unique_ptr<NatLeaser> leaser;
  SnapshotPtr topology;               // none before the mirror's first
  std::vector<NatLease> leases;       // for the publisher, when the message that is being handled is done
  std::optional<NatLook> look;        // under way
  std::set<flows::NatBlock> yielded;  // since the last second
  flows::Time next_look;
  flows::Time next_show;
  bool retry_armed = false;
  log::RateLimit complaints{kComplaintInterval};

  ~LeaserState() {
    if (links) links->state.nat_news.on_ring({});
  }
};

using Self = NatLeaserActor::stateful_pointer<LeaserState>;

flows::Time clock_now() { return std::chrono::steady_clock::now(); }

void complain(Self self, const NatLeaserActions::Spent& spent) {
  auto& state = self->state;
  const std::string what =
      state.topology == nullptr ? spent.of.address.to_string() : describe(*state.topology, spent.of);
  const auto suppressed = state.complaints.admit(clock_now());
  if (!suppressed) return;
  log::event(
      log::Component::device, log::Level::warning, observability::EventKind::nat_exhausted,
      "no ports are left for new connections, which are dropped; widen the rule's range of ports or add addresses",
      {{"where", what},
       {"first_port", spent.first * flows::kNatBlockPorts},
       {"last_port", (spent.last + 1) * flows::kNatBlockPorts - 1},
       {"suppressed", *suppressed}});
}

// In the order that NatLeaserActions names.
void perform(Self self, const NatLeaserActions& actions) {
  auto& state = self->state;
  AgentState& shared = state.links->state;
  for (const auto& block : actions.stop) shared.nat_blocks.remove(block);
  if (!actions.end.empty()) {
    const size_t ended = end_connections({actions.end.begin(), actions.end.end()}, shared);
    state.links->probe.ended(ended);
    log::warning(log::Component::device, "blocks of NAT ports go back with their connections: no rule names them",
                 {{"blocks", actions.end.size()}, {"connections_ended", ended}});
  }
  if (!actions.yield.empty()) {
    state.yielded.insert(actions.yield.begin(), actions.yield.end());
    const size_t yielded = yield_connections({actions.yield.begin(), actions.yield.end()}, shared);
    log::event(log::Component::device, log::Level::warning, observability::EventKind::nat_yielded,
               "blocks of NAT ports have become another host's, and their connections",
               {{"blocks", actions.yield.size()}, {"connections", yielded}});
  }
  for (const auto& block : actions.use) {
    state.yielded.erase(block);
    if (!shared.nat_blocks.add(block)) state.links->probe.refused();
  }
  for (const auto& block : actions.claim) state.leases.push_back({block, true});
  for (const auto& block : actions.release) state.leases.push_back({block, false});
  for (const auto& spent : actions.spent) {
    if (!spent.spent) {
      shared.nat_blocks.clear_spent(spent.of.device, spent.of.address);
      continue;
    }
    shared.nat_blocks.set_spent(spent.of.device, spent.of.address, spent.first, spent.last);
    complain(self, spent);
  }
  for (const auto& ready : actions.ready) state.links->workers.nat_ports_ready({ready.device, ready.address});
}

template <class Event>
void act(Self self, Event event) {
  NatLeaserActions actions;
  event(*self->state.leaser, actions);
  perform(self, actions);
}

// What the message has led to: one write for all of it, one timer.
void settle(Self self, bool primed = false) {
  auto& state = self->state;
  if (primed || !state.leases.empty()) {
    self->send(state.links->publisher, NatLeases{std::exchange(state.leases, {}), self});
  }
  const auto& counts = state.leaser->counts();
  state.links->probe.leasing({state.leaser->held(), state.leaser->resting(), state.leaser->spent().size(),
                              counts.wanted, counts.claimed, counts.lost, counts.exhausted, counts.refused,
                              counts.adopted});
  const auto retry = state.leaser->next_retry();
  if (!retry || state.retry_armed) return;
  state.retry_armed = true;
  self->delayed_send(self, std::max<flows::Time::duration>(*retry - clock_now(), std::chrono::milliseconds(1)),
                     Tick{kRetry});
}

// This host has copies of what the dead one made, maybe: their blocks are to be this host's.
void adopt(Self self, HostId dead) {
  NatLook look;
  while (look.step(self->state.links->state.connections, true)) {
  }
  const auto has_copies = [&](const flows::NatBlock& block) { return look.found().contains(block); };
  act(self, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.adopt(dead, has_copies, clock_now(), out); });
}

void follow(Self self, const NatBlocksChanged& news) {
  auto& state = self->state;
  const bool first = state.topology == nullptr;
  state.topology = news.topology;
  const flows::Time now = clock_now();
  const auto is_there = [&](const Uuid& device) {
    return news.topology->find(RouterId(device)) != nullptr || news.topology->find(BridgeId(device)) != nullptr;
  };
  act(self, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.forget(is_there, now, out); });
  for (const auto& change : news.changes) {
    const topology::StateEntry& entry = change.after != nullptr ? *change.after : *change.before;
    const auto& claim = std::get<topology::NatBlockClaim>(entry.fact);
    const flows::NatBlock block{claim.device, claim.address, claim.block};
    act(self, [&](NatLeaser& leaser, NatLeaserActions& out) {
      if (change.after != nullptr) {
        leaser.owned(block, entry.host, now, out);
      } else {
        leaser.freed(block, entry.host, news.dead.contains(entry.host), now, out);
      }
    });
  }
  for (const HostId& dead : news.dead) adopt(self, dead);
  settle(self, first);
}

void want(Self self) {
  auto& state = self->state;
  for (const NatWant& one : state.links->state.nat_news.take()) {
    act(self,
        [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.wanted(one.block, one.waiting, clock_now(), out); });
  }
  settle(self);
}

void answered(Self self, const NatBlocksAnswered& answer) {
  for (const auto& block : answer.won) {
    act(self, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.won(block, clock_now(), out); });
  }
  for (const auto& block : answer.lost) {
    act(self, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.lost(block, clock_now(), out); });
  }
  settle(self);
}

void session_changed(Self self, bool joined) {
  act(self, [&](NatLeaser& leaser, NatLeaserActions& out) {
    if (joined) {
      leaser.joined(clock_now());
    } else {
      leaser.cut(out);
    }
  });
  settle(self);
}

void look_on(Self self) {
  auto& state = self->state;
  if (state.look->step(state.links->state.connections)) return self->delayed_send(self, kSlicePause, Tick{kSlice});
  const NatLook look = *std::exchange(state.look, std::nullopt);
  state.links->probe.connections(look.connections());
  act(self, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.looked(look.found(), clock_now(), out); });
  if (state.topology == nullptr) return;
  const auto named = [&](const NatAddress& address) { return chain_that_names(*state.topology, address).has_value(); };
  act(self, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.check(named, clock_now(), out); });
}

// What is left of each address that rules give ports out of.
void show_addresses(const LeaserState& state) {
  if (state.topology == nullptr) return;
  std::vector<observability::NatProbe::AddressNumbers> all;
  for (const NatAddress& address : state.leaser->addresses()) {
    const auto range = blocks_named(*state.topology, address);
    if (!range) continue;
    const auto now = state.leaser->occupancy(address, range->first, range->last);
    all.push_back(
        {address.device.to_string(), address.address.to_string(), now.held, now.others, now.resting, now.free});
  }
  state.links->probe.addresses(std::move(all));
}

void tick(Self self, uint32_t timer) {
  auto& state = self->state;
  const flows::Time now = clock_now();
  if (timer == kSlice) {
    look_on(self);
    return settle(self);
  }
  if (timer == kRetry) state.retry_armed = false;
  act(self, [&](NatLeaser& leaser, NatLeaserActions& out) { leaser.tick(now, out); });
  if (timer == kTime) {
    self->delayed_send(self, kTick, Tick{kTime});
    // A worker may have been about to open one more.
    if (!state.yielded.empty()) yield_connections(std::exchange(state.yielded, {}), state.links->state);
    if (now >= state.next_show) {
      state.next_show = now + kShowInterval;
      show_addresses(state);
    }
    if (now >= state.next_look && !state.look) {
      state.next_look = now + kLookInterval;
      state.look.emplace();
      look_on(self);
    }
  }
  settle(self);
}

NatReport report(Self self) {
  auto& state = self->state;
  NatReport out;
  for (const auto& spent : state.leaser->spent()) {
    const std::string what =
        state.topology == nullptr ? spent.of.address.to_string() : describe(*state.topology, spent.of);
    out.problems.push_back(what +
                           ": no ports are left for new connections; widen the rule's range of ports or add addresses");
  }
  return out;
}

NatLeaserActor::behavior_type leaser_behavior(Self self, const NatLeaserLinks& links) {
  auto& state = self->state;
  state.links = std::make_unique<NatLeaserLinks>(links);
  state.leaser = std::make_unique<NatLeaser>(links.host, std::random_device{}(), links.options);
  state.next_look = clock_now() + kLookInterval;
  links.state.nat_news.on_ring([to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())] {
    if (auto leaser = caf::actor_cast<caf::actor>(to)) caf::anon_send(leaser, NewsWaits{});
  });
  self->send(self, NewsWaits{});  // what came before
  self->delayed_send(self, kTick, Tick{kTime});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const NewsWaits&) { want(self); },
      [=](const NatBlocksChanged& news) { follow(self, news); },
      [=](const NatBlocksAnswered& answer) { answered(self, answer); },
      [=](const NatSession& session) { session_changed(self, session.joined); },
      [=](const ReportNat&) { return report(self); },
      [=](const Tick& due) { tick(self, due.kind); },
  };
}

}  // namespace

NatLeaserActor spawn_nat_leaser(caf::actor_system& system, const NatLeaserLinks& links) {
  return system.spawn(leaser_behavior, links);
}

}  // namespace viaduct::actors
