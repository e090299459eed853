// What an object belongs to for as long as it exists. Internal to the builder.
#pragma once

#include <string_view>
#include <vector>

#include "topology/model/object.hpp"

namespace viaduct::topology {

struct ParentField {
  std::string_view name;
  Uuid before, after;
};

// Of two states of one object.
std::vector<ParentField> parents_of(const Object& before, const Object& after);

}  // namespace viaduct::topology
