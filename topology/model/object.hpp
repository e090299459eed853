// Any object of the topology, and the list of kinds that tables and codecs go through.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "topology/model/bridge.hpp"
#include "topology/model/host.hpp"
#include "topology/model/port.hpp"
#include "topology/model/route.hpp"
#include "topology/model/router.hpp"
#include "topology/model/static_entries.hpp"

namespace viaduct::topology {

using Object = std::variant<Host, Bridge, Router, Port, Route, StaticMac, StaticNeighbour>;

// In the order of Object's alternatives, so that Kind == object.index().
enum class Kind : uint8_t { host, bridge, router, port, route, static_mac, static_neighbour, count_ };
static_assert(std::variant_size_v<Object> == static_cast<size_t>(Kind::count_));

struct ObjectRef {
  Kind kind = Kind::host;
  Uuid id;
  friend auto operator<=>(const ObjectRef&, const ObjectRef&) = default;
};

struct ObjectRefHash {
  size_t operator()(const ObjectRef& ref) const noexcept {
    return std::hash<Uuid>{}(ref.id) + static_cast<size_t>(ref.kind);
  }
};

inline Kind kind_of(const Object& object) { return static_cast<Kind>(object.index()); }
inline Uuid id_of(const Object& object) {
  return std::visit([](const auto& value) { return value.id.uuid(); }, object);
}
inline ObjectRef ref_of(const Object& object) { return {kind_of(object), id_of(object)}; }
inline uint64_t revision_of(const Object& object) {
  return std::visit([](const auto& value) { return value.revision; }, object);
}
// Empty for kinds without a name.
inline std::string name_of(const Object& object) {
  return std::visit(
      [](const auto& value) -> std::string {
        if constexpr (requires { value.name; }) return value.name;
        return {};
      },
      object);
}

// "bridge", "static-mac": as the command line and errors write it.
std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view text);

}  // namespace viaduct::topology
