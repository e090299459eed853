// The Store contract: the network state database, as keys and values of bytes with a history.
//
// Every transaction that changes something makes one revision, and revisions count up without gaps. (In an etcd that
// others use too, theirs count as well: then revisions grow, and a gap is not a loss.) A key's mod_revision is the
// revision of its last change. History is kept back to the last compaction, so a reader may page through a large range
// at one revision, and a watcher may resume where it stopped: from revision N it sees every later change of its prefix
// exactly once, in order, one batch a revision; or it is told that N was compacted, reads the range again, and goes on
// from there.
//
// The semantics are those of etcd v3, so that its gRPC service can stand behind this interface:
//   commit  = Txn: all compares hold, or nothing happens. Compares are equality of mod_revision, or mod_revision > 0.
//             Deleting what is absent changes nothing; a transaction that changes nothing makes no revision.
//             A key may be written once in a transaction.
//   range   = Range with revision; compacted revisions are refused.
//   watch   = Watch with start_revision; a cancelled watch with compact_revision becomes Compacted.
//   leases  = LeaseGrant, LeaseKeepAlive, LeaseRevoke; when a lease ends its keys vanish in one revision.
// An etcd for Viaduct runs with --max-txn-ops=10000 and --max-request-bytes=10485760; its defaults (128 operations,
// 1.5 MB) are too small for deleting a large bridge with its ports at once. What hosts say of themselves keeps within them.
//
// Durability: when commit, grant or revoke has answered, the change survives a crash of the process and of the machine.
// An answer of `io` or `unavailable` may have taken effect or not: read again.
//
// Threads: every method may be called by any thread at any time, and blocks for as long as the disk or the network
// needs (a commit: one fsync; concurrent commits share one). Do not call it from an event-based actor's handler. A watch
// costs a thread: open few and fan out above the store.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace viaduct::topology::store {

using Revision = uint64_t;  // 0: before the first change; as a mod_revision: absent

enum class LeaseId : uint64_t { none = 0 };

inline constexpr size_t kMaxTransactionOps = 10'000;  // compares, and separately puts + deletes
inline constexpr size_t kMaxTransactionBytes = size_t{8} << 20;
inline constexpr size_t kMaxKeyBytes = 1024;
inline constexpr size_t kMaxValueBytes = size_t{1} << 20;
inline constexpr size_t kMaxRangeEntries = 10'000;  // of one page
inline constexpr size_t kMaxLeases = 65'536;

enum class ErrorCode : uint8_t {
  conflict,         // a compare did not hold: key and revision (its actual mod_revision) tell which
  compacted,        // the revision asked for is no longer kept; revision tells the first that cannot be read any more
  future_revision,  // the revision asked for does not exist yet
  invalid,          // a request against the limits or rules above
  lease_not_found,  // ended, or never granted
  too_many_leases,
  locked,       // another process has the store open
  corrupt,      // what is stored cannot be read
  io,           // the disk failed; the store refuses further writes until it is opened again
  unavailable,  // the server cannot be reached (remote stores)
  denied,       // the server does not accept the user, the password, or what the user asks for (remote stores)
};
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code;
  std::string text;       // for the operator: what happened, to which path or key, what to do
  std::string key = {};   // conflict
  Revision revision = 0;  // conflict, compacted
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}
  explicit operator bool() const { return content_.index() == 0; }
  T& operator*() { return std::get<0>(content_); }
  const T& operator*() const { return std::get<0>(content_); }
  T* operator->() { return &std::get<0>(content_); }
  const T* operator->() const { return &std::get<0>(content_); }
  const Error& error() const { return std::get<1>(content_); }  // only when it holds no value

 private:
  std::variant<T, Error> content_;
};
using Status = Result<std::monostate>;
using CommitResult = Result<Revision>;  // the transaction's revision; the latest one if it changed nothing

struct Entry {
  std::string key;
  std::string value;
  Revision mod_revision = 0;
  LeaseId lease = LeaseId::none;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Values are bytes; these turn a Frame's into them and back.
inline std::string to_value(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }
inline std::span<const uint8_t> as_bytes(std::string_view value) {
  return {reinterpret_cast<const uint8_t*>(value.data()), value.size()};
}

// What must be true of a key for the transaction to happen.
struct Compare {
  enum class Kind : uint8_t { mod_revision, exists };
  Kind kind = Kind::mod_revision;
  std::string key;
  Revision expected = 0;

  static Compare absent(std::string key) { return {Kind::mod_revision, std::move(key), 0}; }
  static Compare unchanged(std::string key, Revision since) { return {Kind::mod_revision, std::move(key), since}; }
  static Compare exists(std::string key) { return {Kind::exists, std::move(key), 0}; }
};

struct Put {
  std::string key;
  std::string value;
  LeaseId lease = LeaseId::none;  // replaces the lease that the key had
};

struct Transaction {
  std::vector<Compare> compares;
  std::vector<Put> puts;
  std::vector<std::string> deletes;
};

struct GetResult {
  std::optional<Entry> entry;
  Revision revision = 0;  // as of which
};

struct RangeRequest {
  std::string prefix;      // empty: everything
  size_t limit = 1000;     // at most kMaxRangeEntries
  std::string after = {};  // go on behind this key: the last one of the previous page
  Revision at = 0;         // 0: the latest; for the next page: the first one's revision
};

struct RangePage {
  std::vector<Entry> entries;  // by key
  Revision revision = 0;       // as of which
  bool more = false;           // there are further keys behind the last one
};

struct WatchEvent {
  enum class Kind : uint8_t { put, deleted };
  Kind kind = Kind::put;
  Entry entry;  // of a deleted one: key and mod_revision
  friend bool operator==(const WatchEvent&, const WatchEvent&) = default;
};

// All changes of one revision under the watched prefix, by key; never empty.
struct WatchBatch {
  Revision revision = 0;
  std::vector<WatchEvent> events;
};
// The watch has ended: revisions up to this one are gone. Read the range and watch from its revision + 1.
struct Compacted {
  Revision compact_revision = 0;
};
using WatchMessage = std::variant<WatchBatch, Compacted, Error>;  // after the last two nothing follows
// Called by a thread of the watch, one call at a time. It may take its time: the watch then falls behind and reads
// from the log; nothing is queued for it. It must not destroy its own watch.
using WatchCallback = std::function<void(WatchMessage)>;

// A running watch. Once it is destroyed the callback is not running and will not be called again.
class Watch {
 public:
  virtual ~Watch() = default;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual CommitResult commit(const Transaction& transaction) = 0;
  virtual Result<GetResult> get(std::string_view key) = 0;
  virtual Result<RangePage> range(const RangeRequest& request) = 0;

  // From `from` on (the last revision handled + 1); 0: from the next change on.
  virtual std::unique_ptr<Watch> watch(Revision from, std::string prefix, WatchCallback callback) = 0;

  // Gives up history up to `revision`: reading at it stays possible, watching from it does not.
  virtual Status compact(Revision revision) = 0;

  // A lease ends when it was not kept alive for `ttl` (whole seconds at least one), or is revoked. A restarted store
  // gives every lease its full time again.
  virtual Result<LeaseId> grant(std::chrono::seconds ttl) = 0;
  virtual Status keep_alive(LeaseId lease) = 0;
  virtual CommitResult revoke(LeaseId lease) = 0;

  virtual Revision revision() const = 0;            // the latest
  virtual Revision compacted_revision() const = 0;  // 0: never compacted
};

// Nothing, or what is wrong with it. Implementations refuse exactly this before doing anything.
std::optional<Error> validate(const Transaction& transaction);
std::optional<Error> validate(const RangeRequest& request);

}  // namespace viaduct::topology::store
