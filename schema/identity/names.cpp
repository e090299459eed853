#include "schema/identity/names.hpp"

#include <algorithm>

namespace viaduct::identity {

namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string_view to_string(Role role) { return role == Role::agent ? "agent" : "cluster"; }

std::string to_string(const Roles& roles) {
  if (roles.agent && roles.cluster) return "agent, cluster";
  return roles.agent ? "agent" : roles.cluster ? "cluster" : "";
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxHostName || !is_alphanumeric(name.front())) return false;
  return std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
}

}  // namespace viaduct::identity
