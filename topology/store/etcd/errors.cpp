#include "topology/store/etcd/errors.hpp"

#include <array>

namespace viaduct::topology::store::etcd {
namespace {

bool says(const grpc::Status& status, std::string_view text) {
  return status.error_message().find(text) != std::string::npos;
}

// What etcd says when it is known to have done nothing, and another server, or the same one later, may do it.
bool refused_for_now(const grpc::Status& status) {
  return says(status, "etcdserver: no leader") || says(status, "etcdserver: too many requests") ||
         says(status, "etcdserver: not capable");
}

bool token_is_stale(const grpc::Status& status) {
  return says(status, "invalid auth token") || says(status, "revision of auth store is old");
}

struct Known {
  std::string_view etcd_says;
  ErrorCode code;
  std::string_view cure;
};

// etcd's errors by their text: several share a code.
constexpr std::array kKnown{
    Known{"required revision has been compacted", ErrorCode::compacted, "read the range again"},
    Known{"required revision is a future revision", ErrorCode::future_revision, "read again"},
    Known{"requested lease not found", ErrorCode::lease_not_found, "grant a new one"},
    Known{"too large lease TTL", ErrorCode::invalid, "ask for a shorter lease"},
    Known{"too many operations in txn request", ErrorCode::invalid, "run etcd with --max-txn-ops=10000"},
    Known{"request is too large", ErrorCode::invalid, "run etcd with --max-request-bytes=10485760"},
    Known{"received message larger than max", ErrorCode::invalid, "run etcd with --max-request-bytes=10485760"},
    Known{
        "database space exceeded", ErrorCode::unavailable,
        "nothing was changed; compact and defragment etcd, raise its --quota-backend-bytes, then etcdctl alarm disarm"},
    Known{"invalid user ID or password", ErrorCode::denied, "check user and password (etcdctl user passwd USER)"},
    Known{"authentication is not enabled", ErrorCode::denied,
          "switch it on (etcdctl auth enable), or configure no user"},
    Known{"user name is empty", ErrorCode::denied, "etcd wants a user and a password: configure them"},
    Known{"permission denied", ErrorCode::denied,
          "give the user a role with readwrite permission for the prefix of the namespace (etcdctl role "
          "grant-permission ROLE --prefix=true readwrite NAMESPACE/)"},
};

std::string sentence(std::string_view action, std::string_view server, const grpc::Status& status) {
  std::string text = "etcd: ";
  text.append(action).append(" at ").append(server).append(": ");
  return text += status.error_message().empty() ? std::string(label(status.error_code())) : status.error_message();
}

}  // namespace

Answer judge(const grpc::Status& status) {
  if (token_is_stale(status)) return Answer::stale_token;
  if (refused_for_now(status)) return Answer::not_handled;
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DATA_LOSS:
      return Answer::unknown;
    default:
      return Answer::done;
  }
}

std::string_view label(grpc::StatusCode code) {
  static constexpr std::array<std::string_view, 17> kNames{
      "ok",        "cancelled",      "unknown",           "invalid_argument",   "deadline_exceeded",
      "not_found", "already_exists", "permission_denied", "resource_exhausted", "failed_precondition",
      "aborted",   "out_of_range",   "unimplemented",     "internal",           "unavailable",
      "data_loss", "unauthenticated"};
  const auto at = static_cast<size_t>(code);
  return at < kNames.size() ? kNames.at(at) : "other";
}

Error error_of(std::string_view action, std::string_view server, const grpc::Status& status) {
  for (const Known& known : kKnown) {
    if (!says(status, known.etcd_says)) continue;
    return {known.code, sentence(action, server, status) + "; " + std::string(known.cure)};
  }
  switch (judge(status)) {
    case Answer::stale_token:
      return {ErrorCode::denied, sentence(action, server, status) + "; etcd does not keep the tokens that it gives"};
    case Answer::done:
      return {ErrorCode::invalid, sentence(action, server, status)};
    case Answer::not_handled:
      return {ErrorCode::unavailable, sentence(action, server, status) + "; nothing was changed"};
    case Answer::unknown:
      break;
  }
  return {ErrorCode::unavailable, sentence(action, server, status)};
}

Error fate_unknown(std::string_view action, std::string_view server, const grpc::Status& status) {
  return {ErrorCode::unavailable, sentence(action, server, status) + "; it may have taken effect: read again"};
}

}  // namespace viaduct::topology::store::etcd
