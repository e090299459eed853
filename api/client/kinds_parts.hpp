// What the files of the table of kinds share. Internal to it.
#pragma once

#include <array>

#include "api/client/kinds.hpp"

namespace viaduct::api {

std::span<const KindInfo> rule_kinds();       // chains and rules
std::span<const KindInfo> group_kinds();      // what rules name
std::span<const KindInfo> balancing_kinds();  // load balancers, pools, VIPs, health monitors
std::span<const KindInfo> bgp_kinds();        // peers and networks

inline constexpr Field kName{.name = "name",
                             .option = "name",
                             .schema = "name",
                             .type = FieldType::text,
                             .help = "Name; the object can be referred to by it",
                             .presence = Presence::positional};
inline constexpr Field kTenant{.name = "tenant",
                               .option = "tenant",
                               .schema = "tenant",
                               .type = FieldType::text,
                               .help = "Owner, free text",
                               .column = Column::shown};
inline constexpr Field kAdminUp{.name = "admin_up",
                                .option = "admin-up",
                                .schema = "adminUp",
                                .type = FieldType::boolean,
                                .help = "Administrative state: true or false"};

constexpr Field reference_field(std::string_view name, std::string_view option, std::string_view schema, Kind target,
                                std::string_view help, Presence presence = Presence::optional) {
  return {.name = name,
          .option = option,
          .schema = schema,
          .type = FieldType::reference,
          .help = help,
          .presence = presence,
          .target = target};
}
constexpr Field loose(Field field) {
  field.bond = Bond::loose;
  return field;
}
constexpr Field filter_field(std::string_view name, std::string_view option, std::string_view schema,
                             std::string_view help) {
  Field field = loose(reference_field(name, option, schema, Kind::CHAIN, help));
  field.column = Column::hidden;
  return field;
}

inline constexpr std::array<std::string_view, 1> kNameKey = {"name"};
inline constexpr uint64_t kMaxAsNumber = 0xffff'fffe;  // RFC 7300

}  // namespace viaduct::api
