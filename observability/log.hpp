// Structured logging: one record is one line of key=value pairs on stderr, whatever the values hold.
//
//   log::info(log::Component::store, "opened", {{"path", path}, {"revision", revision}});
//   ts=2026-11-21T12:00:00.123Z level=info component=store msg="opened" path=/var/lib/viaduct revision=17
//
// Values are escaped: quotes, backslashes, control characters and everything outside printable ASCII appear as C
// escapes, so a hostile name can neither start a record of its own nor drive the terminal. Values are cut at
// kMaxValueBytes.
//
// Levels are held per component and may be changed at any time from any thread. A record below its component's level
// costs one relaxed load; fields hold views and numbers, so building them allocates nothing.
//
// This is the one piece of process-wide state: the process has one stderr. Everything here may be called by any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "observability/event.hpp"

namespace viaduct::observability::log {

enum class Level : uint8_t { trace, debug, info, warning, error, off };

// Who speaks. Add one here and in log.cpp's table of names.
enum class Component : uint8_t {
  daemon,
  supervisor,
  store,
  topology,
  mirror,
  device,
  simulation,
  worker,
  flows,
  datapath,
  routing,
  admin,
  metrics,
  cli,
  count_,
};
inline constexpr size_t kComponents = static_cast<size_t>(Component::count_);
inline constexpr size_t kMaxValueBytes = 1024;

std::string_view to_string(Level level);
std::string_view to_string(Component component);
std::optional<Level> parse_level(std::string_view text);
std::optional<Component> parse_component(std::string_view text);

Level level(Component component);
void set_level(Component component, Level level);
void set_level(Level level);  // of every component
// "info" or "warning,datapath=debug,store=trace", left to right. What is wrong with it, or nothing; on an error nothing
// changes.
std::optional<std::string> set_levels(std::string_view specification);
// The same, and changes nothing.
std::optional<std::string> check_levels(std::string_view specification);

// A number, a truth value, a duration (printed in seconds) or text, which must outlive the call.
class Value {
 public:
  Value(bool value) : content_(value) {}
  template <std::signed_integral T>
  Value(T value) : content_(static_cast<int64_t>(value)) {}
  template <std::unsigned_integral T>
  Value(T value) : content_(static_cast<uint64_t>(value)) {}
  template <std::floating_point T>
  Value(T value) : content_(static_cast<double>(value)) {}
  template <class Rep, class Period>
  Value(std::chrono::duration<Rep, Period> value) : content_(std::chrono::duration<double>(value).count()) {}
  Value(std::string_view text) : content_(text) {}
  Value(const std::string& text) : content_(std::string_view(text)) {}
  Value(const char* text) : content_(std::string_view(text)) {}

  void append_to(std::string& line) const;
  std::string text() const;  // as it is: not escaped, not cut

 private:
  std::variant<bool, int64_t, uint64_t, double, std::string_view> content_;
};

struct Field {
  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

namespace internal {
extern constinit std::array<std::atomic<Level>, kComponents> levels;
}

inline bool enabled(Component component, Level level) {
  return level >= internal::levels[static_cast<size_t>(component)].load(std::memory_order_relaxed);
}

void write(Component component, Level level, std::string_view message, Fields fields);

inline void log(Component component, Level level, std::string_view message, Fields fields = {}) {
  if (enabled(component, level)) write(component, level, message, fields);
}
inline void trace(Component component, std::string_view message, Fields fields = {}) {
  log(component, Level::trace, message, fields);
}
inline void debug(Component component, std::string_view message, Fields fields = {}) {
  log(component, Level::debug, message, fields);
}
inline void info(Component component, std::string_view message, Fields fields = {}) {
  log(component, Level::info, message, fields);
}
inline void warning(Component component, std::string_view message, Fields fields = {}) {
  log(component, Level::warning, message, fields);
}
inline void error(Component component, std::string_view message, Fields fields = {}) {
  log(component, Level::error, message, fields);
}

// Lets one record through an interval and counts the others. One object a call site or a cause, kept by whoever logs.
class RateLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  explicit RateLimit(std::chrono::nanoseconds interval = std::chrono::seconds(1)) : interval_(interval) {}

  // How many were held back since the last that passed, if this one may pass; nothing if it is held back.
  std::optional<uint64_t> admit(TimePoint now);

 private:
  const std::chrono::nanoseconds interval_;
  std::atomic<int64_t> next_ns_{INT64_MIN};
  std::atomic<uint64_t> suppressed_{0};
};

// As log(), at most one an interval; the next that passes says suppressed=N.
void limited(RateLimit& limit, RateLimit::TimePoint now, Component component, Level level, std::string_view message,
             Fields fields = {});

// Something that operators ask for later by its kind (observability/event.hpp): a record as log(), with event=<kind> as its
// last field, and an event in the journal whatever the levels are.
void event(Component component, Level level, EventKind kind, std::string_view message, Fields fields = {});
// Who keeps events; an empty function: nobody. It must not log.
using EventSink = std::function<void(Level level, EventKind kind, std::string_view message, Fields fields)>;
void set_event_sink(EventSink sink);

// Where lines go instead of stderr (without time stamp and newline); an empty function restores stderr. For tests and
// for the tool, which shows records its own way.
void set_sink(std::function<void(std::string_view line)> sink);

}  // namespace viaduct::observability::log
