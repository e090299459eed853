// The daemon's admin endpoint: an actor on a loopback TCP port that cuts the byte stream into frames, hands each to the
// admin actor, and writes the answer.
//
// It speaks the framing of schema/frame.hpp and not CAF's own protocol, whose decoder trusts the lengths that it reads.
// Everything a stranger can make it keep is bounded: connections, bytes of one request, requests in flight (one a
// connection; the next is read from the socket when the answer has gone out), and idle time.
#pragma once

#include <caf/io/all.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "actors/interfaces.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct EndpointOptions {
  std::string address = "127.0.0.1";  // loopback only; the assembly refuses others
  uint16_t port = 6677;               // 0: any free one
  size_t max_connections = 32;
  size_t max_request_bytes = size_t{4} << 20;
  std::chrono::seconds idle_timeout{60};
  std::chrono::seconds answer_timeout{120};
};

struct EndpointLinks {
  std::function<AdminActor()> make_admin;           // the endpoint supervises it
  std::function<void(std::string_view)> restarted;  // counts a restart
  observability::AdminProbe& probe;
};

struct EndpointStart {
  caf::actor actor;
  uint16_t port = 0;
  std::string error;  // why it does not listen, and the cure
};

EndpointStart spawn_endpoint(caf::actor_system& system, const EndpointLinks& links, const EndpointOptions& options);

}  // namespace viaduct::actors
