#include "topology/store/etcd/session.hpp"

#include <algorithm>

#include "topology/store/etcd/errors.hpp"

namespace viaduct::topology::store::etcd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstPause{20};
constexpr milliseconds kLongestPause{500};

// Not long, for other servers may answer at once; longer each time, for an election takes its time.
milliseconds after(milliseconds pause) { return std::min(pause * 2, kLongestPause); }

}  // namespace

void Session::raise(std::atomic<Revision>& known, Revision revision) {
  Revision before = known;
  while (before < revision && !known.compare_exchange_weak(before, revision)) {
  }
}

std::string Session::prepare(grpc::ClientContext& context, Identity identity) {
  context.AddMetadata("hasleader", "true");
  if (identity == Identity::none) return {};
  std::lock_guard lock(token_mutex_);
  if (!token_.empty()) context.AddMetadata("token", token_);
  return token_;
}

void Session::count(std::string_view method, const grpc::Status& status) const {
  if (options_.events.called) options_.events.called(method, label(status.error_code()));
}

std::optional<Error> Session::repeat(std::string_view method, Effect effect, Identity identity,
                                     const Attempt& attempt) {
  bool answered = false;
  auto error = try_until_done(method, effect, identity, attempt, answered);
  if (options_.events.over) options_.events.over(answered);
  return error;
}

// `answered`: a server did, with what was asked for or with a refusal that others would repeat.
std::optional<Error> Session::try_until_done(std::string_view method, Effect effect, Identity identity,
                                             const Attempt& attempt, bool& answered) {
  const auto deadline = steady_clock::now() + options_.call_timeout;
  for (milliseconds wait = kFirstPause;; wait = after(wait)) {
    Server* server = servers_.connected(deadline);
    if (server == nullptr) return none_connected(method);
    grpc::ClientContext context;
    context.set_deadline(deadline_of(steady_clock::now() + options_.attempt_timeout));
    const std::string token = prepare(context, identity);
    const auto begin = steady_clock::now();
    const grpc::Status status = attempt(*server, context);
    if (options_.events.took) options_.events.took(method, steady_clock::now() - begin);
    count(method, status);
    answered = status.ok() || judge(status) == Answer::done;
    if (status.ok()) return std::nullopt;
    const Answer answer = judge(status);
    if (answer == Answer::done) return error_of(method, server->endpoint, status);
    if (answer != Answer::stale_token) servers_.leave(*server, status.error_message());
    if (answer == Answer::unknown && effect == Effect::write) return fate_unknown(method, server->endpoint, status);
    if (steady_clock::now() + wait >= deadline) return error_of(method, server->endpoint, status);
    if (answer == Answer::stale_token && identity == Identity::token) {
      if (auto error = authenticate(token)) return error;
    }
    pause(wait, {});
  }
}

Error Session::none_connected(std::string_view method) {
  return {ErrorCode::unavailable, "etcd: " + std::string(method) + ": no server can be reached, nothing was changed (" +
                                      servers_.why_unreachable() + ")"};
}

std::optional<Error> Session::authenticate(const std::string& refused_token) {
  std::lock_guard authenticating(authentication_mutex_);
  {
    std::lock_guard lock(token_mutex_);
    if (token_ != refused_token) return std::nullopt;
  }
  pb::AuthenticateRequest request;
  request.set_name(options_.user);
  request.set_password(options_.password);
  pb::AuthenticateResponse response;
  auto error = repeat("authenticate", Effect::none, Identity::none, [&](Server& server, grpc::ClientContext& context) {
    return server.auth->Authenticate(&context, request, &response);
  });
  if (error) return error;
  {
    std::lock_guard lock(token_mutex_);
    token_ = response.token();
  }
  if (options_.events.authenticated) options_.events.authenticated();
  return std::nullopt;
}

}  // namespace viaduct::topology::store::etcd
