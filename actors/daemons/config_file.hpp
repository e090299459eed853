// The configuration file: TOML, read with every problem named at its place.
//
// Unknown keys and tables, wrong types and values that are not allowed are all reported in one run, so that an operator
// fixes a file once. A file that is not TOML at all yields the one problem at which the parser stopped. Size and nesting
// are bounded: a hostile file costs time in proportion to kMaxConfigBytes, never the stack.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/daemons/config.hpp"

namespace viaduct::actors {

inline constexpr size_t kMaxConfigBytes = size_t{1} << 20;
inline constexpr size_t kMaxConfigProblems = 50;  // the rest is counted

struct ConfigProblem {
  std::string where;  // "FILE:LINE:COLUMN", "FILE", "command line"
  std::string key;    // "datapath.workers"; empty: the file as a whole
  std::string text;   // what is wrong
  std::string cure;   // what to do; may be empty
};
// One line "WHERE: KEY: TEXT; CURE", whatever the file held.
std::string to_string(const ConfigProblem& problem);

// A configuration and where each of its keys was set.
struct ConfigSource {
  Config config;
  std::string file;  // empty: none was read
  std::map<std::string, std::string, std::less<>> where;
  std::vector<ConfigProblem> problems;  // at most kMaxConfigProblems
  size_t unlisted = 0;                  // problems beyond that

  bool is_valid() const { return problems.empty(); }
  // Where `key` was set, else the file, else the command line.
  std::string where_of(std::string_view key) const;
  void add(ConfigProblem problem);
  // A rule between keys is broken. Not said of a key that has a problem of its own.
  void report(std::string_view key, std::string text, std::string cure);
};

// What `text`, the content of `file`, sets in source.config; the rest stays.
void read_config_text(std::string_view text, const std::string& file, ConfigSource& source);
enum class Absence : uint8_t { allowed, problem };
void read_config_file(const std::string& file, Absence absence, ConfigSource& source);

// The known key that resembles `key` most, if one does.
std::string nearest_key(std::string_view key);

}  // namespace viaduct::actors
