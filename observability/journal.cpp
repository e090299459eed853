#include "observability/journal.hpp"

#include <algorithm>

namespace viaduct::observability {
namespace {

std::string cut(std::string_view text) { return std::string(text.substr(0, Journal::kMaxText)); }

void bound(Event& event) {
  for (std::string* text : {&event.kind, &event.level, &event.message}) {
    if (text->size() > Journal::kMaxText) text->resize(Journal::kMaxText);
  }
  if (event.fields.size() > Journal::kMaxFields) event.fields.resize(Journal::kMaxFields);
  for (auto& [key, value] : event.fields) {
    if (key.size() > Journal::kMaxText) key.resize(Journal::kMaxText);
    if (value.size() > Journal::kMaxText) value.resize(Journal::kMaxText);
  }
}

// "port" fits "port.active", and "port.active" itself.
bool is_of(const std::string& kind, const std::string& wanted) {
  return kind.starts_with(wanted) && (kind.size() == wanted.size() || kind[wanted.size()] == '.');
}

bool has_value(const Event& event, const std::string& value) {
  return event.host == value ||
         std::ranges::any_of(event.fields, [&](const auto& each) { return each.second == value; });
}

bool fits(const Event& event, const EventFilter& filter) {
  if (event.at < filter.since) return false;
  const bool kind = filter.kinds.empty() ||
                    std::ranges::any_of(filter.kinds, [&](const auto& each) { return is_of(event.kind, each); });
  return kind && std::ranges::all_of(filter.values, [&](const auto& each) { return has_value(event, each); });
}

size_t bytes_of(const Event& event) {
  size_t out = sizeof(Event) + event.kind.size() + event.level.size() + event.host.size() + event.message.size();
  for (const auto& [key, value] : event.fields) out += sizeof(event.fields[0]) + key.size() + value.size();
  return out;
}

Counter& forgotten(Registry& registry, const char* ring) {
  return registry.counter("viaduct_events_forgotten_total",
                          "Events that are no longer in the journal, as newer ones took their room.", {{"ring", ring}});
}

bool tells_of_change(const Event& event) { return is_of(event.kind, "topology"); }

}  // namespace

Journal::Journal(std::string host, Registry& registry, JournalOptions options)
    : host_(std::move(host)),
      options_(std::move(options)),
      received_(registry.counter("viaduct_events_received_total", "Events that agents have told this cluster node.")),
      repeated_(
          registry.counter("viaduct_events_repeated_total",
                           "Events of agents that were passed over, as the node had theirs up to a later one: told "
                           "twice, or their host's clock was set back.")),
      untold_(registry.counter("viaduct_events_untold_total",
                               "Events of this agent that fell out of its journal before its cluster node had them.")),
      changes_{options_.most_changes, forgotten(registry, "changes")},
      others_{options_.most_others, forgotten(registry, "others")} {
  for (size_t i = 0; i < kEventKinds; ++i) {
    counters_.push_back(&registry.counter("viaduct_events_total", "Events of this daemon, by kind.",
                                          {{"kind", std::string(to_string(static_cast<EventKind>(i)))}}));
  }
}

// Ids are microseconds where that is possible, so that they ascend over restarts, too.
void Journal::append(Event event, bool change) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(options_.now().time_since_epoch()).count();
  last_id_ = std::max(last_id_ + 1, static_cast<uint64_t>(std::max<int64_t>(now, 0)));
  event.id = last_id_;
  if (event.origin == 0) event.origin = last_id_;
  Ring& ring = change ? changes_ : others_;
  ring.bytes += bytes_of(event);
  ring.events.push_back(std::move(event));
  const uint64_t told = !told_ ? last_id_ : change ? told_->changes : told_->others;
  while (ring.events.size() > ring.most || ring.bytes > options_.most_bytes) forget_oldest(ring, told);
}

void Journal::forget_oldest(Ring& ring, uint64_t told) {
  const Event& oldest = ring.events.front();
  ring.bytes -= bytes_of(oldest);
  ring.forgotten.add();
  if (oldest.id == oldest.origin && oldest.id > told) untold_.add();
  ring.events.pop_front();
}

void Journal::told(const Position& position) {
  std::lock_guard lock(mutex_);
  told_ = position;
}

void Journal::record(log::Level level, EventKind kind, std::string_view message, log::Fields fields) {
  counters_[static_cast<size_t>(kind)]->add();
  Event event;
  event.at = options_.now();
  event.kind = to_string(kind);
  event.level = log::to_string(level);
  event.host = host_;
  event.message = cut(message);
  for (const log::Field& field : fields) event.fields.emplace_back(field.key, cut(field.value.text()));
  std::lock_guard lock(mutex_);
  append(std::move(event), is_change(kind));
}

void Journal::take(const std::string& host, std::vector<Event> events) {
  std::lock_guard lock(mutex_);
  if (heard_.size() >= kMaxHosts && !heard_.contains(host)) heard_.erase(heard_.begin());
  Position& heard = heard_[host];
  for (Event& event : events) {
    const bool change = tells_of_change(event);
    uint64_t& last = change ? heard.changes : heard.others;
    if (event.origin <= last) {
      repeated_.add();
      continue;
    }
    last = event.origin;
    bound(event);
    event.host = host;
    received_.add();
    append(std::move(event), change);
  }
}

Journal::Places Journal::behind(const Ring& ring, uint64_t id) {
  return std::ranges::upper_bound(ring.events, id, {}, &Event::id);
}

EventPage Journal::read(const EventFilter& filter) const {
  std::deque<Event> found;
  size_t bytes = 0;
  EventPage page;
  std::lock_guard lock(mutex_);
  page.next = std::max(filter.after, last_id_);
  // Both rings are in the order of their ids.
  auto change = behind(changes_, filter.after), other = behind(others_, filter.after);
  while (change != changes_.events.end() || other != others_.events.end()) {
    const bool is_change = other == others_.events.end() || (change != changes_.events.end() && change->id < other->id);
    const Event& event = is_change ? *change++ : *other++;
    if (!fits(event, filter)) continue;
    bytes += bytes_of(event);
    if (found.size() == filter.limit || bytes > kPageBytes) {
      page.more = true;
      if (filter.after != 0 || found.empty()) {
        page.next = found.empty() ? filter.after : found.back().id;
        break;
      }
      while (!found.empty() && (found.size() == filter.limit || bytes > kPageBytes)) {
        bytes -= bytes_of(found.front());
        found.pop_front();
      }
    }
    found.push_back(event);
  }
  page.events.assign(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  return page;
}

std::vector<Event> Journal::beyond(Position& position, size_t limit) const {
  std::vector<Event> out;
  std::lock_guard lock(mutex_);
  const auto take = [&](const Ring& ring, uint64_t& from) {
    for (auto at = behind(ring, from); at != ring.events.end() && out.size() < limit; ++at) {
      from = at->id;
      if (at->id == at->origin) out.push_back(*at);
    }
  };
  take(others_, position.others);
  take(changes_, position.changes);
  return out;
}

Journal::Position Journal::before_newest(size_t count) const {
  std::lock_guard lock(mutex_);
  const auto before = [&](const Ring& ring) {
    return ring.events.size() <= count ? 0 : ring.events[ring.events.size() - count - 1].id;
  };
  return {before(changes_), before(others_)};
}

}  // namespace viaduct::observability
