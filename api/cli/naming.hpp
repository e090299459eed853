// How objects and their fields are called in what people read.
#pragma once

#include <functional>
#include <string>

#include "api/client/record.hpp"

namespace viaduct::api::cli {

// The name of what a field refers to, or its id as text when it has none or is not known.
using NameLookup = std::function<std::string(const Field&, const Uuid&)>;

// "port r1-blue", "route 10.0.0.0/8 via 10.0.1.9 of router r1".
std::string describe(const Record& record, const NameLookup& name_of);
// "ip-proto tcp, l4-dst 80, not-ip-src 10.0.0.0/8": the fields that are gathered into one column.
std::string gathered(const Record& record, const NameLookup& name_of);
// References by name.
std::string text_of(const Record& record, const Field& field, const NameLookup& name_of);

}  // namespace viaduct::api::cli
