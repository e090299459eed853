// Load balancers, pools, members, VIPs, health monitors.
#include "api/midonet_cli/objects/parts.hpp"

namespace viaduct::api::midonet_cli {
namespace {

constexpr std::array<Word, 2> kPersistence = {{{"SOURCE_IP", "SOURCE_IP"}, {"NONE", ""}}};
constexpr std::array<Word, 1> kMethods = {{{"ROUND_ROBIN", "ROUND_ROBIN"}}};
constexpr std::array<Word, 3> kProtocols = {{{"TCP", "TCP"}, {"UDP", "UDP"}, {"SCTP", "SCTP"}}};
constexpr std::array<Word, 4> kChecks = {{{"TCP", "TCP"}, {"UDP", "UDP"}, {"PING", "PING"}, {"HTTP", "HTTP"}}};

// A new one is up, whatever is asked for.
constexpr Field kUpWhenNew = marked(kStateField, kLater);

constexpr std::array kVipFields = std::to_array<Field>({
    kIdField,
    marked(reference("load-balancer", "loadBalancerId", "load-balancer"), kReadOnly),
    text("address", "address"),
    number("protocol-port", "protocolPort"),
    choice("persistence", "sessionPersistence", kPersistence),
    kStateField,
});
constexpr Object kVip{.name = "vip", .title = "VIP", .fields = kVipFields};

constexpr std::array kMemberFields = std::to_array<Field>({
    kIdField,
    marked(text("address", "address"), kFixed),
    marked(number("protocol-port", "protocolPort"), kFixed),
    number("weight", "weight"),
    kUpWhenNew,
    marked(text("status", "status"), kReadOnly),
});
constexpr Object kPoolMember{.name = "pm", .title = "pool member", .fields = kMemberFields};

constexpr std::array kPoolFields = std::to_array<Field>({
    kIdField,
    reference("load-balancer", "loadBalancerId", "load-balancer"),
    reference("health-monitor", "healthMonitorId", "health-monitor"),
    choice("lb-method", "lbMethod", kMethods),
    choice("protocol", "protocol", kProtocols),
    kStateField,
    marked(text("status", "status"), kReadOnly | kHidden),
});
constexpr std::array kPoolCollections = {
    Collection{.name = "member", .of = &kPoolMember, .path = "pool_members", .one = "pool_members", .parent = "poolId"},
    Collection{.name = "vip", .of = &kVip, .path = "vips", .one = "vips", .parent = "poolId"},
};
constexpr Object kPool{.name = "pool", .title = "pool", .fields = kPoolFields, .collections = kPoolCollections};

// The router names its load balancer; the API refuses the other way round, and takes a null without heed.
constexpr std::array kBalancerFields =
    std::to_array<Field>({kIdField, marked(reference("router", "routerId", "router"), kReadOnly), kStateField});
constexpr std::array kBalancerCollections = {
    Collection{.name = "pool", .of = &kPool, .path = "pools", .one = "pools", .parent = "loadBalancerId"},
    Collection{.name = "vip", .of = &kVip, .path = "vips", .one = "vips", .parent = "loadBalancerId", .verbs = kList},
};

constexpr std::array kMonitorFields = std::to_array<Field>({
    kIdField,
    number("delay", "delay"),
    number("timeout", "timeout"),
    number("max-retries", "maxRetries"),
    kUpWhenNew,
    marked(text("status", "status"), kReadOnly),
    choice("type", "type", kChecks),
});
constexpr std::array kMonitorCollections = {
    Collection{
        .name = "pool", .of = &kPool, .path = "pools", .one = "pools", .parent = "healthMonitorId", .verbs = kList},
};

}  // namespace

const Object kLoadBalancer{
    .name = "lb", .title = "load balancer", .fields = kBalancerFields, .collections = kBalancerCollections};
const Object kHealthMonitor{
    .name = "hm", .title = "health monitor", .fields = kMonitorFields, .collections = kMonitorCollections};

}  // namespace viaduct::api::midonet_cli
