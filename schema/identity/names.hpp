// How a certificate names a host and what it may do: URIs among its alternative names (RFC 5280, 4.2.1.6).
//
//   viaduct://host/NAME      exactly one: the host's name in the topology
//   viaduct://id/UUID        at most one: binds the name to this id
//   viaduct://role/agent     may connect to cluster nodes, and write the state of host NAME
//   viaduct://role/cluster   may serve agents
//
// An unknown viaduct:// URI makes the certificate unreadable: it may mean a restriction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct::identity {

enum class Role : uint8_t { agent = 1, cluster = 2 };  // the values are part of what a proof signs
std::string_view to_string(Role role);

struct Roles {
  bool agent = false;
  bool cluster = false;
  bool has(Role role) const { return role == Role::agent ? agent : cluster; }
  bool any() const { return agent || cluster; }
  friend bool operator==(const Roles&, const Roles&) = default;
};
std::string to_string(const Roles& roles);  // "agent, cluster"

inline constexpr std::string_view kUriScheme = "viaduct://";
inline constexpr std::string_view kHostUri = "viaduct://host/";
inline constexpr std::string_view kIdUri = "viaduct://id/";
inline constexpr std::string_view kRoleUri = "viaduct://role/";

// Names that can stand in a certificate: 1 to 64 (HOST_NAME_MAX) letters, digits, hyphens, dots and underscores, the
// first a letter or a digit.
inline constexpr size_t kMaxHostName = 64;
bool is_host_name(std::string_view name);

}  // namespace viaduct::identity
