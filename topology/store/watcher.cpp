#include "topology/store/watcher.hpp"

#include <algorithm>
#include <utility>

#include "topology/store/record.hpp"

namespace viaduct::topology::store {
namespace {

constexpr Revision kRevisionsPerView = 64;  // a view held for long keeps the backend from cleaning up

Result<WatchBatch> read_batch(Cursor& log, Cursor& data, Revision revision, const std::string& prefix) {
  auto keys = read_log(log, revision);
  if (!keys) return keys.error();
  WatchBatch batch{revision, {}};
  for (const std::string& key : *keys) {
    if (!key.starts_with(prefix)) continue;
    auto entry = read_entry(data, key, revision);
    if (!entry) return entry.error();
    if (entry->has_value()) {
      batch.events.push_back({WatchEvent::Kind::put, std::move(**entry)});
    } else {
      batch.events.push_back({WatchEvent::Kind::deleted, {key, {}, revision, LeaseId::none}});
    }
  }
  return batch;
}

}  // namespace

Revision Progress::head() const {
  std::lock_guard lock(mutex_);
  return head_;
}

Revision Progress::compacted() const {
  std::lock_guard lock(mutex_);
  return compacted_;
}

void Progress::advance(Revision head) {
  {
    std::lock_guard lock(mutex_);
    head_ = head;
  }
  changed_.notify_all();
}

void Progress::compact(Revision revision) {
  std::lock_guard lock(mutex_);
  compacted_ = revision;
}

void Progress::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

bool Progress::wait_for(Revision wanted, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return closed_ || head_ >= wanted; });
  return !closed_ && !stop.stop_requested();
}

Watcher::Watcher(std::shared_ptr<const Backend> backend, std::shared_ptr<Progress> progress, Revision from,
                 std::string prefix, WatchCallback callback)
    : backend_(std::move(backend)),
      progress_(std::move(progress)),
      prefix_(std::move(prefix)),
      callback_(std::move(callback)),
      next_(from != 0 ? from : progress_->head() + 1),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Watcher::run(const std::stop_token& stop) {
  // The first round does not wait: a compacted start is told at once.
  while (deliver_some(stop)) {
    if (!progress_->wait_for(next_, stop)) return;
  }
}

bool Watcher::end(WatchMessage reason) {
  callback_(std::move(reason));
  return false;
}

bool Watcher::deliver_some(const std::stop_token& stop) {
  const Revision last = std::min(progress_->head(), next_ + kRevisionsPerView - 1);
  const auto view = backend_->view();
  // The mark moves before records go: what this view lacks is below it.
  if (const Revision compacted = progress_->compacted(); next_ <= compacted) return end(Compacted{compacted});
  const auto log = view->cursor(Table::log);
  const auto data = view->cursor(Table::data);
  for (; next_ <= last; ++next_) {
    if (stop.stop_requested()) return false;
    auto batch = read_batch(*log, *data, next_, prefix_);
    if (!batch) return end(batch.error());
    if (!batch->events.empty()) callback_(std::move(*batch));
  }
  return true;
}

}  // namespace viaduct::topology::store
