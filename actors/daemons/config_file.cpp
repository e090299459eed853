#include "actors/daemons/config_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace viaduct::actors {

namespace {

// Each dot of a dotted key is a table within a table, and the parser's tables go with recursion.
constexpr size_t kMaxDots = 4096;
constexpr size_t kMaxShownBytes = 80;  // of a key that somebody made up

// Tables that hold settings: "datapath", "bridge", …
bool is_table(std::string_view name) {
  return std::ranges::any_of(kSettings, [&](const Setting& each) { return !name.empty() && each.table() == name; });
}

std::string shown(std::string_view key) {
  std::string out;
  for (char c : key.substr(0, kMaxShownBytes)) {
    bool plain = static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '"';
    out += plain ? c : '?';
  }
  return key.size() > kMaxShownBytes ? out + "..." : out;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string_view leaf_of(std::string_view key) {
  size_t dot = key.rfind('.');
  return dot == key.npos ? key : key.substr(dot + 1);
}

std::string place(const std::string& file, const toml::source_region& region) {
  return file + ":" + std::to_string(region.begin.line) + ":" + std::to_string(region.begin.column);
}

std::string_view kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or a time";
  }
}

std::string_view kind_of(const SettingValue& value) {
  constexpr std::string_view kKinds[] = {"true or false, without quotes", "a whole number, without quotes",
                                         "a text in quotes", "a list of texts: [\"...\", \"...\"]"};
  return kKinds[value.index()];
}

// The value of `node` in the setting's kind; nothing when it has another.
std::optional<SettingValue> value_of(const toml::node& node, const SettingValue& sample) {
  if (std::holds_alternative<bool>(sample)) {
    if (auto held = node.as_boolean()) return SettingValue(held->get());
  } else if (std::holds_alternative<uint64_t>(sample)) {
    // Below zero it becomes huge, and is out of every range.
    if (auto held = node.as_integer()) return SettingValue(static_cast<uint64_t>(held->get()));
  } else if (std::holds_alternative<std::string>(sample)) {
    if (auto held = node.as_string()) return SettingValue(held->get());
  } else if (auto list = node.as_array()) {
    std::vector<std::string> texts;
    for (const toml::node& each : *list) {
      if (!each.is_string()) return std::nullopt;
      texts.push_back(each.as_string()->get());
    }
    return SettingValue(std::move(texts));
  }
  return std::nullopt;
}

class FileReader {
 public:
  FileReader(const std::string& file, ConfigSource& source) : file_(file), source_(source) {}

  void read(const toml::table& root) {
    for (auto&& [key, node] : root) {
      std::string_view name = key.str();
      if (!is_table(name)) {
        take(name, key.source(), node);
      } else if (const toml::table* table = node.as_table()) {
        for (auto&& [leaf, value] : *table)
          take(std::string(name) + "." + std::string(leaf.str()), leaf.source(), value);
      } else {
        problem(node.source(), name, "it is " + std::string(kind_of(node)) + ", not a table",
                "write [" + std::string(name) + "] on a line of its own and its keys below, once");
      }
    }
  }

  void problem(const toml::source_region& region, std::string_view key, std::string text, std::string cure) {
    source_.add({place(file_, region), std::string(key), std::move(text), std::move(cure)});
  }

 private:
  void take(std::string_view key, const toml::source_region& region, const toml::node& node) {
    const Setting* setting = find_setting(key);
    if (setting == nullptr) return unknown(key, region, node);
    auto value = value_of(node, setting->get(Config{}));
    if (!value) return wrong_kind(*setting, node);
    if (auto wrong = check_value(*setting, *value)) {
      bool negative = node.is_integer() && node.as_integer()->get() < 0;
      std::string text = negative ? "it is below zero" : *wrong;
      return problem(node.source(), key, text, "allowed: " + allowed_phrase(*setting));
    }
    setting->set(source_.config, *value);
    source_.where[std::string(key)] = place(file_, region);
  }

  void wrong_kind(const Setting& setting, const toml::node& node) {
    SettingValue sample = setting.get(Config{});
    std::string found(kind_of(node));
    if (std::holds_alternative<std::vector<std::string>>(sample) && node.is_array()) found += " of other things";
    problem(node.source(), setting.key, "it is " + found,
            "write " + std::string(kind_of(sample)) + ": " + allowed_phrase(setting));
  }

  void unknown(std::string_view key, const toml::source_region& region, const toml::node& node) {
    bool said = source_.problems.size() < kMaxConfigProblems;  // else only counted: a hostile file may hold many
    std::string nearest = said ? nearest_key(key) : std::string();
    bool table = node.is_table() && key.find('.') == key.npos;
    std::string cure = "viaductd --print-config shows all there are";
    if (!nearest.empty()) cure = "did you mean " + nearest + "? " + cure;
    problem(region, shown(key), table ? "there is no such table" : "there is no such key", cure);
  }

  const std::string& file_;
  ConfigSource& source_;
};

// Nothing when it was read; else why not, for ENOENT too.
std::optional<std::string> read_bounded(const std::string& file, std::string& text, int& error) {
  int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  error = errno;
  if (fd < 0) return std::strerror(error);
  struct stat info {};
  std::optional<std::string> wrong;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) wrong = "it is not a file";
  char buffer[65536];
  ssize_t got = 0;
  while (!wrong && (got = ::read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kMaxConfigBytes) wrong = "it is larger than " + std::to_string(kMaxConfigBytes) + " bytes";
  }
  if (!wrong && got < 0) wrong = std::strerror(errno);
  error = 0;
  close(fd);
  return wrong;
}

}  // namespace

std::string to_string(const ConfigProblem& problem) {
  std::string line = problem.where;
  for (const std::string* part : {&problem.key, &problem.text})
    if (!part->empty()) line += (line.empty() ? "" : ": ") + *part;
  if (!problem.cure.empty()) line += "; " + problem.cure;
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return line;
}

std::string ConfigSource::where_of(std::string_view key) const {
  if (auto at = where.find(key); at != where.end()) return at->second;
  return file.empty() ? "command line" : file;
}

void ConfigSource::add(ConfigProblem problem) {
  if (problems.size() < kMaxConfigProblems) {
    problems.push_back(std::move(problem));
  } else {
    ++unlisted;
  }
}

void ConfigSource::report(std::string_view key, std::string text, std::string cure) {
  auto about = [&](const ConfigProblem& known) { return known.key == key || known.key.empty(); };
  if (std::ranges::any_of(problems, about)) return;
  add({where_of(key), std::string(key), std::move(text), std::move(cure)});
}

std::string nearest_key(std::string_view key) {
  if (key.size() > kMaxShownBytes) return {};
  std::set<std::string_view> known;
  for (const Setting& each : kSettings) known.insert({each.key, each.table()});
  known.erase("");
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, key.size() / 3) + 1;
  for (std::string_view candidate : known) {
    size_t distance = edit_distance(key, candidate);
    // The right word in the wrong table.
    if (leaf_of(candidate) == leaf_of(key)) distance = std::min<size_t>(distance, 1);
    if (distance < best_distance) best = candidate, best_distance = distance;
  }
  return std::string(best);
}

void read_config_text(std::string_view text, const std::string& file, ConfigSource& source) {
  source.file = file;
  if (static_cast<size_t>(std::ranges::count(text, '.')) > kMaxDots) {
    source.add({file, "", "it has more than " + std::to_string(kMaxDots) + " dots, so it is no configuration",
                "write tables and keys as viaductd --print-config does"});
    return;
  }
  toml::parse_result parsed = toml::parse(text, file);
  FileReader reader(file, source);
  if (!parsed) {
    reader.problem(parsed.error().source(), "", std::string(parsed.error().description()),
                   "the file is TOML: see viaductd --print-config");
    return;
  }
  reader.read(parsed.table());
}

void read_config_file(const std::string& file, Absence absence, ConfigSource& source) {
  std::string text;
  int error = 0;
  auto wrong = read_bounded(file, text, error);
  bool absent = error == ENOENT || error == ENOTDIR;
  if (wrong && absent && absence == Absence::allowed) return;
  if (wrong) {
    source.add({file, "", "cannot read it: " + *wrong,
                absent ? "name a file that is there with --config" : "make it a readable file"});
    return;
  }
  read_config_text(text, file, source);
}

}  // namespace viaduct::actors
