// Carries one request to a daemon and brings its answer: over a socket (connection.hpp), or inside of the daemon.
#pragma once

#include <chrono>

#include "api/client/outcome.hpp"
#include "schema/frame.hpp"

namespace viaduct::api {

using Deadline = std::chrono::steady_clock::time_point;

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  // An AdminRequest out, an AdminReply in (schema/admin.capnp). Ends by its deadline.
  virtual Result<schema::Frame> exchange(const schema::Frame& request, Deadline deadline) = 0;
};

}  // namespace viaduct::api
