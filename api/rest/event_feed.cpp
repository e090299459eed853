#include "api/rest/event_feed.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace viaduct::api::rest {
namespace {

constexpr std::chrono::seconds kTick{1};
constexpr std::chrono::milliseconds kPatience{2'000};  // for what documents say of hosts

std::string put_in(std::string text, const std::string& placeholder, const std::string& base) {
  for (size_t at = text.find(placeholder); at != text.npos; at = text.find(placeholder, at + base.size())) {
    text.replace(at, placeholder.size(), base);
  }
  return text;
}

std::string reset_text(uint64_t revision, std::string_view reason) {
  return "event: reset\nid: " + std::to_string(revision) + "\ndata: " +
         Json({{"revision", revision}, {"reason", "changes in between are not known: " + std::string(reason)}}).dump() +
         "\n\n";
}

}  // namespace

// One watcher's place among the events. All of it is the feed's, behind its mutex, but for `closed`.
class EventFeed::Watch final : public BodyStream {
 public:
  Watch(EventFeed& feed, WatchFilter filter, std::string base)
      : feed_(feed), filter_(std::move(filter)), base_(std::move(base)) {}
  ~Watch() override { Watch::close(); }

  size_t read(char* to, size_t most) override {
    std::lock_guard lock(feed_.mutex_);
    if (sent_ == text_.size()) make_text();
    const size_t size = std::min(most, text_.size() - sent_);
    std::memcpy(to, text_.data() + sent_, size);
    sent_ += size;
    return size;
  }
  bool ended() const override {
    std::lock_guard lock(feed_.mutex_);
    return over();
  }
  void await(std::function<void()> wake) override {
    {
      std::lock_guard lock(feed_.mutex_);
      if (!ready()) {
        wake_ = std::move(wake);
        return;
      }
    }
    wake();
  }
  void close() override {
    std::function<void()> wake;
    {
      std::lock_guard lock(feed_.mutex_);
      if (!std::exchange(closed_, true)) feed_.leave(this);
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake();
  }

  // --- with the feed's mutex ---

  void begin_at(uint64_t next, std::string greeting) {
    next_ = next;
    text_ = std::move(greeting);
    sent_ = 0;
    begun_ = beaten_ = feed_.options_.now();
  }
  bool over() const { return ends() && sent_ == text_.size(); }
  bool ready() { return sent_ < text_.size() || ends() || missed() || beats() || has_next(); }
  std::function<void()> take_wake() { return std::exchange(wake_, nullptr); }

 private:
  bool ends() const { return closed_ || feed_.finished_ || feed_.options_.now() - begun_ >= feed_.options_.lifetime; }
  bool missed() const { return next_ < feed_.first_; }
  bool beats() const { return feed_.options_.now() - beaten_ >= feed_.options_.heartbeat; }
  // Leaves behind what the filter does not pass.
  bool has_next() {
    while (next_ - feed_.first_ < feed_.events_.size()) {
      if (filter_.passes(*feed_.events_[next_ - feed_.first_])) return true;
      ++next_;
    }
    return false;
  }
  void make_text() {
    text_.clear();
    sent_ = 0;
    if (ends()) return;
    if (missed()) {
      next_ = feed_.first_ + feed_.events_.size();
      text_ = reset_text(feed_.revision_, "they came too fast, or were read too slowly");
      if (feed_.probe_.reset) feed_.probe_.reset("slow");
    }
    if (text_.empty() && has_next()) {
      const Event& event = *feed_.events_[next_++ - feed_.first_];
      text_ = put_in(event.text, feed_.placeholder_, base_);
      if (event.is_last) text_ += "id: " + std::to_string(event.revision) + "\n";
      text_ += "\n";
    }
    // With where it is: a watcher of a few things would otherwise resume from long ago.
    if (text_.empty() && beats()) text_ = ":\nid: " + std::to_string(feed_.revision_) + "\n\n";
    if (!text_.empty()) beaten_ = feed_.options_.now();
  }

  EventFeed& feed_;
  const WatchFilter filter_;
  const std::string base_;
  uint64_t next_ = 0;  // number of the event that it reads next
  std::string text_;   // that is being sent
  size_t sent_ = 0;
  Time begun_ = {}, beaten_ = {};
  std::function<void()> wake_;
  bool closed_ = false;
};

EventFeed::EventFeed(Connect connect, EventOptions options, EventProbe probe)
    : connect_(std::move(connect)),
      options_(std::move(options)),
      probe_(std::move(probe)),
      placeholder_("http://" + Uuid::random().to_string() + "/"),
      last_watched_(options_.now() - options_.keep),
      thread_([this] { run(); }) {}

EventFeed::~EventFeed() { finish(); }

uint64_t EventFeed::revision() {
  std::lock_guard lock(mutex_);
  return revision_;
}

void EventFeed::finish() {
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EventFeed::changed(std::shared_ptr<const topology::Snapshot> snapshot,
                        std::shared_ptr<const topology::Delta> delta) {
  {
    std::lock_guard lock(mutex_);
    if (pending_.size() >= options_.most_pending) {
      lost_ = true;
      pending_.clear();
    }
    pending_.push_back({std::move(snapshot), std::move(delta)});
  }
  news_.notify_all();
}

Result<std::shared_ptr<BodyStream>> EventFeed::watch(WatchFilter filter, std::string base,
                                                     std::optional<uint64_t> resume_from) {
  auto made = std::make_shared<Watch>(*this, std::move(filter), std::move(base));
  {
    std::lock_guard lock(mutex_);
    if (finished_ || watches_.size() >= options_.most_watchers) {
      if (!finished_ && probe_.refused) probe_.refused();
      return Failure{ExitCode::unreachable,
                     "unavailable",
                     finished_ ? "the daemon is stopping"
                               : std::to_string(options_.most_watchers) + " watch already, which is the most",
                     "try again in a moment",
                     {}};
    }
    uint64_t next = first_ + events_.size();
    std::string greeting = "retry: 2000\n";
    const bool known = !resume_from || (*resume_from >= horizon_ && *resume_from <= revision_);
    if (!known) {
      greeting += reset_text(revision_, "the last one that was read is too old, or of another history");
      if (probe_.reset) probe_.reset("unknown");
    } else if (resume_from) {
      auto at = std::ranges::find_if(events_, [&](const auto& event) { return event->revision > *resume_from; });
      next = first_ + static_cast<uint64_t>(at - events_.begin());
      greeting += "id: " + std::to_string(*resume_from) + "\n\n";
    } else {
      greeting += "id: " + std::to_string(revision_) + "\n\n";
    }
    made->begin_at(next, std::move(greeting));
    watches_.push_back(made.get());
    last_watched_ = options_.now();
    if (probe_.watching) probe_.watching(watches_.size());
  }
  return std::shared_ptr<BodyStream>(std::move(made));
}

void EventFeed::leave(const Watch* watch) {
  std::erase(watches_, watch);
  last_watched_ = options_.now();
  if (probe_.watching) probe_.watching(watches_.size());
}

void EventFeed::forget_all() {
  first_ += events_.size();
  events_.clear();
  bytes_ = 0;
  horizon_ = revision_;
}

void EventFeed::append(std::vector<Event> events, uint64_t revision) {
  revision_ = revision;
  for (Event& event : events) {
    bytes_ += event.text.size();
    events_.push_back(std::make_shared<const Event>(std::move(event)));
  }
  trim();
}

void EventFeed::trim() {
  while (events_.size() > options_.most_events || bytes_ > options_.most_bytes) {
    bytes_ -= events_.front()->text.size();
    horizon_ = std::max(horizon_, events_.front()->revision);
    events_.pop_front();
    ++first_;
  }
}

EventFeed::Wakes EventFeed::wakes_of_waiting() {
  Wakes out;
  for (Watch* each : watches_) {
    if (!finished_ && !each->ready()) continue;
    if (auto wake = each->take_wake()) out.push_back(std::move(wake));
  }
  return out;
}

// A defect of ours costs the events of this commit, and not the daemon.
std::optional<std::vector<Event>> EventFeed::make(const Pending& commit) const {
  try {
    auto client = connect_(kPatience);
    return events_of(*commit.snapshot, *commit.delta, client ? client->get() : nullptr, placeholder_);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void EventFeed::take(const Pending& commit, std::unique_lock<std::mutex>& lock) {
  if (commit.delta == nullptr && !lost_ && commit.snapshot->revision() == revision_) return;
  bool unbroken = commit.delta != nullptr && !std::exchange(lost_, false);
  const bool watched = !watches_.empty() || options_.now() - last_watched_ < options_.keep;
  if (unbroken && watched) {
    lock.unlock();
    auto events = make(commit);
    lock.lock();
    if (events) return append(std::move(*events), commit.snapshot->revision());
    unbroken = false;
  }
  revision_ = commit.snapshot->revision();
  forget_all();
  if (unbroken) return;
  ++first_;  // whoever had read all has missed something, too
  if (commit.delta != nullptr && probe_.reset) probe_.reset("burst");
}

void EventFeed::run() {
  std::unique_lock lock(mutex_);
  bool more = true;
  while (more) {
    news_.wait_for(lock, kTick, [this] { return finished_ || !pending_.empty(); });
    while (!finished_ && !pending_.empty()) {
      const Pending commit = std::move(pending_.front());
      pending_.pop_front();
      take(commit, lock);
    }
    more = !finished_;
    const Wakes wakes = wakes_of_waiting();
    lock.unlock();
    for (const auto& wake : wakes) wake();
    lock.lock();
  }
}

}  // namespace viaduct::api::rest
