// Which part of a topology is exported.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/client/record.hpp"

namespace viaduct::api::cli {

struct ExportChoice {
  std::vector<Uuid> roots;           // these, and what belongs to them
  std::vector<std::string> tenants;  // all of theirs, and what belongs to it
  std::set<Kind> kinds;              // and of that only these; empty: every kind
};

// The ids; without roots and tenants the whole topology is chosen from. To an object belongs what has it as its parent
// (KindInfo::parents), and so on: the routes of a router, not the chains that it names.
std::set<Uuid> choose(const std::vector<Record>& live, const ExportChoice& choice);

// Whether others may belong to objects of this kind.
bool is_parent(const KindInfo& kind);

}  // namespace viaduct::api::cli
