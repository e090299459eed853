#include "topology/store/etcd/etcd_store.hpp"

#include <grpc/support/log.h>

#include <utility>

#include "topology/store/etcd/errors.hpp"
#include "topology/store/etcd/messages.hpp"
#include "topology/store/etcd/options.hpp"
#include "topology/store/etcd/session.hpp"
#include "topology/store/etcd/watch.hpp"

namespace viaduct::topology::store {
namespace etcd {
namespace {

// A watch that could not begin.
class FailedWatch final : public Watch {
 public:
  FailedWatch(WatchCallback callback, Error error)
      : thread_([callback = std::move(callback), error = std::move(error)] { callback(error); }) {}

 private:
  std::jthread thread_;
};

class EtcdStore final : public Store {
 public:
  EtcdStore(EtcdOptions options, const std::shared_ptr<grpc::ChannelCredentials>& credentials)
      : keys_(options.name_space), session_(std::make_shared<Session>(std::move(options), credentials)) {}

  // The first calls: whether it can be used, and how far it is.
  std::optional<Error> start();

  CommitResult commit(const Transaction& transaction) override;
  Result<GetResult> get(std::string_view key) override;
  Result<RangePage> range(const RangeRequest& request) override;
  std::unique_ptr<Watch> watch(Revision from, std::string prefix, WatchCallback callback) override;
  Status compact(Revision revision) override;
  Result<LeaseId> grant(std::chrono::seconds ttl) override;
  Status keep_alive(LeaseId lease) override;
  CommitResult revoke(LeaseId lease) override;
  Revision revision() const override { return session_->revision(); }
  Revision compacted_revision() const override { return session_->compacted_revision(); }

 private:
  Result<pb::RangeResponse> read(std::string_view method, const pb::RangeRequest& request);
  Result<Revision> latest();
  Error with_compacted(Error error, Revision asked);

  const KeySpace keys_;
  const std::shared_ptr<Session> session_;
};

std::optional<Error> EtcdStore::start() {
  if (session_->has_user()) {
    if (auto error = session_->authenticate({})) return error;
  }
  if (auto revision = latest(); !revision) return revision.error();
  pb::RangeRequest first;
  first.set_key(keys_.no_key());
  first.set_revision(1);
  auto kept = read("open", first);
  if (kept) return std::nullopt;
  if (kept.error().code != ErrorCode::compacted) return kept.error();
  return find_compacted(*session_, keys_, 1);
}

Result<pb::RangeResponse> EtcdStore::read(std::string_view method, const pb::RangeRequest& request) {
  pb::RangeResponse response;
  auto error = session_->call(method, Effect::none, [&](Server& server, grpc::ClientContext& context) {
    return server.kv->Range(&context, request, &response);
  });
  if (error) return *error;
  session_->saw(response.header());
  return response;
}

Result<Revision> EtcdStore::latest() {
  pb::RangeRequest request;
  request.set_key(keys_.no_key());
  auto response = read("read the revision", request);
  if (!response) return response.error();
  return static_cast<Revision>(response->header().revision());
}

// etcd says that a revision is compacted, not up to which one.
Error EtcdStore::with_compacted(Error error, Revision asked) {
  if (error.code != ErrorCode::compacted) return error;
  if (auto failed = find_compacted(*session_, keys_, asked)) return *failed;
  error.revision = session_->compacted_revision();
  return error;
}

CommitResult EtcdStore::commit(const Transaction& transaction) {
  if (auto error = validate(transaction)) return *error;
  const pb::TxnRequest request = to_request(keys_, transaction);
  const bool writes = request.success_size() > 0;
  pb::TxnResponse response;
  auto error = session_->call(
      "commit", writes ? Effect::write : Effect::none,
      [&](Server& server, grpc::ClientContext& context) { return server.kv->Txn(&context, request, &response); });
  if (error) return *error;
  session_->saw(response.header());
  if (!response.succeeded()) return conflict_in(transaction, response);
  return static_cast<Revision>(response.header().revision());
}

Result<GetResult> EtcdStore::get(std::string_view key) {
  pb::RangeRequest request;
  request.set_key(keys_.outer(key));
  auto response = read("get", request);
  if (!response) return response.error();
  auto page = page_of(keys_, {}, *response);
  if (!page) return page.error();
  GetResult result{std::nullopt, page->revision};
  if (!page->entries.empty()) result.entry = std::move(page->entries.front());
  return result;
}

Result<RangePage> EtcdStore::range(const RangeRequest& request) {
  if (auto error = validate(request)) return *error;
  auto response = read("range", to_request(keys_, request));
  if (!response) return with_compacted(response.error(), request.at);
  return page_of(keys_, request, *response);
}

std::unique_ptr<Watch> EtcdStore::watch(Revision from, std::string prefix, WatchCallback callback) {
  if (from == 0) {
    auto now = latest();
    if (!now) return std::make_unique<FailedWatch>(std::move(callback), now.error());
    from = *now + 1;
  }
  return std::make_unique<EtcdWatch>(session_, keys_, from, std::move(prefix), std::move(callback));
}

Status EtcdStore::compact(Revision revision) {
  pb::CompactionRequest request;
  request.set_revision(static_cast<int64_t>(revision));
  auto error = session_->call("compact", Effect::none, [&](Server& server, grpc::ClientContext& context) {
    pb::CompactionResponse response;
    return server.kv->Compact(&context, request, &response);
  });
  // Compacted: up to there or further already, perhaps by this very call.
  if (error && error->code != ErrorCode::compacted) return *error;
  session_->saw_compacted(revision);
  return std::monostate{};
}

Result<LeaseId> EtcdStore::grant(std::chrono::seconds ttl) {
  if (ttl.count() < 1) return Error{ErrorCode::invalid, "a lease must last for at least one second"};
  pb::LeaseGrantRequest request;
  request.set_ttl(ttl.count());
  pb::LeaseGrantResponse response;
  // May happen twice: a lease without keys changes nothing, and ends by itself.
  auto error = session_->call("grant", Effect::none, [&](Server& server, grpc::ClientContext& context) {
    return server.lease->LeaseGrant(&context, request, &response);
  });
  if (error) return *error;
  return static_cast<LeaseId>(response.id());
}

Status EtcdStore::keep_alive(LeaseId lease) {
  pb::LeaseKeepAliveRequest request;
  request.set_id(static_cast<int64_t>(lease));
  pb::LeaseKeepAliveResponse response;
  auto error = session_->call("keep alive", Effect::none, [&](Server& server, grpc::ClientContext& context) {
    const auto stream = server.lease->LeaseKeepAlive(&context);
    if (!stream->Write(request) || !stream->Read(&response)) return stream->Finish();
    context.TryCancel();
    stream->Finish();
    return grpc::Status::OK;
  });
  if (error) return *error;
  if (response.ttl() > 0) return std::monostate{};
  return Error{ErrorCode::lease_not_found, "the lease has ended; grant a new one"};
}

CommitResult EtcdStore::revoke(LeaseId lease) {
  pb::LeaseRevokeRequest request;
  request.set_id(static_cast<int64_t>(lease));
  pb::LeaseRevokeResponse response;
  auto error = session_->call("revoke", Effect::write, [&](Server& server, grpc::ClientContext& context) {
    return server.lease->LeaseRevoke(&context, request, &response);
  });
  if (error) return *error;
  session_->saw(response.header());
  return static_cast<Revision>(response.header().revision());
}

}  // namespace
}  // namespace etcd

Result<std::unique_ptr<Store>> open_etcd_store(EtcdOptions options) {
  if (auto error = validate(options)) return *error;
  // What gRPC would print is in the errors of calls; stderr is for records of ours.
  gpr_set_log_function([](gpr_log_func_args*) {});
  auto credentials = etcd::credentials_of(options);
  if (!credentials) return credentials.error();
  auto store = std::make_unique<etcd::EtcdStore>(std::move(options), *credentials);
  if (auto error = store->start()) return *error;
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace viaduct::topology::store
