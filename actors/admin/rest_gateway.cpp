#include "actors/admin/rest_gateway.hpp"

#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>

#include "actors/runtime/backoff.hpp"
#include "actors/runtime/status.hpp"
#include "api/rest/gateway.hpp"
#include "api/rest/server.hpp"
#include "api/web/console.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {
// Given to the actor by spawn_rest_gateway, once.
struct ListenRest {
  RestOptions options;
};
}  // namespace viaduct::actors
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(viaduct::actors::ListenRest)

namespace viaduct::actors {

namespace log = observability::log;
namespace rest = api::rest;

namespace {

enum Timer : uint32_t { kRespawn };

// The admin actor of now, for threads that do not know of its deaths.
class CurrentAdmin {
 public:
  void set(AdminActor admin) {
    std::lock_guard lock(mutex_);
    admin_ = std::move(admin);
  }
  AdminActor get() const {
    std::lock_guard lock(mutex_);
    return admin_;
  }

 private:
  mutable std::mutex mutex_;
  AdminActor admin_;
};

// A request to the admin actor and back, for the thread that calls.
class InsideTransport final : public api::Transport {
 public:
  InsideTransport(caf::actor_system& system, AdminActor admin) : self_(system), admin_(std::move(admin)) {}

  api::Result<schema::Frame> exchange(const schema::Frame& request, api::Deadline deadline) override {
    const auto patience =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    std::shared_ptr<const schema::Frame> reply;
    std::string error;
    self_
        ->request(admin_, std::max(patience, std::chrono::milliseconds(1)),
                  AdminCall{std::make_shared<const schema::Frame>(request)})
        .receive([&](const AdminAnswer& answer) { reply = answer.reply; },
                 [&](const caf::error& problem) { error = caf::to_string(problem); });
    if (reply != nullptr) return schema::Frame(*reply);
    return api::Failure{api::ExitCode::unreachable,
                        "unavailable",
                        "the daemon does not answer (" + error + ")",
                        "try again in a moment; viaduct status shows which part is missing",
                        {}};
  }

 private:
  caf::scoped_actor self_;
  const AdminActor admin_;
};

struct RestState {
  const char* name = "rest_gateway";
  Status status{"rest_gateway", "rest_gateway"};
  std::unique_ptr<RestLinks> links;
  Backoff backoff;
  std::shared_ptr<CurrentAdmin> admin = std::make_shared<CurrentAdmin>();
  std::shared_ptr<rest::EventFeed> events;
  std::unique_ptr<rest::Gateway> gateway;
  std::unique_ptr<rest::Server> server;  // its threads use the gateway, its streams the events
};

using Self = caf::stateful_actor<RestState>*;

std::string read_text(const std::string& path, std::string& error) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) error = "cannot read " + path + ": name a file that is there and readable";
  return text.str();
}

void audit(const rest::Request& request, const rest::User& user, const rest::Response& response) {
  log::info(log::Component::admin, "REST",
            {{"user", user.name},
             {"tenant", user.tenant},
             {"from", request.peer},
             {"method", rest::to_string(request.method)},
             {"path", request.path},
             {"status", response.status},
             {"request", request.id}});
}

rest::EventProbe event_probe(observability::RestProbe& probe) {
  return {[&probe](size_t now) { probe.watching(now); },
          [&probe](std::string_view reason) { probe.events_reset(reason); }, [&probe] { probe.refused("watchers"); }};
}

rest::GatewayLinks gateway_links(Self self) {
  auto& system = self->system();
  const api::Credential credential{self->state.links->token.bytes, "this daemon"};
  auto connect = [&system, credential, admin = self->state.admin](
                     std::chrono::milliseconds timeout) -> api::Result<std::unique_ptr<api::Client>> {
    auto current = admin->get();
    if (!current) {
      return api::Failure{api::ExitCode::unreachable, "unavailable", "the daemon is stopping", {}, {}};
    }
    return std::make_unique<api::Client>(std::make_unique<InsideTransport>(system, std::move(current)), credential,
                                         timeout);
  };
  auto& probe = self->state.links->probe;
  self->state.events = std::make_shared<rest::EventFeed>(connect, rest::EventOptions{}, event_probe(probe));
  return {connect, self->state.links->access, audit, [&probe](std::string_view reason) { probe.refused(reason); },
          self->state.events};
}

rest::ServerEvents server_events(observability::RestProbe& probe) {
  return {[&probe](const rest::Request& request, const rest::Response& response, std::chrono::nanoseconds taken) {
            probe.answered(rest::to_string(request.method), response.status, taken);
          },
          [&probe](std::string_view reason) { probe.refused(reason); }};
}

void start_admin(Self self) {
  auto admin = self->state.links->make_admin();
  self->monitor(admin);
  self->state.admin->set(std::move(admin));
}

// Answers with the port, or with why there is none.
caf::result<uint16_t, std::string> listen(Self self, const RestOptions& options) {
  auto& state = self->state;
  std::string error;
  rest::ServerOptions server;
  server.address = options.address;
  server.port = options.port;
  if (!options.certificate_file.empty()) {
    server.certificate = read_text(options.certificate_file, error);
    server.key = read_text(options.key_file, error);
  }
  if (!error.empty()) return {uint16_t{0}, error};
  rest::GatewayOptions gateway;
  gateway.rate = {.per_second = options.requests_per_second, .burst = options.burst};
  state.gateway = std::make_unique<rest::Gateway>(gateway_links(self), gateway);
  auto started = rest::Server::start(
      [gateway = state.gateway.get()](const rest::Request& request) {
        return api::web::is_console(request.path) ? api::web::answer(request) : gateway->answer(request);
      },
      server_events(state.links->probe), server);
  if (started.server == nullptr) return {uint16_t{0}, started.error + " (rest.port)"};
  state.server = std::move(started.server);
  self->send(state.links->store, FollowTopology{caf::actor_cast<TopologyFollowerActor>(caf::actor(self))});
  return {state.server->port(), std::string()};
}

// The admin actor holds no state: another one takes over, and the requests that it took along fail at once.
void admin_died(Self self) {
  const auto pause = self->state.backoff.next(std::chrono::steady_clock::now());
  self->state.links->restarted("admin");
  self->delayed_send(self, pause, Tick{kRespawn});
}

// The server's threads end first: they ask the admin actor.
void stop(Self self) {
  auto& state = self->state;
  state.server.reset();
  state.gateway.reset();
  state.events.reset();
  self->set_down_handler([](const caf::down_msg&) {});
  self->send(state.admin->get(), Shutdown{});
  state.admin->set({});
  self->quit();
}

caf::behavior rest_behavior(Self self, const RestLinks& links) {
  self->state.links = std::make_unique<RestLinks>(links);
  self->set_down_handler([=](const caf::down_msg&) { admin_died(self); });
  start_admin(self);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { stop(self); },
      [=](const Tick&) { start_admin(self); },
      [=](const TopologyChanged& change) {
        if (self->state.events) self->state.events->changed(change.snapshot, change.delta);
      },
      [=](const ListenRest& wanted) { return listen(self, wanted.options); },
  };
}

}  // namespace

RestStart spawn_rest_gateway(caf::actor_system& system, const RestLinks& links, const RestOptions& options) {
  RestStart start;
  // Of its own thread: to stop it waits for the server's.
  start.actor = system.spawn<caf::detached>(rest_behavior, links);
  caf::scoped_actor self{system};
  self->request(start.actor, std::chrono::seconds(10), ListenRest{options})
      .receive(
          [&](uint16_t port, std::string& error) {
            start.port = port;
            start.error = std::move(error);
          },
          [&](const caf::error& error) { start.error = system.render(error); });
  return start;
}

}  // namespace viaduct::actors
