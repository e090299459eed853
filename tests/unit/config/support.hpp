// A configuration from a text, and what was said about it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "actors/daemons/config_check.hpp"
#include "actors/daemons/config_file.hpp"

namespace viaduct::actors::testing {

inline ConfigSource read(std::string_view text) {
  ConfigSource source;
  read_config_text(text, "f.toml", source);
  check_config(source);
  return source;
}

inline std::vector<std::string> lines(const ConfigSource& source) {
  std::vector<std::string> out;
  for (const auto& problem : source.problems) out.push_back(to_string(problem));
  return out;
}

inline std::vector<std::string> problems_of(std::string_view text) { return lines(read(text)); }

}  // namespace viaduct::actors::testing
