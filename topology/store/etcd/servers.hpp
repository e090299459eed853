// The servers of an etcd, and which of them is asked: one at a time, in the order of the list, the next one when the
// present one fails.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "topology/store/etcd/etcd_store.hpp"
#include "topology/store/etcd/rpc.grpc.pb.h"

namespace viaduct::topology::store::etcd {

namespace pb = ::etcdserverpb;
using SteadyTime = std::chrono::steady_clock::time_point;

// For gRPC, which otherwise counts by the wall clock.
gpr_timespec deadline_of(SteadyTime time);

struct Server {
  size_t index;
  std::string endpoint;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<pb::KV::Stub> kv;
  std::unique_ptr<pb::Watch::Stub> watch;
  std::unique_ptr<pb::Lease::Stub> lease;
  std::unique_ptr<pb::Auth::Stub> auth;
  std::unique_ptr<pb::Maintenance::Stub> maintenance;
  std::atomic<bool> told = false;  // that it was left, since it was last connected
};

class Servers {
 public:
  // TLS files have been read: `credentials` are made of them.
  Servers(const EtcdOptions& options, const std::shared_ptr<grpc::ChannelCredentials>& credentials);

  // The first server, from the present one on, that is connected; null: none was until the deadline, or stop was
  // requested.
  Server* connected(SteadyTime deadline, const std::stop_token& stop = {});
  // The next one is to be asked, unless somebody has seen to that already.
  void leave(Server& server, std::string_view reason);
  // Why each of them does not answer, for the operator. Takes up to a connect time-out for each.
  std::string why_unreachable();

 private:
  bool wait_until_ready(Server& server, SteadyTime deadline, const std::stop_token& stop);
  // Lends this thread to all connections for a moment: gRPC makes them only while somebody waits for them.
  void drive(std::chrono::milliseconds duration);

  const std::chrono::milliseconds connect_timeout_;
  const EtcdEvents events_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::atomic<size_t> current_{0};
};

// Waits; false: stop was requested.
bool pause(std::chrono::milliseconds duration, const std::stop_token& stop);

}  // namespace viaduct::topology::store::etcd
