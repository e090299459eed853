#include "topology/builder.hpp"

#include "topology/transaction.hpp"

namespace viaduct::topology {

std::string_view to_string(Action action) {
  switch (action) {
    case Action::created:
      return "created";
    case Action::updated:
      return "updated";
    case Action::deleted:
      return "deleted";
  }
  return "unknown";
}

MacAddress default_mac(const Snapshot& snapshot, PortId port) {
  uint64_t bits = (port.uuid().high() * 0x9e37'79b9'7f4a'7c15ULL) ^ port.uuid().low();
  for (;; ++bits) {
    const auto mac = MacAddress::from_uint64(0x0a00'0000'0000ULL | (bits & 0xff'ffff'ffffULL));
    if (snapshot.count_at(IndexKey::router_mac_of(mac)) == 0) return mac;
  }
}

BuildResult build(const Snapshot& current, std::vector<Operation> operations, uint64_t new_revision) {
  if (operations.size() > kMaxOperations) {
    BuildResult result;
    result.next = current;
    result.violations.push_back({BrokenRule::too_many_operations,
                                 {},
                                 "",
                                 "",
                                 "The transaction has " + std::to_string(operations.size()) + " operations.",
                                 "Split it into parts of at most " + std::to_string(kMaxOperations) + "."});
    return result;
  }
  Transaction transaction(current, new_revision);
  std::vector<Uuid> ids;
  ids.reserve(operations.size());
  for (Operation& operation : operations) ids.push_back(transaction.stage(std::move(operation)));
  transaction.mirror_links();
  transaction.delete_all();
  transaction.place_rules();
  transaction.inspect();
  BuildResult result = transaction.finish();
  result.ids = std::move(ids);
  return result;
}

}  // namespace viaduct::topology
