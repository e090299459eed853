// Members of a rule's document that take more than the table says. Internal.
#pragma once

#include "api/client/value.hpp"

namespace viaduct::api::rest {

class Emission;  // document.hpp
class Intake;

// "position": its place in the chain, from 1.
void take_position(Intake& intake, const Json& value);
void emit_position(const Emission& emission, Json& value);

// "natTargets": [{"addressFrom", "addressTo", "portFrom", "portTo"}, …].
void take_targets(Intake& intake, const Json& value);
void emit_targets(const Emission& emission, Json& value);
// One address for another, in the body that has been taken: what has no ports can be translated too.
bool is_one_to_one(Intake& intake);

}  // namespace viaduct::api::rest
