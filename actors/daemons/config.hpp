// What viaductd can be told: every key of its configuration file, the default, unit, range, whether it can change while
// the daemon runs, and what it means.
//
// Config holds the values and the defaults; kSettings, below, is the one table that describes them. The reader of the
// file (config_file.hpp), the command line (command_line.hpp), the annotated print and the manual's list
// (config_text.hpp) and the comparison on SIGHUP (config_change.hpp) all walk that table: a key exists once.
//
// A text whose default is empty may be left empty: "not set". Threads: values.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace viaduct::actors {

struct Config {
  using Texts = std::vector<std::string>;
  using seconds = std::chrono::seconds;
  using milliseconds = std::chrono::milliseconds;

  Texts roles = {"cluster", "agent"};
  std::string state_dir = "/var/lib/viaduct";
  std::string run_dir = "/run/viaduct";
  struct Host {
    std::string name;
  } host;
  struct Datapath {
    std::string kind = "auto";
    std::string name = "viaduct";
    unsigned workers = 0;
    size_t max_flows = 100'000;
    seconds flow_idle_timeout{10};
  } datapath;
  struct Bridge {
    seconds mac_timeout{15};
  } bridge;
  struct Connections {
    size_t max = 262'144;
    size_t per_port = 131'072;
    size_t per_tenant = 196'608;
    milliseconds patience{300};
    seconds timeout_tcp_opening{60};
    seconds timeout_tcp_established{7'440};
    seconds timeout_tcp_closing{120};
    seconds timeout_tcp_closed{10};
    seconds timeout_udp_opening{30};
    seconds timeout_udp_established{300};
    seconds timeout_icmp{60};
    seconds timeout_other{600};
    seconds timeout_sticky{3'600};
    seconds timeout_fragment{30};
  } connections;
  struct Nat {
    seconds block_quarantine{300};
  } nat;
  struct Admin {
    uint16_t port = 6677;
  } admin;
  struct Metrics {
    uint16_t port = 9464;
    std::string address = "127.0.0.1";
  } metrics;
  struct Rest {
    std::string address = "127.0.0.1";
    uint16_t port = 8181;
    std::string authentication = "token";
    std::string tokens;
    std::string passwords;
    seconds token_lifetime{86'400};
    unsigned requests_per_second = 1'000;
    unsigned burst = 2'000;
    std::string keystone_url;
    std::string keystone_user;
    std::string keystone_password_file;
    std::string keystone_project;
    std::string keystone_domain = "Default";
    std::string keystone_ca;
    std::string keystone_admin_role = "admin";
    std::string keystone_reader_role = "reader";
    std::string keystone_member_role = "member";
    std::string certificate;
    std::string key;
  } rest;
  struct Log {
    std::string levels = "info";
  } log;
  struct FlowLog {
    std::string file;
    std::string ipfix;
    uint32_t ipfix_domain = 1;
    seconds ipfix_templates{600};
    unsigned sample = 1;
    unsigned sample_drops = 1;
    unsigned max_rate = 10'000;
    bool per_connection = false;
  } flow_log;
  struct Cluster {
    std::string listen;
    seconds lease{10};
    size_t history = 10'000;
  } cluster;
  struct Agent {
    Texts cluster;
    milliseconds reconnect_min{100};
    milliseconds reconnect_max{2'000};
  } agent;
  struct Tls {
    std::string ca;
    std::string certificate;
    std::string key;
    std::string revoked;
  } tls;
  struct Etcd {
    Texts endpoints;
    std::string user;
    std::string password_file;
    std::string ca;
    std::string certificate;
    std::string key;
    std::string prefix = "/viaduct/";
  } etcd;
  struct Underlay {
    uint16_t vxlan_port = 6677;
    bool copy_dscp = false;
    milliseconds probe_interval{250};
    unsigned probe_multiplier = 3;
    unsigned mtu = 0;
  } underlay;

  bool has_role(std::string_view role) const;
  // Speaks with other hosts, and therefore needs [tls].
  bool is_distributed() const { return !cluster.listen.empty() || !agent.cluster.empty(); }
};

// --- how a setting is described ---------------------------------------------------------------------------------------

using SettingValue = std::variant<bool, uint64_t, std::string, std::vector<std::string>>;
enum class Unit : uint8_t { none, seconds, milliseconds, bytes };
enum class Change : uint8_t { live, restart };

// Which values are accepted. Of numbers the range, of texts (each of a list) a predicate and how people call what fits.
struct Allowed {
  uint64_t least = 0;
  uint64_t most = 0;
  bool zero_too = false;
  Unit unit = Unit::none;
  std::string_view phrase;
  bool (*fits)(std::string_view) = nullptr;

  static constexpr Allowed numbers(uint64_t least, uint64_t most, Unit unit = Unit::none) {
    return {least, most, false, unit, {}, nullptr};
  }
  static constexpr Allowed zero_or(uint64_t least, uint64_t most, Unit unit = Unit::none) {
    return {least, most, true, unit, {}, nullptr};
  }
  static constexpr Allowed texts(std::string_view phrase, bool (*fits)(std::string_view)) {
    return {0, 0, false, Unit::none, phrase, fits};
  }
  static constexpr Allowed truth() { return texts("true or false", nullptr); }
};

struct Setting {
  std::string_view key;     // as in the file, with its table: "datapath.workers"
  std::string_view option;  // of the command line; empty: none
  SettingValue (*get)(const Config&);
  void (*set)(Config&, const SettingValue&);  // a value of the kind that get() returns, checked before
  Allowed allowed;
  Change change;
  std::string_view help;

  std::string_view table() const { return key.substr(0, key.find('.') == key.npos ? 0 : key.find('.')); }
  std::string_view leaf() const { return key.substr(table().empty() ? 0 : table().size() + 1); }
};

namespace config_predicates {
bool role(std::string_view text);
bool path(std::string_view text);
bool absolute_path(std::string_view text);
bool host_name(std::string_view text);
bool datapath_kind(std::string_view text);
bool datapath_name(std::string_view text);
bool loopback(std::string_view text);
bool address(std::string_view text);
bool authentication(std::string_view text);
bool keystone_url(std::string_view text);
bool log_levels(std::string_view text);
bool listen_address(std::string_view text);
bool host_port(std::string_view text);
bool word(std::string_view text);
bool etcd_prefix(std::string_view text);
}  // namespace config_predicates

namespace config_internal {

template <class T>
SettingValue value_of(const T& held) {
  if constexpr (requires { held.count(); }) {
    return static_cast<uint64_t>(held.count());
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return static_cast<uint64_t>(held);
  } else {
    return held;
  }
}

template <class T>
void assign(T& held, const SettingValue& value) {
  if constexpr (requires { held.count(); }) {
    held = T(std::get<uint64_t>(value));
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    held = static_cast<T>(std::get<uint64_t>(value));
  } else {
    held = std::get<T>(value);
  }
}

// Path: pointers to members, from Config inwards.
template <auto... Path>
constexpr Setting setting(std::string_view key, std::string_view option, Allowed allowed, Change change,
                          std::string_view help) {
  return {key,
          option,
          [](const Config& config) { return value_of((config.*....*Path)); },
          [](Config& config, const SettingValue& value) { assign((config.*....*Path), value); },
          allowed,
          change,
          help};
}

}  // namespace config_internal

// --- the table --------------------------------------------------------------------------------------------------------

inline constexpr uint16_t kDefaultClusterPort = 6678;

// clang-format off
inline constexpr auto kSettings = [] {
  using C = Config;
  using enum Unit;
  using enum Change;
  using A = Allowed;
  namespace is = config_predicates;
  using config_internal::setting;
  constexpr std::string_view kFile = "a file name";
  constexpr std::string_view kHostPort = "HOST:PORT, an IPv6 address in brackets";
  return std::array{
    setting<&C::roles>("roles", "", A::texts("cluster, agent", is::role), restart,
      "What this node does. cluster: holds what operators asked for, and serves agents. agent: makes packets of this host behave so."),
    setting<&C::state_dir>("state_dir", "--state-dir", A::texts("a directory", is::path), restart,
      "Database, learned state and the id of this host."),
    setting<&C::run_dir>("run_dir", "--run-dir", A::texts("a directory", is::path), restart,
      "Where the admin token is written."),

    setting<&C::host, &C::Host::name>("host.name", "--host-name", A::texts("1 to 255 printable characters", is::host_name), restart,
      "Name of this host in the topology; empty: the one in tls.certificate, else the kernel's."),

    setting<&C::datapath, &C::Datapath::kind>("datapath.kind", "--datapath", A::texts("auto, ovs, ebpf or fake", is::datapath_kind), restart,
      "auto: ovs where the kernel has the openvswitch module, else ebpf. fake: a kernel in memory, for tests."),
    setting<&C::datapath, &C::Datapath::name>("datapath.name", "--datapath-name", A::texts("1 to 15 characters, no space or slash", is::datapath_name), restart,
      "Several datapaths may live on one host."),
    setting<&C::datapath, &C::Datapath::workers>("datapath.workers", "--workers", A::numbers(0, 64), restart,
      "Threads that simulate packets; 0: one for each CPU, at most 4."),
    setting<&C::datapath, &C::Datapath::max_flows>("datapath.max_flows", "--max-flows", A::numbers(1024, 4'000'000), restart,
      "Flows in the datapath; beyond that the ports with the most flows lose their oldest."),
    setting<&C::datapath, &C::Datapath::flow_idle_timeout>("datapath.flow_idle_timeout", "--flow-idle-timeout", A::numbers(1, 3600, seconds), restart,
      "Without a packet for so long a flow ends."),

    setting<&C::bridge, &C::Bridge::mac_timeout>("bridge.mac_timeout", "--mac-timeout", A::numbers(1, 86'400, seconds), restart,
      "Without a packet for so long a bridge forgets a MAC address."),

    setting<&C::connections, &C::Connections::max>("connections.max", "", A::numbers(1024, 16'000'000), restart,
      "Entries that the table of connections has room for, about 200 bytes each; a translated connection takes two, one that answers are told by another. Above 90 % the ports with the most lose some."),
    setting<&C::connections, &C::Connections::per_port>("connections.per_port", "", A::numbers(256, 16'000'000), restart,
      "Entries that the connections of one port may take; a gateway's port to the outside has those of all that comes in by it."),
    setting<&C::connections, &C::Connections::per_tenant>("connections.per_tenant", "", A::numbers(256, 16'000'000), restart,
      "Entries that the connections of one tenant's ports may take."),
    setting<&C::connections, &C::Connections::patience>("connections.patience", "", A::numbers(50, 10'000, milliseconds), restart,
      "The first packet of a connection waits until the hosts that may see the next one have acknowledged it. One that takes longer is silent: nobody waits for it until it speaks."),
    setting<&C::connections, &C::Connections::timeout_tcp_opening>("connections.timeout_tcp_opening", "", A::numbers(1, 604'800, seconds), live,
      "Idle for so long a TCP connection ends that nothing has come back for."),
    setting<&C::connections, &C::Connections::timeout_tcp_established>("connections.timeout_tcp_established", "", A::numbers(1, 604'800, seconds), live,
      "Idle for so long a TCP connection ends on which both sides have spoken (RFC 5382 asks for two hours and four minutes)."),
    setting<&C::connections, &C::Connections::timeout_tcp_closing>("connections.timeout_tcp_closing", "", A::numbers(1, 604'800, seconds), live,
      "Idle for so long a TCP connection ends when both sides have said FIN."),
    setting<&C::connections, &C::Connections::timeout_tcp_closed>("connections.timeout_tcp_closed", "", A::numbers(1, 604'800, seconds), live,
      "Idle for so long a TCP connection ends when one side has said RST."),
    setting<&C::connections, &C::Connections::timeout_udp_opening>("connections.timeout_udp_opening", "", A::numbers(1, 604'800, seconds), live,
      "Idle for so long a UDP connection ends that nothing has come back for."),
    setting<&C::connections, &C::Connections::timeout_udp_established>("connections.timeout_udp_established", "", A::numbers(1, 604'800, seconds), live,
      "Idle for so long a UDP connection ends on which both sides have spoken (RFC 4787 asks for two minutes, and advises five)."),
    setting<&C::connections, &C::Connections::timeout_icmp>("connections.timeout_icmp", "", A::numbers(1, 604'800, seconds), live,
      "Idle for so long an ICMP query ends (RFC 5508 asks for a minute)."),
    setting<&C::connections, &C::Connections::timeout_other>("connections.timeout_other", "", A::numbers(1, 604'800, seconds), live,
      "Idle for so long a connection of another protocol ends."),
    setting<&C::connections, &C::Connections::timeout_sticky>("connections.timeout_sticky", "", A::numbers(1, 604'800, seconds), live,
      "Without a new connection for so long a client is no longer bound to its member of a pool."),
    setting<&C::connections, &C::Connections::timeout_fragment>("connections.timeout_fragment", "", A::numbers(1, 604'800, seconds), live,
      "So long the ports of a packet's first fragment are known for the others."),

    setting<&C::nat, &C::Nat::block_quarantine>("nat.block_quarantine", "", A::numbers(1, 86'400, seconds), restart,
      "For so long nobody gives out the NAT ports of a host that has died, as its connections may live on."),

    setting<&C::admin, &C::Admin::port>("admin.port", "--admin-port", A::numbers(0, 65'535), restart,
      "Loopback TCP port for the tool viaduct; 0: any."),

    setting<&C::metrics, &C::Metrics::port>("metrics.port", "--metrics-port", A::numbers(0, 65'535), restart,
      "TCP port of /metrics, for Prometheus; 0: any."),
    setting<&C::metrics, &C::Metrics::address>("metrics.address", "", A::texts("a loopback address, because /metrics has no authentication (put a proxy in front that has)", is::loopback), restart,
      "Address of /metrics."),

    setting<&C::rest, &C::Rest::address>("rest.address", "", A::texts("an IPv4 or IPv6 address", is::address), restart,
      "Address of the REST API and the console, of nodes with the cluster role; empty: not served. Beyond loopback it needs rest.certificate, and authentication."),
    setting<&C::rest, &C::Rest::port>("rest.port", "--rest-port", A::numbers(0, 65'535), restart,
      "TCP port of the REST API; 0: any."),
    setting<&C::rest, &C::Rest::authentication>("rest.authentication", "", A::texts("token, password, keystone or none", is::authentication), restart,
      "token: who knows the admin token (in run_dir) or one of rest.tokens. password: besides them, users of rest.passwords, who log in. keystone: besides them, users of OpenStack's Keystone. none: everybody on this host may change everything; with a loopback address only."),
    setting<&C::rest, &C::Rest::tokens>("rest.tokens", "", A::texts(kFile, is::path), restart,
      "File with a line TOKEN ROLE NAME for each user of the REST API, with a role of admin (may change everything), reader, or member:TENANT (sees and changes what is of this tenant); others must not be able to read it. What it holds changes live."),
    setting<&C::rest, &C::Rest::passwords>("rest.passwords", "", A::texts(kFile, is::path), restart,
      "File with a line NAME:HASH:ROLE for each user who logs in, with a hash of bcrypt or yescrypt and a role as in rest.tokens; viaduct rest passwd writes it. Others must not be able to read it. What it holds changes live."),
    setting<&C::rest, &C::Rest::token_lifetime>("rest.token_lifetime", "", A::numbers(60, 2'592'000, seconds), restart,
      "So long a token is good that a login of authentication password gives."),
    setting<&C::rest, &C::Rest::requests_per_second>("rest.requests_per_second", "", A::numbers(0, 1'000'000), restart,
      "So many requests of the REST API a user may make in the long run, or an address of which nobody is known; 0: any number. The admin token is not counted."),
    setting<&C::rest, &C::Rest::burst>("rest.burst", "", A::numbers(1, 1'000'000), restart,
      "And so many at once, before that holds."),
    setting<&C::rest, &C::Rest::keystone_url>("rest.keystone_url", "", A::texts("https://HOST:PORT/v3, or http:// to a loopback address", is::keystone_url), restart,
      "Where Keystone speaks its Identity API v3."),
    setting<&C::rest, &C::Rest::keystone_user>("rest.keystone_user", "", A::texts("a name", is::word), restart,
      "The service user that asks Keystone whose tokens are, with the role service or admin in rest.keystone_project."),
    setting<&C::rest, &C::Rest::keystone_password_file>("rest.keystone_password_file", "", A::texts(kFile, is::path), restart,
      "File that holds its password and nothing else; others must not be able to read it. What it holds changes live."),
    setting<&C::rest, &C::Rest::keystone_project>("rest.keystone_project", "", A::texts("a name", is::word), restart,
      "Its project; and that of logins that name none."),
    setting<&C::rest, &C::Rest::keystone_domain>("rest.keystone_domain", "", A::texts("a name", is::word), restart,
      "The domain of these users and projects."),
    setting<&C::rest, &C::Rest::keystone_ca>("rest.keystone_ca", "", A::texts(kFile, is::path), restart,
      "Certificates of the authorities that sign Keystone's (PEM); empty: those that this host trusts."),
    setting<&C::rest, &C::Rest::keystone_admin_role>("rest.keystone_admin_role", "", A::texts("a name", is::word), restart,
      "Who has this role in the project of the token may change everything."),
    setting<&C::rest, &C::Rest::keystone_reader_role>("rest.keystone_reader_role", "", A::texts("a name", is::word), restart,
      "Who has this one may read."),
    setting<&C::rest, &C::Rest::keystone_member_role>("rest.keystone_member_role", "", A::texts("a name", is::word), restart,
      "And who has this one may see and change what is of the tenant that is the token's project."),
    setting<&C::rest, &C::Rest::certificate>("rest.certificate", "", A::texts(kFile, is::path), restart,
      "Certificate of the REST API, intermediate ones behind it (PEM); set: only HTTPS is spoken."),
    setting<&C::rest, &C::Rest::key>("rest.key", "", A::texts(kFile, is::path), restart,
      "Its private key (PEM)."),

    setting<&C::log, &C::Log::levels>("log.levels", "--log-level", A::texts("LEVEL or LEVEL,COMPONENT=LEVEL,... with a level of trace, debug, info, warning, error, off", is::log_levels), live,
      "How much is logged, for all and for single components: \"info,datapath=debug\". viaduct log changes it until the next restart."),

    setting<&C::flow_log, &C::FlowLog::file>("flow_log.file", "", A::texts("an absolute file name", is::absolute_path), restart,
      "File that tells of each flow, as lines of JSON: when it is decided (forwarded, or dropped and by what rule) and when it ends, with packets and bytes. It may be renamed away, and is made anew. Empty: no such file; without flow_log.ipfix, too, there is no flow log."),
    setting<&C::flow_log, &C::FlowLog::ipfix>("flow_log.ipfix", "", A::texts("ADDRESS:PORT or ADDRESS, an IPv6 address in brackets", is::listen_address), restart,
      "Collector that is told the same by IPFIX over UDP (port 4739 unless named); empty: none."),
    setting<&C::flow_log, &C::FlowLog::ipfix_domain>("flow_log.ipfix_domain", "", A::numbers(0, 4'294'967'295), restart,
      "Observation domain of IPFIX, by which a collector tells exporters with one address apart."),
    setting<&C::flow_log, &C::FlowLog::ipfix_templates>("flow_log.ipfix_templates", "", A::numbers(1, 86'400, seconds), restart,
      "So often the collector is told again what records look like (RFC 7011 8.4): one that comes later understands nothing before."),
    setting<&C::flow_log, &C::FlowLog::sample>("flow_log.sample", "", A::numbers(1, 1'000'000), restart,
      "One in so many forwarded flows is told, chosen by a hash of its addresses and ports that both directions share."),
    setting<&C::flow_log, &C::FlowLog::sample_drops>("flow_log.sample_drops", "", A::numbers(1, 1'000'000), restart,
      "The same of dropped ones."),
    setting<&C::flow_log, &C::FlowLog::max_rate>("flow_log.max_rate", "", A::numbers(1, 100'000), restart,
      "Records a second at most; further ones are lost, and counted."),
    setting<&C::flow_log, &C::FlowLog::per_connection>("flow_log.per_connection", "", A::truth(), restart,
      "Flows that forward match addresses and ports even where their decision does not ask for them: each connection is told and counted by itself, and costs a simulation and a flow. Without it a record stands for all packets that its flow matches."),

    setting<&C::cluster, &C::Cluster::listen>("cluster.listen", "", A::texts("ADDRESS:PORT or ADDRESS, an IPv6 address in brackets", is::listen_address), restart,
      "Where agents of other hosts reach this cluster node (port 6678 unless named); empty: nowhere, all in one on this host. Needs [tls]."),
    setting<&C::cluster, &C::Cluster::lease>("cluster.lease", "", A::numbers(2, 3600, seconds), restart,
      "A host that is silent for so long counts as dead: its ports are inactive, what it learned is removed."),
    setting<&C::cluster, &C::Cluster::history>("cluster.history", "", A::numbers(100, 10'000'000), restart,
      "Revisions kept for agents that come back; older ones get everything anew."),

    setting<&C::agent, &C::Agent::cluster>("agent.cluster", "", A::texts(kHostPort, is::host_port), live,
      "Cluster nodes, any of which this agent may use (port 6678 unless named); empty: the one in this process, and from or to that a change needs a restart. Needs [tls]."),
    setting<&C::agent, &C::Agent::reconnect_min>("agent.reconnect_min", "", A::numbers(10, 60'000, milliseconds), live,
      "Pause before the second attempt to reach a cluster node; it doubles from there."),
    setting<&C::agent, &C::Agent::reconnect_max>("agent.reconnect_max", "", A::numbers(100, 600'000, milliseconds), live,
      "The longest pause between attempts."),

    setting<&C::tls, &C::Tls::ca>("tls.ca", "", A::texts(kFile, is::path), restart,
      "Certificates of the authorities that sign this network's hosts (PEM). viaduct certs makes all three files."),
    setting<&C::tls, &C::Tls::certificate>("tls.certificate", "", A::texts(kFile, is::path), restart,
      "This host's certificate, intermediate ones behind it (PEM)."),
    setting<&C::tls, &C::Tls::key>("tls.key", "", A::texts(kFile, is::path), restart,
      "Its private key (PEM, without a passphrase); others must not be able to read the file."),
    setting<&C::tls, &C::Tls::revoked>("tls.revoked", "", A::texts(kFile, is::path), restart,
      "SHA-256 fingerprints of certificates to shut out, one a line (viaduct certs show prints them); read again on SIGHUP."),

    setting<&C::etcd, &C::Etcd::endpoints>("etcd.endpoints", "", A::texts(kHostPort, is::host_port), restart,
      "Members of the etcd that cluster nodes share (port 2379 unless named); empty: the store in this process (RocksDB)."),
    setting<&C::etcd, &C::Etcd::user>("etcd.user", "", A::texts("a name", is::word), restart,
      "User name towards etcd; empty: none."),
    setting<&C::etcd, &C::Etcd::password_file>("etcd.password_file", "", A::texts(kFile, is::path), restart,
      "File whose first line is the password of etcd.user."),
    setting<&C::etcd, &C::Etcd::ca>("etcd.ca", "", A::texts(kFile, is::path), restart,
      "Certificates of the authorities that sign etcd's (PEM); set: etcd is spoken to with TLS."),
    setting<&C::etcd, &C::Etcd::certificate>("etcd.certificate", "", A::texts(kFile, is::path), restart,
      "Certificate that this node shows to etcd, if etcd asks for one (PEM)."),
    setting<&C::etcd, &C::Etcd::key>("etcd.key", "", A::texts(kFile, is::path), restart,
      "Its private key (PEM)."),
    setting<&C::etcd, &C::Etcd::prefix>("etcd.prefix", "", A::texts("a text that begins and ends with a slash", is::etcd_prefix), restart,
      "Where in etcd everything of this network lies."),

    setting<&C::underlay, &C::Underlay::vxlan_port>("underlay.vxlan_port", "", A::numbers(1, 65'535), restart,
      "UDP port of VXLAN tunnels, the same on all hosts."),
    setting<&C::underlay, &C::Underlay::copy_dscp>("underlay.copy_dscp", "", A::truth(), live,
      "Whether the outer IP header carries the DSCP of the inner one."),
    setting<&C::underlay, &C::Underlay::probe_interval>("underlay.probe_interval", "", A::numbers(50, 60'000, milliseconds), live,
      "How often each peer is probed through its tunnel. With many hundreds of hosts, more seldom."),
    setting<&C::underlay, &C::Underlay::probe_multiplier>("underlay.probe_multiplier", "", A::numbers(2, 50), live,
      "A peer is down, and other gateways carry what it carried, when so many probes in a row stay unanswered."),
    setting<&C::underlay, &C::Underlay::mtu>("underlay.mtu", "", A::zero_or(1280, 65'535, bytes), restart,
      "MTU of the network between hosts; 0: that of the interface that leads to the peer."),
  };
}();
// clang-format on

const Setting* find_setting(std::string_view key);
std::string to_string(Unit unit);  // "seconds"; empty for none
// "0 to 64", "1 to 3600 seconds", "auto, ovs, ebpf or fake".
std::string allowed_phrase(const Setting& setting);
// What is wrong with a value of the right kind; nothing: it is allowed.
std::optional<std::string> check_value(const Setting& setting, const SettingValue& value);
// From the text of a command-line option; a list is separated by commas. Nothing when it is not of the setting's kind.
std::optional<SettingValue> parse_value(const Setting& setting, std::string_view text);

// "10.0.0.1:6678", "[fd00::1]:6678", "db1.example:2379"; without a port the default. Host names are letters, digits,
// hyphens and dots.
struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};
std::optional<HostPort> parse_host_port(std::string_view text, uint16_t default_port);
std::string to_string(const HostPort& address);

}  // namespace viaduct::actors
