// The working state of one build(): what the operations ask for, and what follows from them, before the rules are asked.
// Internal to the builder.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "topology/builder.hpp"
#include "topology/rules/rules.hpp"

namespace viaduct::topology {

class Transaction {
 public:
  Transaction(const Snapshot& current, uint64_t new_revision);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // 1. Each operation: puts what is created or updated, remembers what is to be deleted. Returns the object's id.
  Uuid stage(Operation operation);
  // 2. Peers of ports whose peer was changed.
  void mirror_links();
  // 3. Deletions and what the policy makes of their referrers.
  void delete_all();
  // 4. Positions for the rules that were created without one.
  void place_rules();
  // 5. The rules, on everything touched and what depends on it.
  void inspect();

  BuildResult finish();

 private:
  struct Doomed {
    ObjectRef ref;
    std::string cause;
  };
  // Referrers of one doomed object through one field that forbids its deletion.
  struct Refusal {
    ObjectRef target;
    Reference reference;
    std::vector<ObjectRef> referrers;
  };
  struct Clearing {
    ObjectRef referrer;
    Reference reference;
    Uuid target;
    std::string cause;
  };

  bool claim(const ObjectRef& ref);
  Uuid stage_create(Object object);
  Uuid stage_update(Object object);
  Uuid stage_erase(const ObjectRef& ref);
  bool is_known(const ObjectRef& ref, std::string_view verb);
  void check_immutable(const Object& before, const Object& after);
  void put(Object object, std::string cause);
  void unlink(const Port& port);
  void link(const Port& port);
  bool peer_changed(PortId id) const;
  void visit_referrers(const Doomed& doomed);
  void refuse(const Refusal& refusal);
  uint32_t last_position(ChainId chain) const;
  void inspect_vips(const ObjectRef& ref);
  void note_links(const ObjectRef& ref, std::set<RouterId>& routers) const;
  void inspect_dependents(const ObjectRef& ref, std::set<RouterId>& routers);

  const Snapshot& current_;
  const uint64_t revision_;
  Snapshot next_;
  rules::Inspection inspection_;
  std::set<ObjectRef> claimed_;         // named by an operation
  std::set<ObjectRef> put_by_request_;  // created or updated by one
  std::vector<RuleId> unplaced_;        // in the order of the operations
  std::vector<ObjectRef> order_;        // touched, in the order in which it happened
  std::map<ObjectRef, std::string> causes_;
  std::vector<Doomed> doomed_;  // also the queue of the cascade
  std::set<ObjectRef> doomed_refs_;
  std::vector<Refusal> refusals_;
  std::vector<Clearing> clearings_;
};

}  // namespace viaduct::topology
