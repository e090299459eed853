#include "actors/agent/flow_controller.hpp"

#include <memory>

#include "actors/agent/flow_keeper.hpp"
#include "actors/runtime/status.hpp"

namespace viaduct::actors {

namespace {

enum Timer : uint32_t { kStatistics, kProve };
constexpr std::chrono::milliseconds kProofPause{20};  // while neighbours are being asked

struct FlowControllerState {
  const char* name = "flow_controller";
  Status status{"flow_controller", "flow_controller"};
  std::unique_ptr<FlowKeeper> keeper;
  std::chrono::milliseconds interval{1'000};
  bool proving = false;
};

using Self = FlowControllerActor::stateful_pointer<FlowControllerState>;

void prove(Self self) {
  self->state.proving = self->state.keeper->prove_some();
  if (self->state.proving) self->delayed_send(self, kProofPause, Tick{kProve});
}

void tick(Self self, uint32_t timer) {
  if (timer == kProve) return prove(self);
  self->delayed_send(self, self->state.interval, Tick{kStatistics});
  self->state.keeper->statistics();
  if (!self->state.proving) prove(self);
}

FlowControllerActor::behavior_type flow_controller_behavior(Self self, const FlowControllerLinks& links,
                                                            const FlowControllerOptions& options) {
  self->state.keeper = std::make_unique<FlowKeeper>(links, options, [] { return std::chrono::steady_clock::now(); });
  self->state.interval = options.statistics_interval;
  self->delayed_send(self, options.statistics_interval, Tick{kStatistics});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const InvalidateFlows& request) { return FlowsInvalidated{self->state.keeper->invalidate(request.what)}; },
      [=](const NewsWaits&) { self->state.keeper->take_news(); },
      [=](const AdoptFlows&) {
        self->state.keeper->adopt();
        prove(self);
      },
      [=](const ListFlows& request) { return self->state.keeper->list(request); },
      [=](const ReadDrops& request) { return self->state.keeper->drops(request.port); },
      [=](const ReportFlows&) {
        self->state.keeper->take_news();  // also what a bell is about to tell: the report is of now
        return self->state.keeper->report();
      },
      [=](const Tick& timer) { tick(self, timer.kind); },
  };
}

}  // namespace

FlowControllerActor spawn_flow_controller(caf::actor_system& system, const FlowControllerLinks& links,
                                          const FlowControllerOptions& options) {
  return system.spawn<caf::detached>(flow_controller_behavior, links, options);
}

}  // namespace viaduct::actors
