#include "actors/daemons/config_check.hpp"

#include <algorithm>

#include "topology/address/ip_address.hpp"

namespace viaduct::actors {

namespace {

bool is_loopback(const std::string& host) {
  auto address = IpAddress::parse(host);
  return host == "localhost" || (address && address->is_loopback());
}

void check_roles(ConfigSource& source) {
  const Config& config = source.config;
  if (config.roles.empty()) {
    source.report("roles", "a node without a role does nothing", "name cluster, agent or both");
    return;
  }
  bool cluster = config.has_role("cluster"), agent = config.has_role("agent");
  if (!cluster && config.agent.cluster.empty())
    source.report("agent.cluster", "an agent without the cluster role needs cluster nodes",
                  "list their addresses, or add \"cluster\" to roles");
  if (!cluster && !config.cluster.listen.empty())
    source.report("cluster.listen", "only a node with the cluster role serves agents",
                  "add \"cluster\" to roles, or leave it out");
  if (!agent && !config.agent.cluster.empty())
    source.report("agent.cluster", "only a node with the agent role uses cluster nodes",
                  "add \"agent\" to roles, or leave it out");
  if (!cluster && !config.etcd.endpoints.empty())
    source.report("etcd.endpoints", "agents never talk to etcd: only cluster nodes do",
                  "add \"cluster\" to roles, or leave it out");
}

void check_tls(ConfigSource& source) {
  const Config::Tls& tls = source.config.tls;
  const std::pair<std::string_view, const std::string&> files[] = {
      {"tls.ca", tls.ca}, {"tls.certificate", tls.certificate}, {"tls.key", tls.key}};
  bool some = !tls.revoked.empty() || std::ranges::any_of(files, [](const auto& each) { return !each.second.empty(); });
  if (!some && !source.config.is_distributed()) return;
  std::string why = source.config.is_distributed() ? "hosts speak to each other with certificates on both sides only"
                                                   : "of ca, certificate and key each needs the others";
  for (const auto& [key, file] : files)
    if (file.empty()) source.report(key, "it is not set, and " + why, "name the file; viaduct certs makes all three");
}

void check_etcd(ConfigSource& source) {
  const Config::Etcd& etcd = source.config.etcd;
  if (etcd.user.empty() != etcd.password_file.empty())
    source.report(etcd.user.empty() ? "etcd.user" : "etcd.password_file", "a user needs a password, and the reverse",
                  "set etcd.user and etcd.password_file, or neither");
  if (etcd.certificate.empty() != etcd.key.empty())
    source.report(etcd.certificate.empty() ? "etcd.certificate" : "etcd.key",
                  "a certificate needs its key, and the reverse", "set etcd.certificate and etcd.key, or neither");
  if (!etcd.certificate.empty() && etcd.ca.empty())
    source.report("etcd.ca", "it is not set, and without it etcd is spoken to without TLS",
                  "name the authorities that sign etcd's certificates");
  bool remote = std::ranges::any_of(etcd.endpoints, [](const std::string& each) {
    auto address = parse_host_port(each, 1);
    return address && !is_loopback(address->host);
  });
  if (remote && !etcd.user.empty() && etcd.ca.empty())
    source.report("etcd.ca", "it is not set, and the password would cross the network in the clear",
                  "set etcd.ca, so that etcd is spoken to with TLS");
  for (const auto& [key, value] : {std::pair{"etcd.user", etcd.user}, std::pair{"etcd.ca", etcd.ca}})
    if (etcd.endpoints.empty() && !value.empty())
      source.report(key, "it is set, and etcd.endpoints is not: nothing would use it",
                    "name etcd's members in etcd.endpoints, or leave it out");
}

void check_keystone(ConfigSource& source) {
  const Config::Rest& rest = source.config.rest;
  const std::pair<std::string_view, const std::string&> needed[] = {
      {"rest.keystone_url", rest.keystone_url},
      {"rest.keystone_user", rest.keystone_user},
      {"rest.keystone_password_file", rest.keystone_password_file},
      {"rest.keystone_project", rest.keystone_project}};
  const bool used = rest.authentication == "keystone";
  for (const auto& [key, value] : needed) {
    if (used && value.empty())
      source.report(key, "it is not set, and rest.authentication is keystone",
                    "Keystone is asked by a service user: set rest.keystone_url, _user, _password_file and _project");
    if (!used && !value.empty())
      source.report(key, "it is set, and rest.authentication is " + rest.authentication + ": nothing uses it",
                    "set rest.authentication to keystone, or leave it out");
  }
}

void check_rest(ConfigSource& source) {
  const Config::Rest& rest = source.config.rest;
  if (rest.certificate.empty() != rest.key.empty())
    source.report(rest.certificate.empty() ? "rest.certificate" : "rest.key",
                  "a certificate needs its key, and the reverse", "set rest.certificate and rest.key, or neither");
  if (rest.authentication == "password" && rest.passwords.empty())
    source.report("rest.passwords", "it is not set, and without it nobody has a password",
                  "name a file; viaduct rest passwd NAME --file FILE makes it");
  if (rest.authentication != "password" && !rest.passwords.empty())
    source.report("rest.passwords",
                  "it is set, and rest.authentication is " + rest.authentication + ": nothing uses it",
                  "set rest.authentication to password, or leave it out");
  check_keystone(source);
  if (rest.address.empty() || is_loopback(rest.address)) return;
  if (rest.authentication == "none")
    source.report("rest.authentication", "everybody who reaches " + rest.address + " could change everything",
                  "set it to token, password or keystone, or rest.address to a loopback address");
  if (rest.certificate.empty())
    source.report("rest.certificate", "it is not set, and tokens would cross the network in the clear",
                  "set rest.certificate and rest.key, or rest.address to a loopback address");
}

void check_flow_log(ConfigSource& source) {
  const Config& config = source.config;
  const Config::FlowLog& log = config.flow_log;
  const bool wanted = !log.file.empty() || !log.ipfix.empty();
  if (wanted && !config.has_role("agent"))
    source.report(log.file.empty() ? "flow_log.ipfix" : "flow_log.file", "only a node with the agent role has flows",
                  "add \"agent\" to roles, or leave it out");
  if (!wanted && log.per_connection)
    source.report("flow_log.per_connection", "it costs a flow for each connection, and there is no flow log",
                  "set flow_log.file or flow_log.ipfix, or leave it out");
}

void check_timers(ConfigSource& source) {
  const Config::Agent& agent = source.config.agent;
  if (agent.reconnect_min > agent.reconnect_max)
    source.report("agent.reconnect_min", "it is longer than agent.reconnect_max", "make it the shorter of the two");
}

std::string_view key_of(identity::CredentialFile file) {
  switch (file) {
    case identity::CredentialFile::ca:
      return "tls.ca";
    case identity::CredentialFile::certificate:
      return "tls.certificate";
    case identity::CredentialFile::key:
      return "tls.key";
    case identity::CredentialFile::revoked:
      return "tls.revoked";
  }
  return "tls";
}

void check_credentials(ConfigSource& source, identity::TimePoint now) {
  const Config& config = source.config;
  if (config.tls.ca.empty()) return;
  std::vector<identity::CredentialProblem> problems;
  auto loaded = identity::Credentials::load(credential_files(config), needed_roles(config), now, problems);
  for (const auto& problem : problems) {
    std::string key(key_of(problem.file));
    source.add({source.where_of(key), key, problem.text, problem.cure});
  }
  if (!loaded) return;
  const std::string& named = loaded->own().host;
  if (config.host.name.empty()) {
    source.config.host.name = named;
  } else if (config.host.name != named) {
    source.report("host.name",
                  "the certificate is of host '" + named + "', and host.name is '" + config.host.name + "'",
                  "take the name in the certificate, or a certificate of this name");
  }
}

void check_readable(ConfigSource& source, std::string_view key, const std::string& file) {
  std::string error;
  if (file.empty()) return;
  auto text = identity::read_file(file, error);
  if (!text) source.report(key, file + ": cannot read it: " + error, "name a file that is there and readable");
  if (text && text->empty()) source.report(key, file + " is empty", "name another, or fill it");
}

}  // namespace

identity::CredentialFiles credential_files(const Config& config) {
  return {config.tls.ca, config.tls.certificate, config.tls.key, config.tls.revoked};
}

identity::Roles needed_roles(const Config& config) {
  return {!config.agent.cluster.empty(), !config.cluster.listen.empty()};
}

void check_files(ConfigSource& source, identity::TimePoint now) {
  if (!source.is_valid()) return;
  check_credentials(source, now);
  const Config::Etcd& etcd = source.config.etcd;
  check_readable(source, "etcd.password_file", etcd.password_file);
  check_readable(source, "etcd.ca", etcd.ca);
  check_readable(source, "etcd.certificate", etcd.certificate);
  check_readable(source, "etcd.key", etcd.key);
  const Config::Rest& rest = source.config.rest;
  check_readable(source, "rest.tokens", rest.tokens);
  check_readable(source, "rest.passwords", rest.passwords);
  check_readable(source, "rest.keystone_password_file", rest.keystone_password_file);
  check_readable(source, "rest.keystone_ca", rest.keystone_ca);
  check_readable(source, "rest.certificate", rest.certificate);
  check_readable(source, "rest.key", rest.key);
}

void check_config(ConfigSource& source) {
  check_roles(source);
  check_tls(source);
  check_etcd(source);
  check_rest(source);
  check_flow_log(source);
  check_timers(source);
}

}  // namespace viaduct::actors
