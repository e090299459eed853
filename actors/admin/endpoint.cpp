#include "actors/admin/endpoint.hpp"

#include <deque>
#include <map>

#include "actors/runtime/backoff.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"
#include "schema/frame.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using caf::io::connection_handle;

namespace {

constexpr size_t kReadChunk = size_t{64} << 10;
constexpr size_t kMaxPipelined = 64;  // requests that wait behind the one in flight
constexpr std::chrono::seconds kSweep{5};
enum Timer : uint32_t { kIdle, kRespawn };

struct Connection {
  explicit Connection(size_t max_request_bytes) : reader(max_request_bytes) {}
  schema::FrameReader reader;
  std::deque<schema::Frame> waiting;
  size_t waiting_bytes = 0;
  bool busy = false;
  bool sending = false;  // the answer is on its way
  std::chrono::steady_clock::time_point active = std::chrono::steady_clock::now();
};

struct EndpointState {
  const char* name = "admin_endpoint";
  Status status{"admin_endpoint", "admin_endpoint"};
  std::unique_ptr<EndpointLinks> links;
  EndpointOptions options;
  AdminActor admin;
  Backoff backoff;
  std::map<connection_handle, Connection> connections;
};

using Self = caf::stateful_actor<EndpointState, caf::io::broker>*;

void close_connection(Self self, connection_handle handle) {
  self->state.connections.erase(handle);
  self->close(handle);
}

void serve_next(Self self, connection_handle handle);

void answer(Self self, connection_handle handle, const schema::Frame& reply) {
  auto it = self->state.connections.find(handle);
  if (it == self->state.connections.end()) return;  // the peer did not wait
  std::vector<uint8_t> bytes;
  if (schema::append_framed(reply, bytes)) {
    self->state.links->probe.malformed("reply_too_big");
    return close_connection(self, handle);
  }
  it->second.sending = true;
  it->second.active = std::chrono::steady_clock::now();
  self->write(handle, bytes.size(), bytes.data());
  self->flush(handle);
}

void sent(Self self, connection_handle handle, size_t remaining) {
  auto it = self->state.connections.find(handle);
  if (it == self->state.connections.end()) return;
  it->second.active = std::chrono::steady_clock::now();
  if (remaining > 0) return;
  it->second.sending = false;
  it->second.busy = false;
  serve_next(self, handle);
}

void serve_next(Self self, connection_handle handle) {
  auto& connection = self->state.connections.at(handle);
  if (connection.busy || connection.waiting.empty()) return;
  connection.busy = true;
  auto frame = std::make_shared<const schema::Frame>(std::move(connection.waiting.front()));
  connection.waiting.pop_front();
  connection.waiting_bytes -= frame->bytes.size();
  self->request(self->state.admin, self->state.options.answer_timeout, AdminCall{frame})
      .then([=](const AdminAnswer& reply) { answer(self, handle, *reply.reply); },
            [=](const caf::error& error) {
              log::warning(log::Component::admin, "request failed", {{"error", self->system().render(error)}});
              if (self->state.connections.contains(handle)) close_connection(self, handle);
            });
}

void opened(Self self, connection_handle handle) {
  auto& state = self->state;
  if (state.connections.size() >= state.options.max_connections) {
    state.links->probe.malformed("too_many_connections");
    self->close(handle);
    return;
  }
  state.connections.emplace(handle, Connection(state.options.max_request_bytes));
  self->ack_writes(handle, true);
  self->configure_read(handle, caf::io::receive_policy::at_most(kReadChunk));
}

void received(Self self, connection_handle handle, const std::vector<char>& bytes) {
  auto it = self->state.connections.find(handle);
  if (it == self->state.connections.end()) return;
  Connection& connection = it->second;
  connection.active = std::chrono::steady_clock::now();
  std::span<const uint8_t> data(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  auto error = connection.reader.feed(data, [&](schema::Frame frame) {
    connection.waiting_bytes += frame.bytes.size();
    connection.waiting.push_back(std::move(frame));
  });
  bool too_many =
      connection.waiting.size() > kMaxPipelined || connection.waiting_bytes > self->state.options.max_request_bytes;
  if (error || too_many) {
    std::string reason(error ? schema::to_string(*error) : "too_many_requests");
    self->state.links->probe.malformed(reason);
    log::debug(log::Component::admin, "closing a connection", {{"reason", reason}});
    return close_connection(self, handle);
  }
  serve_next(self, handle);
}

void sweep(Self self) {
  auto deadline = std::chrono::steady_clock::now() - self->state.options.idle_timeout;
  std::vector<connection_handle> idle;
  for (const auto& [handle, connection] : self->state.connections) {
    bool ours = connection.busy && !connection.sending;  // the peer waits for the daemon
    if (!ours && connection.active < deadline) idle.push_back(handle);
  }
  for (auto handle : idle) {
    const Connection& connection = self->state.connections.at(handle);
    if (connection.sending || !connection.reader.idle()) self->state.links->probe.malformed("slow");
    close_connection(self, handle);
  }
  self->delayed_send(self, kSweep, Tick{kIdle});
}

void start_admin(Self self) {
  self->state.admin = self->state.links->make_admin();
  self->monitor(self->state.admin);
}

// The admin actor holds no state: another one takes over, and the requests that it took along fail at once.
void admin_died(Self self, const caf::down_msg& down) {
  if (down.source != self->state.admin.address()) return;
  auto pause = self->state.backoff.next(std::chrono::steady_clock::now());
  self->state.links->restarted("admin");
  self->delayed_send(self, pause, Tick{kRespawn});
}

// What a peer that hangs up in the middle of a message has begun counts as malformed.
void closed(Self self, connection_handle handle) {
  auto it = self->state.connections.find(handle);
  if (it == self->state.connections.end()) return;
  if (!it->second.reader.idle()) self->state.links->probe.malformed("cut_short");
  self->state.connections.erase(it);
}

caf::behavior endpoint_behavior(Self self, const EndpointLinks& links, const EndpointOptions& options) {
  self->state.links = std::make_unique<EndpointLinks>(links);
  self->state.options = options;
  self->set_down_handler([=](const caf::down_msg& down) { admin_died(self, down); });
  start_admin(self);
  self->delayed_send(self, kSweep, Tick{kIdle});
  return {
      [=](const caf::io::new_connection_msg& message) { opened(self, message.handle); },
      [=](const caf::io::new_data_msg& message) { received(self, message.handle, message.buf); },
      [=](const caf::io::data_transferred_msg& message) { sent(self, message.handle, message.remaining); },
      [=](const caf::io::connection_closed_msg& message) { closed(self, message.handle); },
      [=](const caf::io::acceptor_closed_msg&) { self->quit(caf::exit_reason::user_shutdown); },
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) {
        self->send(self->state.admin, Shutdown{});
        self->quit();
      },
      [=](const Tick& timer) { timer.kind == kIdle ? sweep(self) : start_admin(self); },
      [=](uint16_t port, const std::string& address) -> caf::result<uint16_t> {
        // Reuse: connections that a killed daemon left (TIME_WAIT) must not keep the next one from its port.
        auto opened_port = self->add_tcp_doorman(port, address.c_str(), true);
        if (!opened_port) return opened_port.error();
        return opened_port->second;
      },
  };
}

}  // namespace

EndpointStart spawn_endpoint(caf::actor_system& system, const EndpointLinks& links, const EndpointOptions& options) {
  EndpointStart start;
  start.actor = system.middleman().spawn_broker(endpoint_behavior, links, options);
  caf::scoped_actor self{system};
  self->request(start.actor, std::chrono::seconds(10), options.port, options.address)
      .receive([&](uint16_t port) { start.port = port; },
               [&](const caf::error& error) {
                 start.error = "cannot listen on " + options.address + ":" + std::to_string(options.port) + " (" +
                               system.render(error) +
                               "): another viaductd may be running; stop it or choose another --admin-port";
               });
  return start;
}

}  // namespace viaduct::actors
