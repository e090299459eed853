// Load balancers, pools, members, VIPs, health monitors.
#include <algorithm>

#include "api/rest/document.hpp"
#include "api/rest/resources/parts.hpp"

namespace viaduct::api::rest {
namespace {

// --- load balancers ----------------------------------------------------------------------------------

// A router names its load balancer; this is the other way round.
Uuid router_of(Context& context, const Record& balancer) {
  auto routers = context.naming(Kind::ROUTER, "load_balancer", balancer.id());
  return routers && !routers->empty() ? routers->front().id() : Uuid{};
}
void emit_router(const Emission& emission, Json& value) {
  const Uuid id = router_of(emission.context(), emission.record());
  value = id.is_nil() ? Json(nullptr) : Json(id.to_string());
}
void take_router(Intake& intake, const Json& value) {
  auto id = intake.id("routerId", value);
  if (!id || id->is_nil()) return;
  if (intake.intent() == Intent::update && *id == router_of(intake.context(), intake.record())) return;
  intake.wrong("routerId", "follows from the router's loadBalancerId: set that");
}
std::string router_link(const Emission& emission) {
  return emission.uri_of("routers", router_of(emission.context(), emission.record()));
}
constexpr std::array kBalancerMembers = {
    kId,
    Member{.name = "routerId", .shape = Shape::special, .emit = emit_router, .take = take_router},
    kAdminStateUp,
};
constexpr std::array kBalancerLinks = {Link{.name = "router", .make = router_link}, child_link("pools", "/pools"),
                                       child_link("vips", "/vips")};

// --- pools -------------------------------------------------------------------------------------------

constexpr std::array<Word, 3> kProtocols = {{{"TCP", "tcp"}, {"UDP", "udp"}, {"SCTP", "sctp"}}};
void emit_method(const Emission&, Json& value) { value = "ROUND_ROBIN"; }
void take_method(Intake& intake, const Json& value) {
  if (value != "ROUND_ROBIN") intake.wrong("lbMethod", "must be ROUND_ROBIN");
}
void emit_status(const Emission& emission, Json& value) {
  value = emission.record().get("admin_up") == Value(true) ? "ACTIVE" : "INACTIVE";
}
// As health checks have found it, where a monitor is asked for.
void emit_member_status(const Emission& emission, Json& value) {
  emit_status(emission, value);
  if (value != "ACTIVE") return;
  auto pool = emission.context().find(Kind::POOL, emission.record().reference("pool"));
  if (!pool || pool->reference("health_monitor").is_nil()) return;
  const auto healthy = emission.context().facts().is_healthy(emission.record().id());
  value = healthy ? (*healthy ? "ACTIVE" : "INACTIVE") : "MONITORED";
}
constexpr Member kMemberStatus{
    .name = "status", .shape = Shape::special, .direction = Direction::out, .emit = emit_member_status};
constexpr Member kStatus{.name = "status", .shape = Shape::special, .direction = Direction::out, .emit = emit_status};
constexpr std::array kPoolMembersTable = {
    kId,
    kAdminStateUp,
    reference_member("healthMonitorId", "health_monitor"),
    reference_member("loadBalancerId", "load_balancer"),
    Member{.name = "protocol", .field = "protocol", .shape = Shape::choice, .fallback = "\"TCP\"", .words = kProtocols},
    Member{.name = "lbMethod", .shape = Shape::special, .required = true, .emit = emit_method, .take = take_method},
    kStatus,
};
constexpr std::array kPoolLinks = {
    reference_link("healthMonitor", "health_monitors", "health_monitor"),
    reference_link("loadBalancer", "load_balancers", "load_balancer"),
    child_link("vips", "/vips"),
    child_link("poolMembers", "/pool_members"),
};

// --- members -----------------------------------------------------------------------------------------

// MidoNet: a new one is always up, and one that a PUT does not say anything of is down.
void emit_up(const Emission& emission, Json& value) { value = to_json(emission.record().get("admin_up")); }
void take_up(Intake& intake, const Json& value) {
  auto up = intake.boolean("adminStateUp", value);
  if (up) intake.record().set("admin_up", intake.intent() == Intent::create || *up);
}
constexpr Member kUpWhenNew{.name = "adminStateUp", .shape = Shape::special, .emit = emit_up, .take = take_up};

constexpr std::array kMemberMembers = {
    kId,
    kUpWhenNew,
    kMemberStatus,
    Member{.name = "poolId", .field = "pool", .shape = Shape::reference, .required = true},
    Member{.name = "address",
           .field = "address",
           .shape = Shape::address,
           .direction = Direction::create,
           .required = true},
    Member{.name = "protocolPort",
           .field = "port",
           .shape = Shape::number,
           .direction = Direction::create,
           .most = 65'535},
    Member{.name = "weight", .field = "weight", .shape = Shape::number, .least = 1, .most = 65'535, .fallback = "1"},
};
constexpr std::array kMemberLinks = {reference_link("pool", "pools", "pool")};

// --- VIPs --------------------------------------------------------------------------------------------

Uuid balancer_of(const Emission& emission) {
  auto pool = emission.context().find(Kind::POOL, emission.record().reference("pool"));
  return pool ? pool->reference("load_balancer") : Uuid{};
}
void emit_balancer(const Emission& emission, Json& value) {
  const Uuid id = balancer_of(emission);
  value = id.is_nil() ? Json(nullptr) : Json(id.to_string());
}
std::string balancer_link(const Emission& emission) { return emission.uri_of("load_balancers", balancer_of(emission)); }
void emit_persistence(const Emission& emission, Json& value) {
  if (emission.record().get("sticky") == Value(true)) value = "SOURCE_IP";
}
void take_persistence(Intake& intake, const Json& value) {
  const bool none = value.is_null() || value == "";
  if (!none && value != "SOURCE_IP") return intake.wrong("sessionPersistence", "must be SOURCE_IP or null");
  intake.record().set("sticky", !none);
}
constexpr std::array kVipMembers = {
    kId,
    kAdminStateUp,
    Member{.name = "loadBalancerId", .shape = Shape::special, .direction = Direction::out, .emit = emit_balancer},
    Member{.name = "poolId", .field = "pool", .shape = Shape::reference, .required = true},
    Member{.name = "address", .field = "address", .shape = Shape::address, .required = true},
    Member{.name = "protocolPort", .field = "port", .shape = Shape::number, .most = 65'535},
    Member{.name = "sessionPersistence", .shape = Shape::special, .emit = emit_persistence, .take = take_persistence},
};
// MidoNet: 400 for a pool that is not there, where other references are a 404.
void finish_vip(Intake& intake) {
  const Uuid pool = intake.record().reference("pool");
  if (!intake.context().find(Kind::POOL, pool)) intake.wrong("poolId", "names no pool");
}
constexpr std::array kVipLinks = {Link{.name = "loadBalancer", .make = balancer_link},
                                  reference_link("pool", "pools", "pool")};

// --- health monitors ---------------------------------------------------------------------------------

constexpr std::array<Word, 4> kChecks = {{{"TCP", "tcp"}, {"UDP", "udp"}, {"PING", "icmp"}, {"HTTP", "http"}}};
// MidoNet's clients leave these out, which is 0 there: then they are what the schema has, within what the other one allows.
void finish_monitor(Intake& intake) {
  constexpr uint64_t kDelay = 5, kTimeout = 5, kRetries = 3;
  Record& record = intake.record();
  const auto number = [&](std::string_view field) {
    const auto* value = std::get_if<uint64_t>(&record.get(field));
    return value == nullptr ? uint64_t{0} : *value;
  };
  const uint64_t delay = number("delay"), timeout = number("timeout");
  if (delay == 0) record.set("delay", std::max(kDelay, timeout));
  if (timeout == 0) record.set("timeout", delay == 0 ? kTimeout : std::min(kTimeout, delay));
  if (number("max_retries") == 0) record.set("max_retries", kRetries);
}
constexpr Member timing(std::string_view name, std::string_view field) {
  return {.name = name, .field = field, .shape = Shape::number, .least = 0, .most = 0xffff'ffff};
}
constexpr std::array kMonitorMembers = {
    kId,
    kUpWhenNew,
    Member{.name = "type", .field = "type", .shape = Shape::choice, .required = true, .words = kChecks},
    timing("delay", "delay"),
    timing("timeout", "timeout"),
    timing("maxRetries", "max_retries"),
};
constexpr std::array kMonitorLinks = {child_link("pools", "/pools")};

}  // namespace

const Resource kLoadBalancers{.path = "load_balancers",
                              .kind = Kind::LOAD_BALANCER,
                              .media = "LoadBalancer",
                              .versions = kVersion1,
                              .verbs = kAllVerbs,
                              .members = kBalancerMembers,
                              .links = kBalancerLinks,
                              .root_collection = "loadBalancers",
                              .root_template = "loadBalancerTemplate"};
const Resource kPools{.path = "pools",
                      .kind = Kind::POOL,
                      .media = "Pool",
                      .versions = kVersion1,
                      .verbs = kAllVerbs,
                      .members = kPoolMembersTable,
                      .links = kPoolLinks,
                      .root_collection = "pools",
                      .root_template = "poolTemplate"};
const Resource kPoolMembers{.path = "pool_members",
                            .kind = Kind::POOL_MEMBER,
                            .media = "PoolMember",
                            .versions = kVersion1,
                            .verbs = kAllVerbs,
                            .members = kMemberMembers,
                            .links = kMemberLinks,
                            .root_collection = "poolMembers",
                            .root_template = "poolMemberTemplate"};
const Resource kVips{.path = "vips",
                     .kind = Kind::VIP,
                     .media = "VIP",
                     .versions = kVersion1,
                     .verbs = kAllVerbs,
                     .members = kVipMembers,
                     .links = kVipLinks,
                     .finish = finish_vip,
                     .root_collection = "vips",
                     .root_template = "vipTemplate"};
const Resource kHealthMonitors{.path = "health_monitors",
                               .kind = Kind::HEALTH_MONITOR,
                               .media = "HealthMonitor",
                               .versions = kVersion1,
                               .verbs = kAllVerbs,
                               .members = kMonitorMembers,
                               .links = kMonitorLinks,
                               .finish = finish_monitor,
                               .root_collection = "healthMonitors",
                               .root_template = "healthMonitorTemplate"};

}  // namespace viaduct::api::rest
