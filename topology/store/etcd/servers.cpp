#include "topology/store/etcd/servers.hpp"

#include <grpc/grpc.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace viaduct::topology::store::etcd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLook{10};   // how long a new connection may go unnoticed
constexpr milliseconds kRound{50};  // the same while no server can be connected to; and how long a request to stop may

int ms(milliseconds duration) { return static_cast<int>(duration.count()); }

grpc::ChannelArguments channel_arguments(const EtcdOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ms(options.keepalive_interval));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ms(options.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);  // etcd ends connections that do
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);    // as many as it takes: a watch may be silent
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ms(options.connect_timeout));  // also that of one attempt
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1);  // a page or a revision may be large; etcd limits it
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);    // stores of one process share no connection
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

}  // namespace

gpr_timespec deadline_of(SteadyTime time) {
  const auto left = std::chrono::ceil<milliseconds>(time - steady_clock::now());
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(left.count(), GPR_TIMESPAN));
}

bool pause(milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

Servers::Servers(const EtcdOptions& options, const std::shared_ptr<grpc::ChannelCredentials>& credentials)
    : connect_timeout_(options.connect_timeout), events_(options.events) {
  for (const std::string& endpoint : options.endpoints) {
    auto server = std::make_unique<Server>();
    server->index = servers_.size();
    server->endpoint = endpoint;
    server->channel = grpc::CreateCustomChannel("dns:///" + endpoint, credentials, channel_arguments(options));
    server->kv = pb::KV::NewStub(server->channel);
    server->watch = pb::Watch::NewStub(server->channel);
    server->lease = pb::Lease::NewStub(server->channel);
    server->auth = pb::Auth::NewStub(server->channel);
    server->maintenance = pb::Maintenance::NewStub(server->channel);
    servers_.push_back(std::move(server));
  }
}

Server* Servers::connected(SteadyTime deadline, const std::stop_token& stop) {
  for (;;) {
    for (size_t tried = 0; tried < servers_.size(); ++tried) {
      Server& server = *servers_.at(current_);
      if (wait_until_ready(server, std::min(deadline, steady_clock::now() + connect_timeout_), stop)) {
        server.told = false;
        return &server;
      }
      if (stop.stop_requested() || steady_clock::now() >= deadline) return nullptr;
      leave(server, "not connected");
    }
    drive(kRound);
  }
}

bool Servers::wait_until_ready(Server& server, SteadyTime deadline, const std::stop_token& stop) {
  for (;;) {
    const auto state = server.channel->GetState(true);
    if (state == GRPC_CHANNEL_READY) return true;
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) return false;
    if (stop.stop_requested() || steady_clock::now() >= deadline) return false;
    drive(kLook);
  }
}

void Servers::drive(milliseconds duration) {
  grpc::CompletionQueue queue;
  const auto deadline = deadline_of(steady_clock::now() + duration);
  for (const auto& server : servers_) {
    server->channel->NotifyOnStateChange(server->channel->GetState(false), deadline, &queue, nullptr);
  }
  void* tag = nullptr;
  bool changed = false;
  for (size_t i = 0; i < servers_.size(); ++i) queue.Next(&tag, &changed);
  queue.Shutdown();
  while (queue.Next(&tag, &changed)) {
  }
}

void Servers::leave(Server& server, std::string_view reason) {
  size_t expected = server.index;
  const size_t next = (server.index + 1) % servers_.size();
  if (!current_.compare_exchange_strong(expected, next) || server.told.exchange(true)) return;
  if (events_.server_left) events_.server_left(server.endpoint, reason);
}

std::string Servers::why_unreachable() {
  std::string reasons;
  for (const auto& server : servers_) {
    grpc::ClientContext context;
    context.set_deadline(deadline_of(steady_clock::now() + connect_timeout_));
    pb::StatusResponse response;
    const auto status = server->maintenance->Status(&context, {}, &response);
    reasons += (reasons.empty() ? "" : "; ") + server->endpoint + ": ";
    reasons += status.ok() ? "answers again" : status.error_message();
  }
  return reasons;
}

}  // namespace viaduct::topology::store::etcd
