// A request on its way through the admin actor: what its handlers need, and its one answer. For the admin actor's files alone.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "actors/admin/admin_actor.hpp"
#include "actors/admin/replies.hpp"
#include "actors/admin/request.hpp"
#include "actors/runtime/status.hpp"

namespace viaduct::actors {

inline constexpr std::chrono::seconds kPartTimeout{20};

struct AdminState {
  const char* name = "admin";
  Status status{"admin", "admin"};
  std::unique_ptr<AdminLinks> links;
};

using AdminSelf = AdminActor::stateful_pointer<AdminState>;
using AdminPromise = caf::typed_response_promise<AdminAnswer>;

// One request on its way: what its handlers need, and its one answer.
struct AdminExchange {
  AdminSelf self;
  uint64_t id;
  std::string_view kind;
  AdminPromise promise;
  std::shared_ptr<const schema::Frame> request = {};  // as it came
  topology::Cause cause = {};

  const AdminLinks& links() const { return *self->state.links; }
  void answer(schema::Frame frame, std::string_view outcome = "ok") const {
    links().probe.request(kind, outcome);
    AdminPromise one_use = promise;
    one_use.deliver(AdminAnswer{std::make_shared<const schema::Frame>(std::move(frame))});
  }
  void refuse(AdminProblem problem, std::string_view outcome = "refused") const {
    answer(error_reply(id, problem), outcome);
  }
  // For requests to a part of the daemon that does not answer.
  auto unavailable(std::string_view part) const {
    return [exchange = *this, part](const caf::error& error) {
      std::string text = exchange.self->system().render(error);
      exchange.refuse({schema::ErrorCode::UNAVAILABLE,
                       "the daemon's " + std::string(part) + " does not answer (" + text +
                           "); `viaduct status` shows its actors, the daemon's log says more",
                       {}},
                      "unavailable");
    };
  }
  // False, and refused, when this daemon does not have the role.
  bool needs_cluster() const {
    if (links().store) return true;
    refuse({schema::ErrorCode::UNAVAILABLE,
            "this host has no cluster role, and its agent changes nothing: ask a cluster node (viaduct --address)",
            {}},
           "unavailable");
    return false;
  }
  bool needs_agent() const {
    if (links().flows) return true;
    refuse({schema::ErrorCode::UNAVAILABLE,
            "this host has no agent role, and therefore no datapath: ask a host that has (viaduct --address)",
            {}},
           "unavailable");
    return false;
  }
  // Asks for the snapshot first, as most answers name objects: all of them, or what this host has of them.
  template <class Then>
  void with_snapshot(Then then) const {
    auto go_on = [then](const SnapshotPtr& snapshot) { then(snapshot); };
    if (links().store) {
      self->request(links().store, kPartTimeout, ReadTopology{}).then(go_on, unavailable("topology store"));
    } else {
      self->request(links().mirror, kPartTimeout, ReadTopology{}).then(go_on, unavailable("topology mirror"));
    }
  }
};

// Calls `here` when this daemon answers for the port: it is bound to this host, to none, or does not exist; or `relayed`, another
// daemon asks. Else has the request answered by the port's host, and answers with that (relay.cpp).
void where_bound(const AdminExchange& exchange, PortId port, bool relayed, const std::function<void()>& here);

// Ask part after part of the daemon, and answer.
void answer_status(const AdminExchange& exchange);
void answer_why(const AdminExchange& exchange, const WhyRequest& request);

}  // namespace viaduct::actors
