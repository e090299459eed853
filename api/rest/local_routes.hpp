// The routes that follow from the addresses of a router's ports. MidoNet stores them, and its clients expect to see them;
// here they are made when somebody asks, with ids from which the port is found again.
#pragma once

#include <optional>
#include <vector>

#include "api/rest/document.hpp"

namespace viaduct::api::rest {

// "Local" routes to each address of the ports.
std::vector<Record> local_routes(const std::vector<Record>& ports);
// The one with this id; nothing: it is no such route's.
std::optional<Record> find_local_route(Context& context, const Uuid& id);

}  // namespace viaduct::api::rest
