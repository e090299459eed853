// The clustered store: the Store contract over etcd v3, for several nodes that share one state.
//
// Servers are asked one at a time: the one that answered last, and the next of the list when it does not answer, says
// that it knows no leader, or is not connected. Every call ends: a reading call is repeated until EtcdOptions::call_timeout,
// a writing call is sent once and repeated only when the server says, or it is certain, that it was not taken up. So
// `unavailable` of a write says in its text which of the two it is: "nothing was changed", or "may have taken effect".
//
// Where it differs from the embedded store:
//   revisions    are those of the whole etcd: they start at 1, and changes of others, outside of the namespace, count too.
//                They grow, and each change of ours is one, but only an etcd without other users shows no gaps.
//   revision()   is the newest one that any answer or watch of this store has shown; the etcd may be further. So is
//                compacted_revision().
//   leases       of less than one and a half election time-outs of the etcd (2 s by default) are made that long, and
//                a lease gets its full time again when the etcd's leader changes. There is no limit of their number.
//   compaction   by anybody counts: run the etcd with --auto-compaction-retention, and --max-txn-ops=10000
//                --max-request-bytes=10485760 as store.hpp says. Compared keys are sent twice.
//
// Threads: as store.hpp says. gRPC has threads of its own.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topology/store/store.hpp"

namespace viaduct::topology::store {

// PEM files. Without certificate and key (both or none) the etcd must not ask for a client's certificate.
struct EtcdTls {
  std::filesystem::path authority;
  std::filesystem::path certificate = {};
  std::filesystem::path key = {};
};

// Told what happens, for metrics and logs; called by any thread, must not block. Each may be empty.
struct EtcdEvents {
  // One attempt at one server. Results are few: "ok", or the name of gRPC's status code as in "deadline_exceeded".
  std::function<void(std::string_view method, std::string_view result)> called = {};
  // How long that attempt took; not of watches, which last.
  std::function<void(std::string_view method, std::chrono::nanoseconds took)> took = {};
  // A call to the store is over: a server has answered it, or none did in all its time.
  std::function<void(bool answered)> over = {};
  // Another one is asked; told once until it is connected again.
  std::function<void(std::string_view server, std::string_view reason)> server_left = {};
  std::function<void(std::string_view server, std::string_view reason)> watch_broken = {};  // it will be resumed
  std::function<void(std::string_view server)> watch_resumed = {};
  std::function<void()> authenticated = {};
};

struct EtcdOptions {
  std::vector<std::string> endpoints;  // "host:port", "[address]:port"; asked in this order: the nearest first
  std::string user = {};               // empty: without authentication
  std::string password = {};           // without TLS it crosses the network as it is
  std::optional<EtcdTls> tls = {};
  std::string name_space = "viaduct";                // our keys in etcd begin with this and a slash
  std::chrono::milliseconds connect_timeout{2'000};  // of one server
  std::chrono::milliseconds attempt_timeout{3'000};  // of one call to one server
  std::chrono::milliseconds call_timeout{10'000};    // of one call to the store; a write: one attempt more
  // A server that is silent for the sum of these loses its watches. etcd ends connections that ask more often than its
  // --grpc-keepalive-min-time (5 s). While a callback takes its time gRPC looks for the answer every 5 s only.
  std::chrono::milliseconds keepalive_interval{6'000};
  std::chrono::milliseconds keepalive_timeout{6'000};
  EtcdEvents events = {};
};

// Returns when the etcd has answered, or with what is wrong: an option (`invalid`), user or password (`denied`), or
// that no server can be reached (`unavailable`, after call_timeout, with each server's reason).
Result<std::unique_ptr<Store>> open_etcd_store(EtcdOptions options);

// Nothing, or what is wrong with them. Does not look at files.
std::optional<Error> validate(const EtcdOptions& options);

}  // namespace viaduct::topology::store
