#include "actors/cluster/node_record_actor.hpp"

#include <memory>

#include "actors/cluster/node_record.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::milliseconds kWriteInterval{50};
constexpr int kBeatsPerLease = 4;
enum Timer : uint32_t { kBeat, kWrite };

struct NodeRecordState {
  const char* name = "node_record";
  Status status{"node_record", "node_record"};
  std::unique_ptr<NodeRecord> record;
  std::chrono::milliseconds beat{0};
  bool write_due = false;  // a timer runs
  bool in_trouble = false;
};

using Self = NodeRecordActor::stateful_pointer<NodeRecordState>;

void note(Self self, const std::optional<std::string>& error) {
  const bool trouble = error.has_value();
  if (trouble && !self->state.in_trouble) {
    log::error(log::Component::store, "this node's record cannot be written; others may wait for its agents in vain",
               {{"error", *error}});
  }
  self->state.in_trouble = trouble;
}

// At once, if the last one was not just now.
void progress(Self self, const NodeProgress& news) {
  auto& state = self->state;
  state.record->set(news.agents, news.applied);
  if (state.write_due || state.in_trouble || !state.record->changed()) return;
  note(self, state.record->write());
  state.write_due = true;
  self->delayed_send(self, kWriteInterval, Tick{kWrite});
}

void tick(Self self, uint32_t timer) {
  auto& state = self->state;
  if (timer == kWrite) {
    state.write_due = false;
    if (state.record->changed() && !state.in_trouble) {
      note(self, state.record->write());
      state.write_due = true;
      self->delayed_send(self, kWriteInterval, Tick{kWrite});
    }
    return;
  }
  auto error = state.record->keep_alive();
  if (!error && state.record->changed()) error = state.record->write();
  note(self, error);
  self->delayed_send(self, state.beat, Tick{kBeat});
}

NodeRecordActor::behavior_type record_behavior(Self self, const NodeRecordLinks& links) {
  const Uuid id = Uuid::random();
  self->state.record =
      std::make_unique<NodeRecord>(links.store, id, links.name, links.lease, std::chrono::system_clock::now());
  self->state.beat = std::chrono::milliseconds(links.lease) / kBeatsPerLease;
  self->send(links.topology, FollowProgress{id, self});
  self->send(self, Tick{kBeat});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) {
        self->state.record->remove();
        self->quit();
      },
      [=](const NodeProgress& news) { progress(self, news); },
      [=](const Tick& timer) { tick(self, timer.kind); },
  };
}

}  // namespace

NodeRecordActor spawn_node_record(caf::actor_system& system, const NodeRecordLinks& links) {
  return system.spawn<caf::detached>(record_behavior, links);
}

}  // namespace viaduct::actors
