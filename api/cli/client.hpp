// Requests to the daemon and its answers as values. One connection, one request at a time, each with a finite time-out.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/cli/connection.hpp"
#include "api/cli/record.hpp"
#include "schema/admin.capnp.h"

namespace viaduct::cli {

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

class Client {
 public:
  using Fill = std::function<void(schema::AdminRequest::Builder)>;
  using Read = std::function<void(schema::AdminReply::Reader)>;

  // Reads the token and connects.
  static Result<std::unique_ptr<Client>> open(ClientOptions options);

  // `name`: empty for all, else a name or a UUID. `kinds`: empty for all.
  Result<std::vector<Record>> list(const std::vector<Kind>& kinds, const std::string& name);
  // Those that name `target` in any of their fields.
  Result<std::vector<Record>> list_naming(const std::vector<Kind>& kinds, const Uuid& target);
  // The reply's `committed` as JSON.
  Result<Json> transact(const std::vector<Operation>& operations, ChangeMode mode);
  // Any other request: the named member of the reply's union as JSON.
  Result<Json> ask(const Fill& fill, schema::AdminReply::Which expected);

  std::chrono::milliseconds timeout() const { return options_.timeout; }
  uint32_t timeout_ms() const { return static_cast<uint32_t>(options_.timeout.count()); }

 private:
  Client(ClientOptions options, std::vector<uint8_t> token, std::unique_ptr<Connection> connection)
      : options_(std::move(options)), token_(std::move(token)), connection_(std::move(connection)) {}
  Result<std::vector<Record>> list(const std::vector<Kind>& kinds, const std::string& name, const Uuid& naming);
  Result<Done> call(const Fill& fill, schema::AdminReply::Which expected, const Read& read);
  Result<schema::Frame> exchange(const Fill& fill);

  const ClientOptions options_;
  const std::vector<uint8_t> token_;
  const std::unique_ptr<Connection> connection_;
  uint64_t last_id_ = 0;
};

}  // namespace viaduct::cli
