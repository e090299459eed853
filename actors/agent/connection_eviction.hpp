// Which connections make room when there is too little of it: in the whole table, or in the share of one tenant or port.
//
// Above 90 % of the room entries go until 85 % are left. Whose? The table's room is filled to one level, as water fills a
// basin: who has no more entries than the level loses none, who has more keeps the level. So the port with the most entries
// goes first, and none that has less than an equal part of the room ever loses a connection to others. The same among the
// ports of a tenant. Of one port's entries those go first that nothing has come back for, the longest idle first; then
// others, the longest idle first.
//
// Use: add() every entry of the table, then plan(), then ask the plan about every entry. Pure; 8 bytes an entry.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "flows/state/connection_table.hpp"

namespace viaduct::actors {

enum class Shortage : uint8_t { table, tenant, port };
inline constexpr size_t kShortages = 3;
std::string_view to_string(Shortage shortage);  // "table_full", "tenant_share", "port_share"

// More than this of a limit is too little room, and so much is left when some has been made.
constexpr size_t crowded_above(size_t limit) { return limit - limit / 10; }
constexpr size_t relieved_at(size_t limit) { return limit - limit * 3 / 20; }

// The most that each may keep of the sizes in `wants`, so that all together keep no more than `room`.
size_t fair_level(std::vector<size_t> wants, size_t room);

struct AccountHash {
  size_t operator()(const flows::Account& account) const { return account.port * 31 + account.tenant; }
};
inline flows::Account account_of(const flows::ConnectionEntry& entry) { return {entry.port_account, entry.tenant}; }

class EvictionPlan {
 public:
  struct Cut {
    // Of those that nothing has come back for, and of others: how many entries may go, and the last to go of them.
    size_t opening = 0, others = 0;
    flows::Time last_opening, last_other;
    Shortage why = Shortage::table;
  };
  void add(const flows::Account& account, const Cut& cut) { cuts_.insert_or_assign(account, cut); }
  bool empty() const { return cuts_.empty(); }
  // Whether the entry has to go; null: it stays.
  const Cut* takes(const flows::ConnectionEntry& entry) const;
  // It went, and so many entries with it.
  void gone(const flows::ConnectionEntry& entry, size_t entries);

 private:
  std::unordered_map<flows::Account, Cut, AccountHash> cuts_;
};

class EvictionPlanner {
 public:
  // An entry that stands for so many: two, where it goes together with its other half.
  void add(const flows::ConnectionEntry& entry, size_t entries);
  EvictionPlan plan(const flows::ConnectionLimits& limits);

 private:
  struct Held {
    std::vector<flows::Time> opening, others;  // of each entry
    size_t keeps = 0;
    Shortage why = Shortage::table;
    size_t size() const { return opening.size() + others.size(); }
    void keep(size_t most, Shortage reason);
  };
  void relieve_ports(size_t limit);
  void relieve_tenants(size_t limit);
  void relieve_table(size_t limit);
  static EvictionPlan::Cut cut(Held& held);

  std::unordered_map<flows::Account, Held, AccountHash> held_;
};

}  // namespace viaduct::actors
