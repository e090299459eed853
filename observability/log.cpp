#include "observability/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <mutex>
#include <type_traits>

namespace viaduct::observability::log {
namespace {

constexpr std::array<std::string_view, 6> kLevelNames = {"trace", "debug", "info", "warning", "error", "off"};
constexpr std::array<std::string_view, kComponents> kComponentNames = {
    "daemon", "supervisor", "store",    "topology", "mirror", "device",  "simulation",
    "worker", "flows",      "datapath", "routing",  "admin",  "metrics", "cli"};
constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr std::array<std::atomic<Level>, kComponents> all_at_info() {
  return {Level::info, Level::info, Level::info, Level::info, Level::info, Level::info, Level::info,
          Level::info, Level::info, Level::info, Level::info, Level::info, Level::info, Level::info};
}
static_assert(kComponents == 14, "all_at_info() and kComponentNames need a line for the new component");

template <class Enum, size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

// The process's stderr, and what may stand in for it.
struct Output {
  std::mutex mutex;
  std::function<void(std::string_view)> sink;
  spdlog::sinks::stderr_sink_mt stderr_sink;
  std::mutex event_mutex;
  EventSink event_sink;

  Output() {
    stderr_sink.set_formatter(
        std::make_unique<spdlog::pattern_formatter>("ts=%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
  }
};

Output& output() {
  static Output* const process_output = new Output;  // never destroyed: threads may log while the process exits
  return *process_output;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./:@%+,[]").find(c) != std::string_view::npos;
}

void append_escaped(char c, std::string& line) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      line += "\\\"";
      return;
    case '\\':
      line += "\\\\";
      return;
    case '\n':
      line += "\\n";
      return;
    case '\r':
      line += "\\r";
      return;
    case '\t':
      line += "\\t";
      return;
    default:
      break;
  }
  if (c >= 0x20 && c < 0x7f) {
    line += c;
    return;
  }
  const auto byte = static_cast<uint8_t>(c);
  line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

void append_quoted(std::string_view text, std::string& line) {
  line += '"';
  for (char c : text.substr(0, kMaxValueBytes)) append_escaped(c, line);
  if (text.size() > kMaxValueBytes) line += "...";
  line += '"';
}

void append_text(std::string_view text, std::string& line) {
  if (!text.empty() && text.size() <= kMaxValueBytes && std::all_of(text.begin(), text.end(), is_plain)) {
    line += text;
  } else {
    append_quoted(text, line);
  }
}

void append_key(std::string_view key, std::string& line) {
  for (char c : key) line += is_plain(c) ? c : '_';
}

std::string format(Component component, Level level, std::string_view message, Fields fields) {
  std::string line;
  line.reserve(160);
  line.append("level=").append(to_string(level)).append(" component=").append(to_string(component)).append(" msg=");
  append_quoted(message, line);
  for (const Field& field : fields) {
    line += ' ';
    append_key(field.key, line);
    line += '=';
    field.value.append_to(line);
  }
  return line;
}

void emit(const std::string& line) {
  Output& out = output();
  std::lock_guard lock(out.mutex);
  if (out.sink) {
    out.sink(line);
    return;
  }
  out.stderr_sink.log(spdlog::details::log_msg("", spdlog::level::info, line));
}

}  // namespace

constinit std::array<std::atomic<Level>, kComponents> internal::levels = all_at_info();

std::string_view to_string(Level level) { return kLevelNames[static_cast<size_t>(level)]; }
std::string_view to_string(Component component) { return kComponentNames[static_cast<size_t>(component)]; }
std::optional<Level> parse_level(std::string_view text) { return parse<Level>(kLevelNames, text); }
std::optional<Component> parse_component(std::string_view text) { return parse<Component>(kComponentNames, text); }

Level level(Component component) { return internal::levels[static_cast<size_t>(component)].load(kRelaxed); }

void set_level(Component component, Level level) {
  internal::levels[static_cast<size_t>(component)].store(level, kRelaxed);
}

void set_level(Level level) {
  for (auto& each : internal::levels) each.store(level, kRelaxed);
}

namespace {

// What is wrong with it; on an error `wanted` is of no use.
std::optional<std::string> read_levels(std::string_view specification, std::array<Level, kComponents>& wanted) {
  while (!specification.empty()) {
    const size_t comma = std::min(specification.find(','), specification.size());
    const std::string_view item = specification.substr(0, comma);
    specification.remove_prefix(std::min(comma + 1, specification.size()));
    const size_t equals = item.find('=');
    const auto parsed = parse_level(equals == item.npos ? item : item.substr(equals + 1));
    if (!parsed) return "'" + std::string(item) + "' names no level: trace, debug, info, warning, error or off";
    if (equals == item.npos) {
      wanted.fill(*parsed);
    } else if (const auto component = parse_component(item.substr(0, equals))) {
      wanted[static_cast<size_t>(*component)] = *parsed;
    } else {
      return "'" + std::string(item.substr(0, equals)) + "' is not a component";
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> check_levels(std::string_view specification) {
  std::array<Level, kComponents> ignored;
  return read_levels(specification, ignored);
}

std::optional<std::string> set_levels(std::string_view specification) {
  std::array<Level, kComponents> wanted;
  for (size_t i = 0; i < kComponents; ++i) wanted[i] = internal::levels[i].load(kRelaxed);
  if (auto wrong = read_levels(specification, wanted)) return wrong;
  for (size_t i = 0; i < kComponents; ++i) internal::levels[i].store(wanted[i], kRelaxed);
  return std::nullopt;
}

void Value::append_to(std::string& line) const {
  std::visit(
      [&line](auto value) {
        using T = decltype(value);
        if constexpr (std::is_same_v<T, bool>) {
          line += value ? "true" : "false";
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          append_text(value, line);
        } else {
          char buffer[32];
          line.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
        }
      },
      content_);
}

std::string Value::text() const {
  if (const auto* text = std::get_if<std::string_view>(&content_)) return std::string(*text);
  std::string out;
  append_to(out);
  return out;
}

void event(Component component, Level level, EventKind kind, std::string_view message, Fields fields) {
  if (enabled(component, level))
    emit(format(component, level, message, fields).append(" event=").append(to_string(kind)));
  Output& out = output();
  std::lock_guard lock(out.event_mutex);
  if (out.event_sink) out.event_sink(level, kind, message, fields);
}

void set_event_sink(EventSink sink) {
  Output& out = output();
  std::lock_guard lock(out.event_mutex);
  out.event_sink = std::move(sink);
}

void write(Component component, Level level, std::string_view message, Fields fields) {
  emit(format(component, level, message, fields));
}

std::optional<uint64_t> RateLimit::admit(TimePoint now) {
  const int64_t now_ns = now.time_since_epoch() / std::chrono::nanoseconds(1);
  int64_t next = next_ns_.load(kRelaxed);
  if (now_ns >= next && next_ns_.compare_exchange_strong(next, now_ns + interval_.count(), kRelaxed)) {
    return suppressed_.exchange(0, kRelaxed);
  }
  suppressed_.fetch_add(1, kRelaxed);
  return std::nullopt;
}

void limited(RateLimit& limit, RateLimit::TimePoint now, Component component, Level level, std::string_view message,
             Fields fields) {
  if (!enabled(component, level)) return;
  const auto suppressed = limit.admit(now);
  if (!suppressed) return;
  std::string line = format(component, level, message, fields);
  if (*suppressed > 0) line += " suppressed=" + std::to_string(*suppressed);
  emit(line);
}

void set_sink(std::function<void(std::string_view line)> sink) {
  Output& out = output();
  std::lock_guard lock(out.mutex);
  out.sink = std::move(sink);
}

}  // namespace viaduct::observability::log
