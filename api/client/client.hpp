// Requests to the daemon and its answers as values. One request at a time, each with a finite time-out.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/client/connection.hpp"
#include "api/client/record.hpp"
#include "schema/admin.capnp.h"
#include "topology/cause.hpp"

namespace viaduct::api {

// One operation of a transaction.
struct Operation {
  enum class Action : uint8_t { create, update, remove };
  Action action = Action::create;
  Record record;
};

struct ChangeMode {
  bool dry_run = false;       // the daemon validates and says what would change
  bool wait_applied = false;  // answer when the agents have applied it
};

void fill_operations(const std::vector<Operation>& operations, schema::Transact::Builder transact);

struct ClientOptions {
  Endpoint endpoint;
  std::string token_file;
  std::chrono::milliseconds timeout{10'000};
};

// What the daemon asks who knows it for.
struct Credential {
  std::vector<uint8_t> token;
  std::string origin;  // where the token comes from, for the failure when it is the wrong one
};

class Client {
 public:
  using Fill = std::function<void(schema::AdminRequest::Builder)>;
  using Read = std::function<void(schema::AdminReply::Reader)>;

  Client(std::unique_ptr<Transport> transport, Credential credential, std::chrono::milliseconds timeout)
      : transport_(std::move(transport)), credential_(std::move(credential)), timeout_(timeout) {}
  // Over a socket: reads the token and connects.
  static Result<std::unique_ptr<Client>> open(const ClientOptions& options);

  // `name`: empty for all, else a name or a UUID. `kinds`: empty for all.
  Result<std::vector<Record>> list(const std::vector<Kind>& kinds, const std::string& name);
  // Those that name `target` in any of their fields.
  Result<std::vector<Record>> list_naming(const std::vector<Kind>& kinds, const Uuid& target);
  // The reply's `committed` as JSON.
  Result<Json> transact(const std::vector<Operation>& operations, ChangeMode mode);
  // Any other request: the named member of the reply's union as JSON.
  Result<Json> ask(const Fill& fill, schema::AdminReply::Which expected);

  // Likewise, as it is; `read` is called before this returns, and only when it succeeds.
  Result<Done> read(const Fill& fill, schema::AdminReply::Which expected, const Read& read) {
    return call(fill, expected, read);
  }

  // What its changes, and its questions to other hosts, are known by from now on (topology/cause.hpp); without it the daemon
  // names each request.
  void set_cause(std::string request, std::string by) { cause_ = {std::move(request), std::move(by), {}}; }

  std::chrono::milliseconds timeout() const { return timeout_; }
  uint32_t timeout_ms() const { return static_cast<uint32_t>(timeout_.count()); }

 private:
  Result<std::vector<Record>> list(const std::vector<Kind>& kinds, const std::string& name, const Uuid& naming);
  Result<Done> call(const Fill& fill, schema::AdminReply::Which expected, const Read& read);
  Result<schema::Frame> exchange(const Fill& fill);

  const std::unique_ptr<Transport> transport_;
  const Credential credential_;
  const std::chrono::milliseconds timeout_;
  uint64_t last_id_ = 0;
  topology::Cause cause_;
};

}  // namespace viaduct::api
