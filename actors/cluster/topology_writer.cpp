#include "actors/cluster/topology_writer.hpp"

#include "topology/codec.hpp"

namespace viaduct::actors {

namespace store = topology::store;
using topology::Snapshot;

namespace {

constexpr std::chrono::seconds kFollowPatience{10};
constexpr std::chrono::seconds kAwaitPatience{1};  // agents come by hundreds
constexpr std::chrono::seconds kWatchPause{1};
constexpr std::chrono::seconds kHistoryPatience{5};

store::Transaction transaction_for(const topology::Delta& delta, uint64_t head, const topology::Cause& cause) {
  store::Transaction out;
  out.compares.push_back(store::Compare::unchanged(std::string(kTopologyHeadKey), head));
  out.puts.push_back({std::string(kTopologyHeadKey), store::to_value(topology::encode_cause(cause).bytes)});
  for (const auto& [ref, change] : delta.changes) {
    std::string key = topology::key_of(ref);
    if (change.after == nullptr) {
      out.deletes.push_back(std::move(key));
      continue;
    }
    topology::Object object = *change.after;
    std::visit([](auto& value) { value.revision = 0; }, object);  // the key's is the one that counts
    out.puts.push_back({std::move(key), store::to_value(topology::encode_object(object).bytes)});
  }
  return out;
}

}  // namespace

TopologyWriter::TopologyWriter(store::Store& store, std::function<void()> wake, OnStep on_step, size_t history,
                               std::chrono::milliseconds patience)
    : store_(store),
      history_(history),
      patience_(patience),
      on_step_(std::move(on_step)),
      view_(history),
      queue_(std::move(wake)) {}

TopologyWriter::~TopologyWriter() {
  queue_.close();
  watch_.reset();
}

// The watch begins in the past: what was deleted lately concerns agents that were away. It is read while the present is.
std::optional<std::string> TopologyWriter::load() {
  const auto head = store_.get(kTopologyHeadKey);
  if (!head) return head.error().text;
  const uint64_t from =
      std::max(store_.compacted_revision(), head->revision > history_ ? head->revision - history_ : 0);
  watch_from_ = from + 1;
  ensure_watch();
  if (auto wrong = view_.load(store_)) return wrong;
  view_.expect_history_from(from);
  history_due_ = std::chrono::steady_clock::now() + kHistoryPatience;
  return std::nullopt;
}

CommitReply TopologyWriter::commit(const CommitTransaction& request) {
  CommitReply reply;
  const auto deadline = std::chrono::steady_clock::now() + patience_;
  do {
    follow();
    auto built = topology::build(*snapshot(), request.operations, view_.revision() + 1);
    if (!built.ok()) {
      reply.status = CommitReply::Status::refused;
      reply.violations = std::move(built.violations);
      return reply;
    }
    uint64_t revision = snapshot()->revision();
    bool writes = !request.dry_run && !built.delta.empty();
    if (auto error = writes ? write(built, request.cause, revision) : std::nullopt) {
      reply.error = error->text;
      if (error->code == store::ErrorCode::conflict && follow_until(error->revision, kFollowPatience)) continue;
      return reply;
    }
    // What the caller reads next must hold what it has just written.
    if (writes && !follow_until(revision, kFollowPatience)) {
      reply.error = "committed as revision " + std::to_string(revision) + ", but the store's watch does not say so";
      return reply;
    }
    reply.status = CommitReply::Status::committed;
    reply.revision = request.dry_run ? 0 : revision;
    reply.changes = std::move(built.changes);
    reply.ids = std::move(built.ids);
    return reply;
  } while (std::chrono::steady_clock::now() < deadline);
  reply.error = "other nodes of the cluster commit so fast that this one found no gap in " +
                std::to_string(patience_.count()) + " ms; try again";
  return reply;
}

std::optional<store::Error> TopologyWriter::write(const topology::BuildResult& built, const topology::Cause& cause,
                                                  uint64_t& revision) {
  auto committed = store_.commit(transaction_for(built.delta, view_.head(), cause));
  if (!committed) return committed.error();
  revision = *committed;
  return std::nullopt;
}

void TopologyWriter::ensure_watch() {
  if (watch_ != nullptr || std::chrono::steady_clock::now() < next_watch_) return;
  watch_ = store_.watch(watch_from_, "", [this](store::WatchMessage message) { queue_.push(std::move(message)); });
}

void TopologyWriter::follow() {
  ensure_watch();
  while (auto item = queue_.take()) take(*item);
}

void TopologyWriter::await_history() {
  while (view_.awaits_history()) {
    ensure_watch();
    auto left = std::chrono::ceil<std::chrono::milliseconds>(history_due_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    if (auto item = queue_.take(left)) take(*item);
  }
}

void TopologyWriter::await(uint64_t revision) {
  if (revision <= view_.revision()) return;
  const auto head = store_.get(kTopologyHeadKey);
  if (head && head->revision >= revision) follow_until(revision, kAwaitPatience);
}

bool TopologyWriter::follow_until(uint64_t revision, std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (view_.revision() < revision) {
    ensure_watch();
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    if (auto item = queue_.take(left)) take(*item);
  }
  return true;
}

void TopologyWriter::take(const WatchQueue::Item& item) {
  if (const auto* batch = std::get_if<store::WatchBatch>(&item.message)) {
    NsdbView::Step step = view_.follow(*batch, item.at);
    if (step.delta != nullptr) on_step_(step);
  } else if (const auto* gone = std::get_if<store::Compacted>(&item.message)) {
    if (gone->compact_revision > view_.revision()) return resynchronise();
    view_.expect_history_from(gone->compact_revision);
    restart_watch(gone->compact_revision + 1);
  } else {
    end_watch(std::get<store::Error>(item.message).text);
  }
}

// What happened meanwhile cannot be told any more: everything is read again, and the difference is the change.
void TopologyWriter::resynchronise() {
  SnapshotPtr before = snapshot();
  if (auto wrong = view_.load(store_)) return end_watch(*wrong);
  restart_watch(view_.revision() + 1);
  NsdbView::Step step;
  step.snapshot = snapshot();
  step.at = std::chrono::system_clock::now();
  step.delta = std::make_shared<const topology::Delta>(topology::Delta::between(*before, *snapshot()));
  step.resynchronised = true;
  on_step_(step);
}

void TopologyWriter::restart_watch(uint64_t from) {
  watch_.reset();
  watch_from_ = from;
}

void TopologyWriter::end_watch(std::string why) {
  watch_error_ = std::move(why);
  restart_watch(view_.revision() + 1);
  next_watch_ = std::chrono::steady_clock::now() + kWatchPause;
}

std::optional<std::string> TopologyWriter::watch_error() { return std::exchange(watch_error_, std::nullopt); }

}  // namespace viaduct::actors
