// A request that another host's daemon answers: what goes there, and what of its answer an operator is given. No CAF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "actors/admin/request.hpp"
#include "schema/admin.capnp.h"
#include "topology/cause.hpp"

namespace viaduct::actors {

// `asked`, a why or a trace that has been decoded, without its token and as one that is not relayed again.
schema::Frame relayed_request(const schema::Frame& asked, const topology::Cause& cause);

// What is answered to the request `id`: of the host's reply the member that was asked for, under the name that the host has
// proven, or its error. Another host is believed nothing else: what does not fit comes back as the problem.
std::variant<schema::Frame, AdminProblem> relayed_reply(const schema::Frame& reply, uint64_t id,
                                                        schema::AdminReply::Which expected, const std::string& host);

// Another host's words for a terminal: without control characters, and not longer than an error may be.
std::string plain(std::string_view text);

}  // namespace viaduct::actors
