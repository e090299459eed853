// Load balancing.
#include "api/client/kinds_parts.hpp"

namespace viaduct::api {
namespace {

using enum FieldType;

constexpr Field port_field(std::string_view help) {
  return {.name = "port",
          .option = "port",
          .schema = "port",
          .type = number,
          .help = help,
          .presence = Presence::required,
          .minimum = 1,
          .maximum = 65535};
}
constexpr Field ip_field(std::string_view help) {
  return {.name = "address",
          .option = "ip",
          .schema = "address",
          .type = address,
          .help = help,
          .presence = Presence::required};
}
constexpr Field seconds_field(std::string_view name, std::string_view help) {
  return {.name = name, .option = name, .schema = name, .type = number, .help = help, .minimum = 1, .maximum = 3600};
}
constexpr Field sticky_field(std::string_view help) {
  return {.name = "sticky", .option = "sticky", .schema = "sticky", .type = boolean, .help = help};
}

constexpr std::array kLoadBalancerFields = {kName, kTenant, kAdminUp};

constexpr std::array<std::string_view, 3> kProtocols = {"tcp", "udp", "sctp"};
constexpr std::array kPoolFields = {
    kName,
    loose(reference_field("load_balancer", "load-balancer", "loadBalancer", Kind::LOAD_BALANCER,
                          "Load balancer that uses the pool; none: it balances nothing")),
    loose(reference_field("health_monitor", "health-monitor", "healthMonitor", Kind::HEALTH_MONITOR,
                          "What checks the members; none: they count as healthy")),
    Field{.name = "protocol",
          .option = "protocol",
          .schema = "protocol",
          .type = choice,
          .help = "Of its VIPs and members",
          .choices = kProtocols},
    sticky_field("A client's connections go to one member, by its address: true or false"),
    kAdminUp,
};
constexpr std::array kPoolMemberFields = {
    reference_field("pool", "pool", "pool", Kind::POOL, "Pool that it is in", Presence::required),
    ip_field("Where connections go"),
    port_field("Port there"),
    Field{.name = "weight",
          .option = "weight",
          .schema = "weight",
          .type = number,
          .help = "Share of new connections (default 1); 0: none, those that it has go on",
          .maximum = 65535},
    kAdminUp,
};
constexpr std::array kVipFields = {
    kName,
    reference_field("pool", "pool", "pool", Kind::POOL, "Pool that it stands for", Presence::required),
    ip_field("Where clients connect to"),
    port_field("Port there"),
    sticky_field("As of the pool: true or false"),
    kAdminUp,
};
constexpr std::array<std::string_view, 4> kChecks = {"tcp", "udp", "icmp", "http"};
constexpr std::array kHealthMonitorFields = {
    kName,
    Field{.name = "type",
          .option = "type",
          .schema = "type",
          .type = choice,
          .help = "How members are checked",
          .choices = kChecks},
    seconds_field("delay", "Seconds between checks (default 5)"),
    seconds_field("timeout", "Seconds until a check has failed, at most the delay (default 5)"),
    Field{.name = "max_retries",
          .option = "max-retries",
          .schema = "maxRetries",
          .type = number,
          .help = "Failures in a row until a member is down, successes until it is up (default 3)",
          .minimum = 1,
          .maximum = 100},
    Field{.name = "http_path",
          .option = "http-path",
          .schema = "httpPath",
          .type = text,
          .help = "HTTP: what to ask for (default /)",
          .column = Column::hidden},
    Field{.name = "http_status",
          .option = "http-status",
          .schema = "httpStatus",
          .type = number,
          .help = "HTTP: the answer of a healthy member (default 200)",
          .column = Column::hidden,
          .minimum = 100,
          .maximum = 599},
    kAdminUp,
};

constexpr std::array<std::string_view, 2> kMemberKey = {"address", "port"};
constexpr std::array<std::string_view, 1> kInPool = {"pool"};
constexpr std::array<std::string_view, 1> kInBalancer = {"load_balancer"};
constexpr std::array kShownWithBalancer = {Kind::ROUTER, Kind::POOL};
constexpr std::array kShownWithPool = {Kind::VIP, Kind::POOL_MEMBER};
constexpr std::array kShownWithMonitor = {Kind::POOL};

constexpr std::array<KindInfo, 5> kBalancingKinds = {{
    {Kind::LOAD_BALANCER,
     "load-balancer",
     "load-balancers",
     "loadBalancer",
     "Layer-4 load balancers; a router names its own",
     "  viaduct load-balancer create front\n"
     "  viaduct router set r1 --load-balancer front\n",
     kLoadBalancerFields,
     kNameKey,
     {},
     kShownWithBalancer},
    {Kind::POOL, "pool", "pools", "pool", "Pools: members that share the connections to VIPs",
     "  viaduct pool create web --load-balancer front\n"
     "  viaduct pool create dns --load-balancer front --protocol udp --health-monitor ping\n",
     kPoolFields, kNameKey, kInBalancer, kShownWithPool},
    {Kind::POOL_MEMBER, "pool-member", "pool-members", "poolMember", "Members of pools",
     "  viaduct pool-member create --pool web --ip 10.0.1.10 --port 8080\n"
     "  viaduct pool-member create --pool web --ip 10.0.1.11 --port 8080 --weight 3\n",
     kPoolMemberFields, kMemberKey, kInPool},
    {Kind::VIP, "vip", "vips", "vip", "Virtual addresses that stand for pools",
     "  viaduct vip create www --pool web --ip 203.0.113.10 --port 80\n", kVipFields, kNameKey, kInPool},
    {Kind::HEALTH_MONITOR,
     "health-monitor",
     "health-monitors",
     "healthMonitor",
     "How the members of pools are checked",
     "  viaduct health-monitor create ping --type icmp --delay 2 --timeout 1\n"
     "  viaduct health-monitor create site --type http --http-path /ok\n",
     kHealthMonitorFields,
     kNameKey,
     {},
     kShownWithMonitor},
}};

}  // namespace

std::span<const KindInfo> balancing_kinds() { return kBalancingKinds; }

}  // namespace viaduct::api
