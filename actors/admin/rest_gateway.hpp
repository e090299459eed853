// The REST API of a node with the cluster role: an actor that owns the HTTP server and its threads (api/rest), and
// supervises the admin actor that they ask. A thread asks as the tool does, in messages of schema/admin.capnp, and blocks
// for the answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "actors/admin/token.hpp"
#include "actors/interfaces.hpp"
#include "api/rest/access.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct RestOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 8181;          // 0: any free one
  std::string certificate_file;  // PEM; empty: no TLS
  std::string key_file;
  unsigned requests_per_second = 0, burst = 1;  // of one user; 0: any number
};

struct RestLinks {
  std::function<AdminActor()> make_admin;
  std::function<void(std::string_view)> restarted;  // counts a restart
  AdminToken token;
  std::shared_ptr<const api::rest::Access> access;
  observability::RestProbe& probe;
  TopologyStoreActor store;  // tells what changes
};

struct RestStart {
  caf::actor actor;
  uint16_t port = 0;
  std::string error;  // why it does not listen, and the cure
};

RestStart spawn_rest_gateway(caf::actor_system& system, const RestLinks& links, const RestOptions& options);

}  // namespace viaduct::actors
