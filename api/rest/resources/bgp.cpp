// BGP peers and networks of routers.
#include "api/rest/document.hpp"
#include "api/rest/resources/parts.hpp"

namespace viaduct::api::rest {
namespace {

constexpr std::array kNetworkMembers = {
    kId,
    Member{.name = "subnetAddress", .field = "prefix", .shape = Shape::prefix_address, .required = true},
    Member{.name = "subnetLength", .field = "prefix", .shape = Shape::prefix_length},
};

// MidoNet's ranges are narrower than ours.
constexpr Member timer(std::string_view name, std::string_view field, int64_t most) {
  return {.name = name, .field = field, .shape = Shape::optional_number, .least = 5, .most = most};
}
// In clear, as MidoNet's clients expect; to readers it is null, as if there were none.
void emit_password(const Emission& emission, Json& value) {
  const auto* text = std::get_if<std::string>(&emission.record().get("password"));
  if (text != nullptr && !text->empty() && emission.context().shows_secrets()) value = *text;
}
void take_password(Intake& intake, const Json& value) {
  if (auto text = intake.text("password", value)) intake.record().set("password", *text);
}
constexpr std::array kPeerMembers = {
    kId,
    Member{.name = "asNumber",
           .field = "as_number",
           .shape = Shape::number,
           .required = true,
           .least = 1,
           .most = 0xffff'ffff},
    Member{.name = "address", .field = "address", .shape = Shape::address, .required = true},
    timer("keepAlive", "keep_alive", 3600),
    timer("holdTime", "hold_time", 7200),
    timer("connectRetry", "connect_retry", 3600),
    Member{.name = "password", .shape = Shape::special, .emit = emit_password, .take = take_password},
};
constexpr std::array kLinks = {reference_link("router", "routers", "router")};

}  // namespace

const Resource kBgpNetworks{.path = "bgp_networks",
                            .kind = Kind::BGP_NETWORK,
                            .media = "BgpNetwork",
                            .versions = kVersion1,
                            .verbs = kGet | kRemove,
                            .members = kNetworkMembers,
                            .links = kLinks,
                            .root_template = "bgpNetworkTemplate"};
const Resource kBgpPeers{.path = "bgp_peers",
                         .kind = Kind::BGP_PEER,
                         .media = "BgpPeer",
                         .versions = kVersion1,
                         .verbs = kGet | kUpdate | kRemove,
                         .members = kPeerMembers,
                         .links = kLinks,
                         .root_template = "bgpPeerTemplate"};

}  // namespace viaduct::api::rest
