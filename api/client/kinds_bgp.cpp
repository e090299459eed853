// BGP.
#include "api/client/kinds_parts.hpp"

namespace viaduct::api {
namespace {

using enum FieldType;

constexpr Field timer_field(std::string_view name, std::string_view option, std::string_view schema, uint64_t least,
                            uint64_t greatest, std::string_view help) {
  return {.name = name,
          .option = option,
          .schema = schema,
          .type = number,
          .help = help,
          .column = Column::hidden,
          .minimum = least,
          .maximum = greatest};
}
constexpr Field rules_field(std::string_view name, std::string_view option, std::string_view schema,
                            std::string_view help) {
  return {
      .name = name, .option = option, .schema = schema, .type = prefix_rules, .help = help, .column = Column::hidden};
}

constexpr std::array kBgpPeerFields = {
    kName,
    reference_field("router", "router", "router", Kind::ROUTER, "Router that speaks with it", Presence::required),
    Field{.name = "address",
          .option = "ip",
          .schema = "address",
          .type = address,
          .help = "The peer's address, in a subnet of a port of the router (but see --multihop)",
          .presence = Presence::required},
    Field{.name = "as_number",
          .option = "as-number",
          .schema = "asNumber",
          .type = number,
          .help = "The peer's AS number; the router's own makes it iBGP",
          .presence = Presence::required,
          .minimum = 1,
          .maximum = kMaxAsNumber},
    kAdminUp,
    timer_field("keep_alive", "keep-alive", "keepAlive", 1, 3600, "Seconds between keepalives (default 60)"),
    timer_field("hold_time", "hold-time", "holdTime", 3, 7200,
                "Seconds of silence until the session has failed, more than --keep-alive (default 180)"),
    timer_field("connect_retry", "connect-retry", "connectRetry", 1, 3600,
                "Seconds between attempts to connect (default 5)"),
    Field{.name = "password",
          .option = "password",
          .schema = "password",
          .type = secret,
          .help =
              "Of TCP MD5 signatures, at most 80 printable ASCII characters without spaces and quotes; never shown. "
              "Other users see command lines: apply takes it from a file"},
    Field{.name = "bfd",
          .option = "bfd",
          .schema = "bfd",
          .type = boolean,
          .help = "BFD decides, too, whether the peer lives: true or false"},
    Field{.name = "multihop",
          .option = "multihop",
          .schema = "multihop",
          .type = number,
          .help = "The peer is on no link of the router: greatest number of hops (TTL) to it; 0: it is on a link",
          .maximum = 255},
    Field{.name = "graceful_restart",
          .option = "graceful-restart",
          .schema = "gracefulRestart",
          .type = boolean,
          .help = "Routes stay while one of the two restarts (RFC 4724): true (the default) or false",
          .column = Column::hidden},
    Field{.name = "prefix_limit",
          .option = "prefix-limit",
          .schema = "prefixLimit",
          .type = number,
          .help = "Greatest number of routes taken from it (default 10000); 0: none are",
          .column = Column::hidden,
          .maximum = 0xffff'ffff},
    rules_field("import_filter", "import-filter", "importFilter",
                "Rule for what it announces: permit or deny PREFIX [ge LENGTH] [le LENGTH]; give it once for each, the "
                "first that holds a prefix decides, what none holds is refused; no rules: all is taken"),
    rules_field("export_filter", "export-filter", "exportFilter", "As --import-filter, for what it is told"),
};
constexpr std::array kBgpNetworkFields = {
    reference_field("router", "router", "router", Kind::ROUTER, "Router that announces it", Presence::required),
    Field{.name = "prefix",
          .option = "prefix",
          .schema = "prefix",
          .type = prefix,
          .help = "What is announced; 0.0.0.0/0 or ::/0: a default route",
          .presence = Presence::required},
};

constexpr std::array<std::string_view, 1> kNetworkKey = {"prefix"};
constexpr std::array<std::string_view, 1> kOfRouter = {"router"};

constexpr std::array<KindInfo, 2> kBgpKinds = {{
    {Kind::BGP_PEER, "bgp-peer", "bgp-peers", "bgpPeer", "Whom routers speak BGP with",
     "  viaduct bgp-peer create tor1 --router edge --ip 192.0.2.1 --as-number 65001 --bfd true\n"
     "  viaduct bgp-peer create far --router edge --ip 203.0.113.1 --as-number 65002 --multihop 4 \\\n"
     "      --import-filter 'permit 10.0.0.0/8 ge 16 le 24' --export-filter 'deny 0.0.0.0/0' \\\n"
     "      --export-filter 'permit 0.0.0.0/0 le 32'\n",
     kBgpPeerFields, kNameKey, kOfRouter},
    {Kind::BGP_NETWORK, "bgp-network", "bgp-networks", "bgpNetwork",
     "Prefixes that routers announce to their BGP peers",
     "  viaduct bgp-network create --router edge --prefix 198.51.100.0/24\n", kBgpNetworkFields, kNetworkKey,
     kOfRouter},
}};

}  // namespace

std::span<const KindInfo> bgp_kinds() { return kBgpKinds; }

}  // namespace viaduct::api
