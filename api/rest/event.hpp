// One change of one object, as watchers are told of it (event_feed.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client/client.hpp"
#include "api/rest/http.hpp"
#include "topology/delta.hpp"

namespace viaduct::api::rest {

struct Event {
  uint64_t revision = 0;                   // of the commit
  bool is_last = false;                    // of it
  std::string resource = {};               // "bridges", "port_groups/ports"
  std::optional<std::string> tenant = {};  // whose the object is, or was
  std::string text = {};                   // "event: …\ndata: …\n"
};

// What a watcher wants to hear of; empty, or nothing: all.
struct WatchFilter {
  std::vector<std::string> resources = {};
  std::optional<std::string> tenant = {};

  bool passes(const Event& event) const;
};
// From "?resource=bridges,routers" and "?tenant_id=". The failure names a resource that there is none of.
Result<WatchFilter> watch_filter(const Request& request);

// All that the commit has changed and a resource shows. Asks `client` what documents say of hosts; null: documents are, too.
std::vector<Event> events_of(const topology::Snapshot& snapshot, const topology::Delta& delta, Client* client,
                             const std::string& base);
// "bridges" for a kind that has a path of its own, "port_groups/ports" for another; empty: no resource shows it.
std::string resource_name(Kind kind);

}  // namespace viaduct::api::rest
