#include "topology/store/etcd/watch.hpp"

#include <algorithm>
#include <utility>

#include "topology/store/etcd/errors.hpp"

namespace viaduct::topology::store::etcd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstWait{20};
constexpr milliseconds kLongestWait{2'000};

}  // namespace

EtcdWatch::EtcdWatch(std::shared_ptr<Session> session, KeySpace keys, Revision from, std::string prefix,
                     WatchCallback callback)
    : session_(std::move(session)),
      keys_(std::move(keys)),
      prefix_(std::move(prefix)),
      callback_(std::move(callback)),
      next_(from),
      wait_(kFirstWait),
      thread_([this] { run(); }) {}

EtcdWatch::~EtcdWatch() {
  {
    std::lock_guard lock(context_mutex_);
    stop_.request_stop();
    if (context_ != nullptr) context_->TryCancel();
  }
  thread_.join();
}

void EtcdWatch::run() {
  const auto stop = stop_.get_token();
  while (!stop.stop_requested()) {
    Server* server = session_->servers().connected(steady_clock::now() + session_->options().call_timeout, stop);
    if (server == nullptr) continue;  // it waits as long as it takes
    if (follow(*server) == Next::ended || !pause(wait_, stop)) return;
    wait_ = std::min(wait_ * 2, kLongestWait);
  }
}

bool EtcdWatch::begin(grpc::ClientContext& context) {
  std::lock_guard lock(context_mutex_);
  if (stop_.stop_requested()) return false;
  context_ = &context;
  return true;
}

EtcdWatch::Next EtcdWatch::follow(Server& server) {
  grpc::ClientContext context;
  const std::string token = session_->prepare(context);
  if (!begin(context)) return Next::ended;
  const auto stream = server.watch->Watch(&context);
  auto next = Next::read_on;
  if (stream->Write(to_request(keys_, prefix_, next_))) {
    pb::WatchResponse response;
    while (next == Next::read_on && stream->Read(&response)) next = handle(server, response, token);
  }
  context.TryCancel();  // in case that it was not the stream that ended
  const grpc::Status status = stream->Finish();
  {
    std::lock_guard lock(context_mutex_);
    context_ = nullptr;
    if (stop_.stop_requested()) return Next::ended;
  }
  if (next == Next::read_on) broke(server, status);
  return next == Next::ended ? Next::ended : Next::reconnect;
}

void EtcdWatch::broke(Server& server, const grpc::Status& status) {
  is_broken_ = true;
  session_->count("watch", status);
  session_->servers().leave(server, status.error_message());
  const auto& told = session_->options().events.watch_broken;
  if (told) told(server.endpoint, status.error_message());
}

void EtcdWatch::established(const Server& server) {
  const auto& told = session_->options().events.watch_resumed;
  if (is_broken_ && told) told(server.endpoint);
  is_broken_ = false;
  token_was_refused_ = false;
  wait_ = kFirstWait;
  session_->count("watch", grpc::Status::OK);
}

EtcdWatch::Next EtcdWatch::handle(Server& server, pb::WatchResponse& response, const std::string& token) {
  session_->saw(response.header());
  if (response.compact_revision() > 0) {
    const auto compacted = static_cast<Revision>(response.compact_revision());
    session_->saw_compacted(compacted);
    return end(Compacted{compacted});
  }
  if (response.canceled()) return refused(server, response, token);
  if (response.created()) established(server);
  return deliver(response);
}

// A watch is refused by a response, not by the status of its stream; and it is not said whether the token or the
// permission is missing.
EtcdWatch::Next EtcdWatch::refused(Server& server, const pb::WatchResponse& response, const std::string& token) {
  const grpc::Status status(grpc::StatusCode::PERMISSION_DENIED, response.cancel_reason().empty()
                                                                     ? "etcdserver: permission denied"
                                                                     : response.cancel_reason());
  session_->count("watch", status);
  const Error error = error_of("watch", server.endpoint, status);
  if (!session_->has_user() || token_was_refused_) return end(error);
  token_was_refused_ = true;
  auto failed = session_->authenticate(token);
  if (failed && failed->code != ErrorCode::unavailable) return end(*failed);
  return Next::reconnect;
}

EtcdWatch::Next EtcdWatch::deliver(pb::WatchResponse& response) {
  if (response.events().empty()) {
    // Created, or progress. Only the latter says that nothing up to its revision is still to come.
    if (!response.created()) next_ = std::max(next_, static_cast<Revision>(response.header().revision()) + 1);
    return Next::read_on;
  }
  auto batches = batches_of(keys_, next_, response);
  if (!batches) return end(batches.error());
  for (WatchBatch& batch : *batches) {
    if (stop_.stop_requested()) return Next::ended;
    const Revision revision = batch.revision;
    callback_(std::move(batch));
    next_ = revision + 1;
  }
  return Next::read_on;
}

EtcdWatch::Next EtcdWatch::end(WatchMessage reason) {
  if (!stop_.stop_requested()) callback_(std::move(reason));
  return Next::ended;
}

std::optional<Error> find_compacted(Session& session, const KeySpace& keys, Revision from) {
  pb::WatchRequest request;
  request.mutable_create_request()->set_key(keys.no_key());
  request.mutable_create_request()->set_start_revision(static_cast<int64_t>(from));
  return session.call("find compacted", Effect::none, [&](Server& server, grpc::ClientContext& context) {
    const auto stream = server.watch->Watch(&context);
    pb::WatchResponse response;
    if (stream->Write(request)) {
      while (stream->Read(&response) && !response.canceled()) {
      }
    }
    context.TryCancel();
    const grpc::Status status = stream->Finish();
    if (response.compact_revision() == 0) return status;
    session.saw_compacted(static_cast<Revision>(response.compact_revision()));
    return grpc::Status::OK;
  });
}

}  // namespace viaduct::topology::store::etcd
