// Why the topology was changed: goes with a commit, into the database and to the agents.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::topology {

struct Cause {
  std::string request = {};  // one name from who asked to each host that applies it
  std::string by = {};       // who asked
  std::string node = {};     // of the cluster, that wrote it
  friend bool operator==(const Cause&, const Cause&) = default;
};

// The name of the request that a commit was made for.
struct CausedRevision {
  uint64_t revision = 0;
  std::string request = {};
  friend bool operator==(const CausedRevision&, const CausedRevision&) = default;
};

inline constexpr size_t kMaxRequestName = 64;
inline constexpr size_t kMaxByName = 128;

// At most kMaxRequestName characters, of which each is a letter, a digit, '.', '_' or '-'; not empty.
bool is_request_name(std::string_view text);

}  // namespace viaduct::topology
