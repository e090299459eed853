// What makes two objects the same one for apply, when no id says so.
#pragma once

#include <string>

#include "api/client/record.hpp"

namespace viaduct::api::cli {

// Of the parent, unless that may change, and what tells siblings apart: the name, or what the object is about
// (KindInfo::key). Objects of one kind with equal keys cannot be told apart by it.
std::string whole_key(const Record& record);

}  // namespace viaduct::api::cli
