#include "topology/store/versioned_store.hpp"

#include <algorithm>
#include <random>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#include "topology/store/record.hpp"

namespace viaduct::topology::store {
namespace {

constexpr size_t kMaxGroup = 256;             // requests in one batch
constexpr Revision kRevisionsPerChunk = 256;  // of the log, read at once by compaction
constexpr size_t kDropsPerBatch = 1024;       // so long a commit may wait for compaction
constexpr Revision kNewest = ~Revision{0};

LeaseId random_lease() {
  std::random_device source;
  const uint64_t id = (uint64_t{source()} << 32 | source()) >> 1;  // etcd's are signed
  return static_cast<LeaseId>(id == 0 ? 1 : id);
}

Error lease_not_found(LeaseId lease) {
  return {ErrorCode::lease_not_found, "lease " + std::to_string(static_cast<uint64_t>(lease)) + " has ended"};
}

Error broken() {
  return {ErrorCode::io, "a write failed earlier, so the store takes no more; see the log, then restart the daemon"};
}

// To the first version of the next key.
void pass_key(Cursor& data, const std::string& key) {
  constexpr int kSteps = 8;  // cost less than a seek; most keys have few versions
  const std::string front = encode_key(key);
  for (int i = 0; i < kSteps && data.valid() && data.key().starts_with(front); ++i) data.next();
  if (data.valid() && data.key().starts_with(front)) data.seek(behind_key(key));
}

}  // namespace

struct VersionedStore::Request {
  struct Grant {
    LeaseId lease;
    std::chrono::seconds ttl;
  };
  struct Revoke {
    LeaseId lease;
  };
  std::variant<const Transaction*, Grant, Revoke> what;
  std::optional<CommitResult> result;
};

// What the requests of one batch have decided so far, not yet on disk.
struct VersionedStore::Group {
  struct Latest {
    Revision mod_revision = 0;
    LeaseId lease = LeaseId::none;
  };
  Revision head;
  TimePoint now;
  std::unique_ptr<View> view;
  std::unique_ptr<Cursor> data;
  BackendBatch batch = {};
  std::unordered_map<std::string, Latest> written = {};

  Result<Latest> latest(const std::string& key) {
    if (auto found = written.find(key); found != written.end()) return found->second;
    auto entry = read_entry(*data, key, kNewest);
    if (!entry) return entry.error();
    return entry->has_value() ? Latest{(*entry)->mod_revision, (*entry)->lease} : Latest{};
  }
  void finish_revision(Revision revision, std::vector<std::string> keys) {
    std::sort(keys.begin(), keys.end());
    batch.push_back({Table::log, encode_u64(revision), encode_log(keys)});
    head = revision;
  }
};

// --- opening --------------------------------------------------------------------------------------

Result<std::unique_ptr<VersionedStore>> VersionedStore::open(std::shared_ptr<Backend> backend, Options options) {
  const auto view = backend->view();
  auto format = read_meta(*view, kFormatKey);
  auto head = read_meta(*view, kHeadKey);
  auto compacted = read_meta(*view, kCompactKey);
  for (const auto* each : {&format, &head, &compacted}) {
    if (!*each) return each->error();
  }
  if (!format->has_value()) {
    if (auto error =
            backend->write({{Table::meta, std::string(kFormatKey), encode_u64(kFormat)}}, Durability::synced)) {
      return *error;
    }
  } else if (**format != kFormat) {
    return Error{ErrorCode::corrupt, "the store is of format " + std::to_string(**format) + ", this program reads " +
                                         std::to_string(kFormat) + ": use the program that wrote it"};
  }
  std::unique_ptr<VersionedStore> store(
      new VersionedStore(std::move(backend), std::move(options), head->value_or(0), compacted->value_or(0)));
  if (auto error = store->load_leases()) return *error;
  store->start_upkeep();
  return store;
}

VersionedStore::VersionedStore(std::shared_ptr<Backend> backend, Options options, Revision head, Revision compacted)
    : backend_(std::move(backend)),
      options_(std::move(options)),
      progress_(std::make_shared<Progress>(head, compacted)) {}

VersionedStore::~VersionedStore() {
  if (upkeep_.joinable()) {
    upkeep_.request_stop();
    upkeep_.join();
  }
  progress_->close();
}

std::optional<Error> VersionedStore::load_leases() {
  const TimePoint now = options_.clock();
  const auto view = backend_->view();
  const auto cursor = view->cursor(Table::lease);
  for (cursor->seek({}); cursor->valid(); cursor->next()) {
    const auto record = decode_lease_record(cursor->key());
    if (!record) return damaged("a lease");
    if (record->key) {  // a lease's own record sorts before those of its keys
      leases_.attach(record->lease, *record->key);
      continue;
    }
    const auto ttl = decode_u64(cursor->value());
    if (!ttl) return damaged("a lease");
    leases_.add(record->lease, std::chrono::seconds(*ttl), now);
  }
  return cursor->error();
}

void VersionedStore::start_upkeep() {
  if (options_.upkeep != Upkeep::background) return;
  upkeep_ = std::jthread([this](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      stopped.wait_for(lock, stop, options_.upkeep_interval, [] { return false; });
      if (!stop.stop_requested()) tick();
    }
  });
}

// --- writing --------------------------------------------------------------------------------------

CommitResult VersionedStore::submit(Request& request) {
  std::unique_lock lock(queue_mutex_);
  queue_.push_back(&request);
  queue_changed_.wait(lock, [&] { return request.result || !writer_active_; });
  if (request.result) return *request.result;
  // Nobody writes and this request is still queued: its caller is the writer now, for one group.
  writer_active_ = true;
  std::deque<Request*> group;
  // Its own request first if the queue is longer than a group: everybody else is served by a later one.
  std::erase(queue_, &request);
  group.push_back(&request);
  while (!queue_.empty() && group.size() < kMaxGroup) {
    group.push_back(queue_.front());
    queue_.pop_front();
  }
  lock.unlock();
  write_group(group);
  lock.lock();
  writer_active_ = false;
  lock.unlock();
  queue_changed_.notify_all();
  return *request.result;
}

std::unique_lock<std::mutex> VersionedStore::take_turn() {
  std::lock_guard next(next_mutex_);
  return std::unique_lock(write_mutex_);
}

void VersionedStore::write_group(const std::deque<Request*>& requests) {
  const auto turn = take_turn();
  auto view = backend_->view();
  auto data = view->cursor(Table::data);
  const Revision before = progress_->head();
  Group group{before, options_.clock(), std::move(view), std::move(data)};
  std::vector<CommitResult> results;
  for (const Request* request : requests) results.push_back(failed_ ? broken() : decide(group, *request));
  if (group.head != before) group.batch.push_back({Table::meta, std::string(kHeadKey), encode_u64(group.head)});
  if (!group.batch.empty()) {
    if (auto error = backend_->write(group.batch, Durability::synced)) {
      failed_ = true;
      std::fill(results.begin(), results.end(), CommitResult(*error));
    } else {
      batches_written_.fetch_add(1, std::memory_order_relaxed);
      if (group.head != before) progress_->advance(group.head);
    }
  }
  std::lock_guard queue_lock(queue_mutex_);
  for (size_t i = 0; i < requests.size(); ++i) requests[i]->result = std::move(results[i]);
}

CommitResult VersionedStore::decide(Group& group, const Request& request) {
  std::lock_guard lock(lease_mutex_);
  if (const auto* transaction = std::get_if<const Transaction*>(&request.what)) {
    return decide_transaction(group, **transaction);
  }
  if (const auto* revoke = std::get_if<Request::Revoke>(&request.what)) return decide_revoke(group, revoke->lease);
  const auto& [lease, ttl] = std::get<Request::Grant>(request.what);
  if (leases_.size() >= kMaxLeases) {
    return Error{ErrorCode::too_many_leases, "there are " + std::to_string(kMaxLeases) + " leases already"};
  }
  leases_.add(lease, ttl, group.now);
  group.batch.push_back({Table::lease, encode_lease(lease), encode_u64(static_cast<uint64_t>(ttl.count()))});
  return group.head;
}

CommitResult VersionedStore::decide_transaction(Group& group, const Transaction& transaction) {
  for (const Compare& compare : transaction.compares) {
    auto latest = group.latest(compare.key);
    if (!latest) return latest.error();
    const Revision actual = latest->mod_revision;
    if (compare.kind == Compare::Kind::exists ? actual != 0 : actual == compare.expected) continue;
    return Error{ErrorCode::conflict, "'" + compare.key + "' was changed by somebody else", compare.key, actual};
  }
  for (const Put& put : transaction.puts) {
    if (put.lease != LeaseId::none && !leases_.alive(put.lease, group.now)) return lease_not_found(put.lease);
  }
  // Reading is done before anything is decided, so that an error leaves no half of a transaction in the batch.
  std::vector<std::string> changed;
  for (const std::string& key : transaction.deletes) {
    auto latest = group.latest(key);
    if (!latest) return latest.error();
    if (latest->mod_revision != 0) changed.push_back(key);
    group.written[key] = *latest;
  }
  for (const Put& put : transaction.puts) {
    auto latest = group.latest(put.key);
    if (!latest) return latest.error();
    group.written[put.key] = *latest;
  }
  const Revision revision = group.head + 1;
  for (const std::string& key : changed) erase(group, revision, key);
  for (const Put& each : transaction.puts) {
    put(group, revision, each);
    changed.push_back(each.key);
  }
  if (!changed.empty()) group.finish_revision(revision, std::move(changed));
  return group.head;
}

CommitResult VersionedStore::decide_revoke(Group& group, LeaseId lease) {
  if (!leases_.contains(lease)) return lease_not_found(lease);
  const auto attached = leases_.keys(lease);
  for (const std::string& key : attached) {
    auto latest = group.latest(key);
    if (!latest) return latest.error();
    group.written[key] = *latest;
  }
  const Revision revision = group.head + 1;
  for (const std::string& key : attached) erase(group, revision, key);
  if (!attached.empty()) group.finish_revision(revision, {attached.begin(), attached.end()});
  group.batch.push_back({Table::lease, encode_lease(lease), std::nullopt});
  leases_.remove(lease);
  return group.head;
}

void VersionedStore::put(Group& group, Revision revision, const Put& put) {
  auto& latest = group.written[put.key];
  change_lease(group, put.key, latest.lease, put.lease);
  latest = {revision, put.lease};
  group.batch.push_back(
      {Table::data, encode_version(put.key, revision), encode_content({false, put.lease, put.value})});
}

void VersionedStore::erase(Group& group, Revision revision, const std::string& key) {
  auto& latest = group.written[key];
  change_lease(group, key, latest.lease, LeaseId::none);
  latest = {};
  group.batch.push_back({Table::data, encode_version(key, revision), encode_content({true, LeaseId::none, {}})});
}

void VersionedStore::change_lease(Group& group, const std::string& key, LeaseId from, LeaseId to) {
  if (from == to) return;
  if (from != LeaseId::none) {
    leases_.detach(from, key);
    group.batch.push_back({Table::lease, encode_attachment(from, key), std::nullopt});
  }
  if (to != LeaseId::none) {
    leases_.attach(to, key);
    group.batch.push_back({Table::lease, encode_attachment(to, key), std::string()});
  }
}

CommitResult VersionedStore::commit(const Transaction& transaction) {
  if (auto error = validate(transaction)) return *error;
  Request request{&transaction, std::nullopt};
  return submit(request);
}

// --- leases ---------------------------------------------------------------------------------------

Result<LeaseId> VersionedStore::grant(std::chrono::seconds ttl) {
  if (ttl.count() < 1) return Error{ErrorCode::invalid, "a lease lasts a second at least"};
  const LeaseId lease = random_lease();
  Request request{Request::Grant{lease, ttl}, std::nullopt};
  const CommitResult result = submit(request);
  if (!result) return result.error();
  return lease;
}

Status VersionedStore::keep_alive(LeaseId lease) {
  std::lock_guard lock(lease_mutex_);
  if (!leases_.keep_alive(lease, options_.clock())) return lease_not_found(lease);
  return std::monostate{};
}

CommitResult VersionedStore::revoke(LeaseId lease) {
  Request request{Request::Revoke{lease}, std::nullopt};
  return submit(request);
}

void VersionedStore::tick() {
  std::vector<LeaseId> ended;
  {
    std::lock_guard lock(lease_mutex_);
    ended = leases_.ended(options_.clock());
  }
  // An error here is the store's state, which every caller of commit is told.
  for (const LeaseId lease : ended) (void)revoke(lease);
  const Revision head = revision();
  const Revision kept = options_.retained_revisions;
  if (head > kept && head - kept > compacted_revision() + kept / 10) (void)compact(head - kept);
}

// --- reading --------------------------------------------------------------------------------------

Result<GetResult> VersionedStore::get(std::string_view key) {
  const auto view = backend_->view();
  GetResult result;
  auto head = read_meta(*view, kHeadKey);
  if (!head) return head.error();
  result.revision = head->value_or(0);
  auto entry = read_entry(*view->cursor(Table::data), key, result.revision);
  if (!entry) return entry.error();
  result.entry = std::move(*entry);
  return result;
}

Result<RangePage> VersionedStore::range(const RangeRequest& request) {
  if (auto error = validate(request)) return *error;
  const auto view = backend_->view();
  auto head = read_meta(*view, kHeadKey);
  auto compacted = read_meta(*view, kCompactKey);
  if (!head || !compacted) return !head ? head.error() : compacted.error();
  RangePage page;
  page.revision = request.at != 0 ? request.at : head->value_or(0);
  if (page.revision > head->value_or(0)) {
    return Error{ErrorCode::future_revision, "revision " + std::to_string(request.at) + " does not exist yet"};
  }
  if (page.revision < compacted->value_or(0)) {
    return Error{ErrorCode::compacted,
                 "revision " + std::to_string(request.at) + " is no longer kept",
                 {},
                 compacted->value_or(0)};
  }
  const auto data = view->cursor(Table::data);
  const std::string front = encode_prefix(request.prefix);
  data->seek(request.after.empty() ? front : behind_key(request.after));
  while (data->valid() && data->key().starts_with(front)) {
    const auto version = decode_version(data->key());
    if (!version) return damaged("a key");
    const bool later = version->revision > page.revision;
    auto entry = later ? read_entry(*data, version->key, page.revision) : entry_here(*data, *version);
    if (!entry) return entry.error();
    if (entry->has_value()) {
      if (page.entries.size() == request.limit) {
        page.more = true;
        break;
      }
      page.entries.push_back(std::move(**entry));
    }
    pass_key(*data, version->key);
  }
  if (auto error = data->error()) return *error;
  return page;
}

std::unique_ptr<Watch> VersionedStore::watch(Revision from, std::string prefix, WatchCallback callback) {
  return std::make_unique<Watcher>(backend_, progress_, from, std::move(prefix), std::move(callback));
}

// --- compaction -----------------------------------------------------------------------------------

Status VersionedStore::compact(Revision revision) {
  std::lock_guard lock(compact_mutex_);
  if (revision > this->revision()) {
    return Error{ErrorCode::future_revision, "revision " + std::to_string(revision) + " does not exist yet"};
  }
  if (revision <= compacted_revision()) return std::monostate{};
  if (failed_) return broken();
  {
    // The mark first: from now on nobody starts to read what goes, and a crash in between is finished next time.
    const auto turn = take_turn();
    progress_->compact(revision);
    const BackendBatch mark = {{Table::meta, std::string(kCompactKey), encode_u64(revision)}};
    if (auto error = backend_->write(mark, Durability::synced)) {
      failed_ = true;
      return *error;
    }
  }
  for (bool finished = false; !finished;) {
    if (auto error = compact_chunk(revision, finished)) return *error;
  }
  return std::monostate{};
}

std::optional<Error> VersionedStore::compact_chunk(Revision revision, bool& finished) {
  const auto view = backend_->view();
  const auto log = view->cursor(Table::log);
  const auto data = view->cursor(Table::data);
  BackendBatch batch;
  Revision records = 0;
  Revision trimmed = trimmed_;
  // A key that changes all the time is in most records: its versions go once.
  std::unordered_set<std::string> done;
  for (log->seek(encode_u64(trimmed + 1)); log->valid() && records < kRevisionsPerChunk; log->next(), ++records) {
    const auto at = decode_u64(log->key());
    const auto keys = decode_log(log->value());
    if (!at || !keys) return damaged("a log record");
    if (*at > revision) break;
    for (const std::string& key : *keys) {
      if (!done.insert(key).second) continue;
      if (auto error = drop_old_versions(*data, key, revision, batch)) return error;
    }
    batch.push_back({Table::log, std::string(log->key()), std::nullopt});
    trimmed = *at;
  }
  if (auto error = log->error()) return error;
  if (auto error = drop(batch)) return error;
  trimmed_ = trimmed;
  finished = records < kRevisionsPerChunk;
  return std::nullopt;
}

// In pieces, and in order: a log record goes behind what it names, so the next compaction finds what a crash leaves.
std::optional<Error> VersionedStore::drop(const BackendBatch& batch) {
  for (size_t first = 0; first < batch.size(); first += kDropsPerBatch) {
    const auto from = batch.begin() + static_cast<ptrdiff_t>(first);
    const auto to = from + static_cast<ptrdiff_t>(std::min(kDropsPerBatch, batch.size() - first));
    const auto turn = take_turn();
    if (auto error = backend_->write({from, to}, Durability::relaxed)) {
      failed_ = true;
      return error;
    }
  }
  return std::nullopt;
}

// All versions up to `revision` but the newest of them, and that too if it is a deletion: last, for without it the ones
// before would be there again.
std::optional<Error> VersionedStore::drop_old_versions(Cursor& data, const std::string& key, Revision revision,
                                                       BackendBatch& batch) {
  const std::string front = encode_key(key);
  std::optional<std::string> deletion;
  data.seek(encode_version(key, revision));
  if (data.valid() && data.key().starts_with(front)) {
    const auto newest = decode_content(data.value());
    if (!newest) return damaged("a value");
    if (newest->deleted) deletion = data.key();
    for (data.next(); data.valid() && data.key().starts_with(front); data.next()) {
      batch.push_back({Table::data, std::string(data.key()), std::nullopt});
    }
  }
  if (auto error = data.error()) return error;
  if (deletion) batch.push_back({Table::data, std::move(*deletion), std::nullopt});
  return std::nullopt;
}

}  // namespace viaduct::topology::store
