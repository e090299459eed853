// What must change so that the live topology becomes what a document says.
//
// An object of the document is the live one with the same parent and the same key (kinds.hpp): its name, or for routes
// and static entries what they are about. Fields that the document does not name are left alone, so applying twice
// changes nothing. What the document does not mention stays, unless it is pruned; hosts are never pruned.
//
// Pure: the topology and the daemon's host are arguments.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/cli/apply_document.hpp"
#include "api/client/client.hpp"

namespace viaduct::api::cli {

inline constexpr size_t kMostChanges = 10'000;  // of one transaction: the store takes no more

enum class Pruning : uint8_t { keep, prune };

struct FieldChange {
  std::string field;
  std::string before, after;  // as text; names for references
};

struct PlannedChange {
  Operation::Action action = Operation::Action::create;
  std::string kind, name, id;
  std::string label;                // "port r1-blue of router r1"
  std::vector<FieldChange> fields;  // of creates: what is set
  std::string cause;                // of deletions that follow from others: "with bridge blue"
};

struct Plan {
  std::vector<PlannedChange> changes;
  std::vector<Operation> operations;  // one transaction
  bool empty() const { return operations.empty(); }
  size_t count(Operation::Action action) const;
};

// The host of bindings that name none; asked at most once, and only if there is one.
using DefaultHost = std::function<Result<Uuid>()>;

Result<Plan> make_plan(const Document& document, const std::vector<Record>& live, const DefaultHost& default_host,
                       Pruning pruning);

void print_plan(const Plan& plan, std::ostream& out);
Json plan_json(const Plan& plan);

}  // namespace viaduct::api::cli
