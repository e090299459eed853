// Makes the next snapshot: all operations of a transaction, or none and every reason why not.
//
//   creates and updates  in any order: objects of one transaction may name each other
//   links                naming a peer makes the peer name the port; unlinking one side unlinks the other
//   deletions            with what follows from them (deletion_policy.hpp)
//   positions            rules without one go behind the last of their chain, in the order of the operations
//   rules                on all objects touched, and on those whose validity depends on what was touched
//
// An object may be named by one operation of a transaction. An object that is created or updated to name what the same
// transaction deletes is a violation, not a cascade.
//
// The cost follows what is touched, not the topology: O(log n) an operation, with exceptions: giving a router port other
// addresses reads all ports of that router once (subnets_overlap), routes are checked again when the addresses of the
// port that they go through change, a rule without a position has all rules of its chain read, once a chain, and VIPs are checked again when their pool or load
// balancer moves or the last port and route of a family leaves the router. Links between bridges are not followed: a segment, for
// address_in_use and mac_in_use, is one VLAN of one bridge, or two router ports linked to each other.
//
// Pure: no time, no I/O, no shared state. The one source of chance is the id of an object that is created without one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "topology/delta.hpp"
#include "topology/violation.hpp"

namespace viaduct::topology {

inline constexpr size_t kMaxOperations = 65'536;
inline constexpr size_t kMaxAddresses = 64;  // of one port

struct Create {
  Object object;  // a nil id: a random one. Its revision is ignored
};
struct Update {
  Object object;  // whole. Its revision, when not 0, must be the stored one
};
struct Erase {
  ObjectRef object;
};
using Operation = std::variant<Create, Update, Erase>;

enum class Action : uint8_t { created, updated, deleted };
std::string_view to_string(Action action);

struct AppliedChange {
  Action action = Action::created;
  ObjectRef object;
  std::string name;
  std::string cause;  // empty: asked for; else "cascade from router r1", "link with port p1", …
  friend bool operator==(const AppliedChange&, const AppliedChange&) = default;
};

struct BuildResult {
  Snapshot next;                       // at new_revision; the current one when refused
  Delta delta;                         // from current to next
  std::vector<AppliedChange> changes;  // asked for first, in the order of the operations; then what followed
  std::vector<Uuid> ids;               // of the operations, in their order
  std::vector<Violation> violations;

  bool ok() const { return violations.empty(); }
};

// An update that changes nothing leaves no change and no new revision on the object.
BuildResult build(const Snapshot& current, std::vector<Operation> operations, uint64_t new_revision);

// What a router port gets that is created without one: locally administered, from the id, unlike any in `snapshot`.
MacAddress default_mac(const Snapshot& snapshot, PortId port);

}  // namespace viaduct::topology
