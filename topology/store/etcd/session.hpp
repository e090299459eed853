// Calls to an etcd: choosing a server, repeating what may be repeated, and the token that proves who we are.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "topology/store/etcd/servers.hpp"
#include "topology/store/store.hpp"

namespace viaduct::topology::store::etcd {

enum class Effect : uint8_t {
  none,   // reads, and what may happen twice: repeated until the deadline
  write,  // never repeated once a server may have taken it up
};

class Session {
 public:
  Session(EtcdOptions options, const std::shared_ptr<grpc::ChannelCredentials>& credentials)
      : options_(std::move(options)), servers_(options_, credentials) {}

  using Attempt = std::function<grpc::Status(Server& server, grpc::ClientContext& context)>;
  // `method` as in "commit": for errors and counts. Nothing when it was done.
  std::optional<Error> call(std::string_view method, Effect effect, const Attempt& attempt) {
    return repeat(method, effect, Identity::token, attempt);
  }

  // --- for streams, which look after themselves ---
  Servers& servers() { return servers_; }
  const EtcdOptions& options() const { return options_; }
  // Adds the token, which is returned, and that the server must know a leader.
  std::string prepare(grpc::ClientContext& context) { return prepare(context, Identity::token); }
  void count(std::string_view method, const grpc::Status& status) const;
  // Makes a new token unless somebody has already replaced this one.
  std::optional<Error> authenticate(const std::string& refused_token);
  bool has_user() const { return !options_.user.empty(); }

  // --- what is known of the etcd ---
  void saw(const pb::ResponseHeader& header) { raise(revision_, static_cast<Revision>(header.revision())); }
  void saw_compacted(Revision revision) { raise(compacted_, revision); }
  Revision revision() const { return revision_; }
  Revision compacted_revision() const { return compacted_; }

 private:
  enum class Identity : uint8_t { none, token };  // none: the call that asks for a token
  std::string prepare(grpc::ClientContext& context, Identity identity);
  std::optional<Error> repeat(std::string_view method, Effect effect, Identity identity, const Attempt& attempt);
  std::optional<Error> try_until_done(std::string_view method, Effect effect, Identity identity, const Attempt& attempt,
                                      bool& answered);
  Error none_connected(std::string_view method);
  static void raise(std::atomic<Revision>& known, Revision revision);

  const EtcdOptions options_;
  Servers servers_;
  std::mutex authentication_mutex_;  // held while a token is asked for
  std::mutex token_mutex_;
  std::string token_;
  std::atomic<Revision> revision_{0};
  std::atomic<Revision> compacted_{0};
};

}  // namespace viaduct::topology::store::etcd
