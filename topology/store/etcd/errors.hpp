// What an answer of etcd, or its absence, means for a call.
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

#include "topology/store/store.hpp"

namespace viaduct::topology::store::etcd {

enum class Answer : uint8_t {
  done,         // handled: well, or with an error that another attempt would meet again
  stale_token,  // not handled: authenticate again
  not_handled,  // certainly not handled; another server may
  unknown,      // handled or not, nobody knows
};
Answer judge(const grpc::Status& status);

// The name of a status code, as a label: "ok", "deadline_exceeded".
std::string_view label(grpc::StatusCode code);

// For the operator; `action` as in "commit". Without revisions: an answer does not hold them.
Error error_of(std::string_view action, std::string_view server, const grpc::Status& status);
// Of a write whose fate is unknown.
Error fate_unknown(std::string_view action, std::string_view server, const grpc::Status& status);

}  // namespace viaduct::topology::store::etcd
