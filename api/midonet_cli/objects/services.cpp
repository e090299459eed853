// What MidoNet has besides: VTEPs, mirrors, insertions, traces, containers, quality of service, tenants. The API says of each
// whether this version has it.
#include "api/midonet_cli/objects/parts.hpp"

namespace viaduct::api::midonet_cli {
namespace {

constexpr std::array kStateFields =
    std::to_array<Field>({seen(text("state", "state")), seen(text("availability", "availability"))});

constexpr std::array kTenantFields = std::to_array<Field>({
    seen(text("tenant-id", "id")),
    seen(kNameField),
    seen(text("description", "description")),
    seen(flag("enabled", "enabled")),
});

constexpr std::array kVtepBindingFields = std::to_array<Field>({
    seen(text("management-ip", "mgmtIp")),
    text("physical-port", "portName"),
    number("vlan", "vlanId"),
    reference("network-id", "networkId", "bridge"),
});
constexpr Object kVtepBinding{.name = "binding", .title = "VTEP binding", .fields = kVtepBindingFields};
constexpr std::array kVtepPortFields =
    std::to_array<Field>({seen(kNameField), seen(text("description", "description"))});
constexpr Object kVtepPort{.name = "port", .title = "VTEP port", .fields = kVtepPortFields};
constexpr std::array kVtepFields = std::to_array<Field>({
    kIdField,
    seen(kNameField),
    seen(text("description", "description")),
    text("management-ip", "managementIp"),
    number("management-port", "managementPort"),
    reference("tunnel-zone", "tunnelZoneId", "tunnel-zone"),
    seen(text("connection-state", "connectionState")),
});
constexpr std::array kVtepCollections = {
    Collection{.name = "binding", .of = &kVtepBinding, .path = "bindings"},
    Collection{.name = "port", .of = &kVtepPort, .path = "ports", .verbs = kList},
};

constexpr Field traced(std::string_view of) {
  return {.name = of, .member = "deviceId", .form = Form::device, .of = of};
}
constexpr std::array kTraceOwnFields = std::to_array<Field>({
    kIdField,
    kNameField,
    traced("port"),
    traced("router"),
    traced("bridge"),
    number("limit", "limit"),
    flag("enabled", "enabled"),
});
constexpr auto kTraceFields = join(condition("condition"), kTraceOwnFields);

constexpr auto kMatchFields = condition();
constexpr Object kMatch{.name = "match", .title = "match of a mirror", .fields = kMatchFields};
constexpr std::array kMirrorFields = std::to_array<Field>({kIdField, reference("to-port", "toPortId", "port")});
constexpr std::array kMirrorCollections = {Collection{.name = "matches", .of = &kMatch, .embedded = "conditions"}};

constexpr std::array kInsertionFields = std::to_array<Field>({
    kIdField,
    reference("port", "portId", "port"),
    reference("srv-port", "srvPortId", "port"),
    number("vlan", "vlan"),
    number("pos", "position"),
    flag("fail-open", "failOpen"),
    text("mac", "mac"),
});

constexpr std::array<Word, 5> kContainerStates = {{{"starting", "STARTING"},
                                                   {"running", "RUNNING"},
                                                   {"stopping", "STOPPING"},
                                                   {"stopped", "STOPPED"},
                                                   {"error", "ERROR"}}};
constexpr std::array kContainerFields = std::to_array<Field>({
    kIdField,
    marked(reference("container-group", "serviceGroupId", "container-group"), kFixed),
    marked(text("configuration", "configurationId"), kFixed),
    marked(reference("port", "portId", "port"), kFixed),
    marked(text("type", "serviceType"), kFixed),
    seen(choice("status", "statusCode", kContainerStates)),
    reference("host", "hostId", "host"),
    seen(text("namespace", "namespaceName")),
    seen(text("interface", "interfaceName")),
    marked(text("status-message", "statusMessage"), kReadOnly | kHidden),
});
constexpr std::array<Word, 2> kPolicies = {{{"weighted", "WEIGHTED"}, {"least", "LEAST"}}};
constexpr std::array kContainerGroupFields = std::to_array<Field>(
    {kIdField, choice("policy", "policy", kPolicies), reference("port-group", "portGroupId", "port-group")});

constexpr std::array kDscpFields = std::to_array<Field>({
    kIdField,
    marked(reference("policy", "policyId", "qos-policy"), kReadOnly | kHidden),
    number("dscp-mark", "dscpMark"),
});
constexpr Object kDscpRule{.name = "qos-dscp-rule", .title = "DSCP rule", .fields = kDscpFields};
constexpr std::array kBandwidthFields = std::to_array<Field>({
    kIdField,
    marked(reference("policy", "policyId", "qos-policy"), kReadOnly | kHidden),
    number("max-kbps", "maxKbps"),
    {.name = "max-burst-kb", .member = "maxBurstKb", .form = Form::number, .also = "max-burst-kbps"},
});
constexpr Object kBandwidthRule{.name = "qos-bw-limit-rule", .title = "bandwidth rule", .fields = kBandwidthFields};
constexpr std::array kQosFields = std::to_array<Field>({
    kIdField,
    {.name = "tenant", .member = "tenant_id", .marks = kHidden},
    kNameField,
    text("description", "description"),
    flag("shared", "shared"),
});
constexpr std::array kQosCollections = {
    Collection{
        .name = "dscp-rule", .of = &kDscpRule, .path = "qos_dscp_rules", .one = "qos_dscp_rules", .parent = "policyId"},
    Collection{.name = "bw-limit-rule",
               .of = &kBandwidthRule,
               .path = "qos_bw_limit_rules",
               .one = "qos_bw_limit_rules",
               .parent = "policyId"},
};

constexpr std::array kStatisticFields = std::to_array<Field>({
    kIdField,
    seen(number("bytes-in", "bytesIn")),
    seen(number("bytes-out", "bytesOut")),
    seen(number("active-connections", "activeConnections")),
    seen(number("total-connections", "totalConnections")),
    seen(reference("pool", "poolId", "pool")),
});

}  // namespace

const Object kSystemState{.name = "system_state", .title = "system state", .fields = kStateFields};
const Object kTenant{.name = "tenant", .title = "tenant", .fields = kTenantFields};
const Object kVtep{.name = "vtep", .title = "VTEP", .fields = kVtepFields, .collections = kVtepCollections};
const Object kTraceRequest{.name = "tr", .title = "trace request", .fields = kTraceFields};
const Object kMirror{.name = "mirror", .title = "mirror", .fields = kMirrorFields, .collections = kMirrorCollections};
const Object kL2Insertion{.name = "l2insertion", .title = "L2 insertion", .fields = kInsertionFields};
const Object kContainer{.name = "container", .title = "container", .fields = kContainerFields};

namespace {

const std::array kGroupCollections = {Collection{.name = "container",
                                                 .of = &kContainer,
                                                 .path = "service_containers",
                                                 .one = "service_containers",
                                                 .parent = "serviceGroupId"}};

}  // namespace

const Object kContainerGroup{
    .name = "cgroup", .title = "container group", .fields = kContainerGroupFields, .collections = kGroupCollections};
const Object kQosPolicy{.name = "qos-policy",
                        .title = "QoS policy",
                        .fields = kQosFields,
                        .collections = kQosCollections,
                        .tenant = "tenant_id"};
const Object kPoolStatistic{.name = "ps", .title = "pool statistic", .fields = kStatisticFields};

}  // namespace viaduct::api::midonet_cli
