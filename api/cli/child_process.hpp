// Programs that the tool asks: each runs to its end or to its deadline, and hands over what it printed.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace viaduct::api::cli {

struct ProgramOutcome {
  int status = -1;      // its exit status; -1: see problem
  std::string output;   // of both streams, as they came
  std::string problem;  // why it did not end by itself: not there, killed, too slow, too much output; empty: it did
};

struct ProgramLimits {
  std::chrono::milliseconds time{10'000};
  size_t bytes = size_t{4} << 20;
};

// `words`: the program, found in PATH, and its arguments. Nothing is to be read from its standard input.
ProgramOutcome run_program(const std::vector<std::string>& words, const ProgramLimits& limits = {});

}  // namespace viaduct::api::cli
