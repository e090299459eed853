#include "actors/cluster/change_events.hpp"

#include <variant>

#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using observability::EventKind;

namespace {

// "create bridge net1, delete port 0f3c…": the first of them.
std::string summary_of(const topology::Delta& delta) {
  constexpr size_t kNamed = 5;
  std::string out;
  size_t named = 0;
  for (const auto& [ref, change] : delta.changes) {
    if (named++ == kNamed) return out + ", …";
    const bool is_new = change.before == nullptr;
    const topology::Object& object = change.after != nullptr ? *change.after : *change.before;
    const std::string name = topology::name_of(object);
    out += (out.empty() ? "" : ", ") + std::string(change.after == nullptr ? "delete "
                                                   : is_new                ? "create "
                                                                           : "update ");
    out += std::string(topology::to_string(ref.kind)) + " " + (name.empty() ? ref.id.to_string() : name);
  }
  return out;
}

}  // namespace

void tell_change(const NsdbView::Step& step) {
  log::event(log::Component::topology, log::Level::info, EventKind::topology_changed, "the topology has changed",
             {{"revision", step.snapshot->revision()},
              {"request", step.cause.request},
              {"by", step.cause.by},
              {"node", step.cause.node},
              {"changes", step.delta->changes.size()},
              {"what", summary_of(*step.delta)}});
}

void tell_sessions_that_ended(const NsdbView::Step& step) {
  for (const auto& change : step.states) {
    if (change.after != nullptr || !std::holds_alternative<topology::HostSession>(change.before->fact)) continue;
    const auto& session = std::get<topology::HostSession>(change.before->fact);
    log::event(log::Component::store, log::Level::warning, EventKind::host_left, "a host's session has ended",
               {{"host", session.name}, {"node", session.node}});
  }
}

}  // namespace viaduct::actors
