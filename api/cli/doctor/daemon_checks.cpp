#include "api/cli/doctor/daemon_checks.hpp"

#include <algorithm>

#include "api/cli/output.hpp"
#include "api/cli/version.hpp"

namespace viaduct::api::cli {
namespace {

constexpr uint64_t kDeepMailbox = 1000;  // messages
constexpr double kHighLoss = 0.05;
constexpr uint32_t kUsualMtu = 1500;
constexpr const char* kFrrDirectory = "/usr/lib/frr/";

uint64_t number_at(const Json& object, const char* key) {
  auto at = object.find(key);
  return at == object.end() || !at->is_number() ? 0 : at->get<uint64_t>();
}
bool is_true(const Json& object, const char* key) {
  auto at = object.find(key);
  return at != object.end() && at->is_boolean() && at->get<bool>();
}
const Json& list_at(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  auto at = object.find(key);
  return at == object.end() || !at->is_array() ? kNone : *at;
}

std::string count(size_t number, const char* what) { return std::to_string(number) + " " + what; }

// Bytes of an outer packet besides what is behind the inner Ethernet header: IP, UDP and VXLAN (RFC 7348), or GRE with a
// key (RFC 2890), and that header.
uint32_t overhead(const Json& tunnel) {
  const uint32_t ip = text_at(tunnel, "source").find(':') == std::string::npos ? 20 : 40;
  return ip + (text_at(tunnel, "kind") == "gre" ? 8 : 16) + 14;
}

}  // namespace

Check check_version(const Json& status, const std::string& tool) {
  const std::string daemon = text_at(status, "version");
  const std::string seen = "viaductd " + daemon + " on " + text_at(status, "host_name") + ", up " +
                           duration(status.value("up_seconds", 0.0));
  if (daemon == tool) return {"daemon", Verdict::ok, seen, {}};
  return {"daemon", Verdict::warning, seen + "; this tool is viaduct " + tool,
          "install both of one version, and restart viaductd"};
}

Check check_store(const Result<Done>& store) {
  if (store) return {"store", Verdict::ok, "answers", {}};
  return {"store", Verdict::failed, store.failure().message,
          store.failure().cure.empty() ? "see the daemon's log: journalctl -u viaductd" : store.failure().cure};
}

Check check_actors(const Json& status) {
  Findings found("actors");
  for (const Json& actor : list_at(status, "actors")) {
    const std::string name = text_at(actor, "name"), error = text_at(actor, "last_error");
    const std::string why = error.empty() ? "" : " (" + error + ")";
    const char* log = "see the daemon's log: journalctl -u viaductd";
    if (text_at(actor, "state") != "running") {
      found.add(Verdict::failed, name + " is " + text_at(actor, "state") + why, log);
    } else if (number_at(actor, "restarts") > 0) {
      found.add(Verdict::warning, name + " was restarted " + count(number_at(actor, "restarts"), "times") + why, log);
    }
    if (number_at(actor, "mailbox") >= kDeepMailbox) {
      found.add(Verdict::warning, name + " has " + count(number_at(actor, "mailbox"), "messages to read"),
                "if that lasts it does not keep up: viaduct support-bundle, and report it");
    }
  }
  return found.check(
      count(list_at(status, "actors").size() + number_at(status, "unlisted_actors"), "run, none was restarted"));
}

Check check_problems(const Json& status) {
  Findings found("problems");
  for (const Json& problem : list_at(status, "problems"))
    found.add(Verdict::warning, cell(problem), "see viaduct status");
  return found.check("none");
}

Check check_revisions(const Json& status) {
  const uint64_t committed = number_at(status, "committed_revision"), applied = number_at(status, "applied_revision");
  if (applied >= committed)
    return {"revisions", Verdict::ok, "all is applied, to revision " + std::to_string(applied), {}};
  return {"revisions", Verdict::warning,
          "revision " + std::to_string(committed) + " is committed, " + std::to_string(applied) + " applied",
          "viaduct wait " + std::to_string(committed) +
              " waits for it; if it does not come: viaduct status --cluster says which host lags"};
}

Check check_cluster(const Json& status) {
  const Json cluster = status.value("cluster", Json::object());
  const std::string state = text_at(cluster, "state"), error = text_at(cluster, "last_error");
  if (state.empty()) return {"cluster", Verdict::skipped, "no agent runs here", {}};
  if (state == "joined") return {"cluster", Verdict::ok, "joined, by " + text_at(cluster, "node"), {}};
  return {
      "cluster", Verdict::failed,
      state + " for " + duration(cluster.value("for_seconds", 0.0)) + (error.empty() ? "" : ": " + error),
      "look at the node " + text_at(cluster, "node") +
          ", at agent.cluster in viaductd.toml, and at what is between; the host goes on meanwhile with what it knows"};
}

Check check_agents(const Json& status) {
  const Json& agents = list_at(status, "agents");
  if (agents.empty()) return {"agents", Verdict::skipped, "this daemon has no cluster role, or no host is known", {}};
  Findings found("agents");
  for (const Json& agent : agents) {
    const std::string name = text_at(agent, "name"), state = text_at(agent, "state");
    if (state == "away") {
      found.add(Verdict::warning, name + " is away",
                "start viaductd there, or delete the host if it is gone: viaduct host delete NAME");
    } else if (state == "served" && number_at(agent, "lag_revisions") > 0) {
      found.add(Verdict::warning, name + " is " + count(number_at(agent, "lag_revisions"), "revisions behind"),
                "if that lasts, run viaduct doctor there");
    }
  }
  return found.check(count(agents.size(), "hosts, none is away or behind"));
}

Check check_ports(const Json& status) {
  const Json& ports = list_at(status, "ports");
  Findings found("ports");
  for (const Json& port : ports) {
    if (!is_true(port, "active")) {
      found.add(Verdict::warning, text_at(port, "name") + " is not active: " + text_at(port, "reason"),
                "make its interface, set it up, or take the port off it: viaduct unbind PORT");
    }
    if (number_at(port, "upcalls_lost") > 0) {
      found.add(
          Verdict::warning,
          text_at(port, "name") + " has lost " + count(number_at(port, "upcalls_lost"), "first packets of flows"),
          "more came at once than the daemon could take: datapath.workers in viaductd.toml gives it more threads");
    }
  }
  return found.check(count(ports.size(), "bound here, all active"));
}

Check check_tunnels(const Json& status) {
  const Json& tunnels = list_at(status, "tunnels");
  if (tunnels.empty()) return {"tunnels", Verdict::skipped, "this host needs none", {}};
  Findings found("tunnels");
  for (const Json& tunnel : tunnels) {
    const std::string name = "to " + text_at(tunnel, "name") + " (" + text_at(tunnel, "kind") + " " +
                             text_at(tunnel, "source") + " > " + text_at(tunnel, "destination") + ")";
    const std::string state = text_at(tunnel, "state");
    const double loss = tunnel.value("loss", 0.0);
    if (state != "up") {
      found.add(state == "admin_down" ? Verdict::warning : Verdict::failed, name + " is " + state,
                "see whether the other host answers ping, runs viaductd, and no firewall drops what tunnels carry "
                "(VXLAN: UDP underlay.vxlan_port)");
    } else if (loss > kHighLoss) {
      found.add(Verdict::warning, name + " loses " + count(static_cast<size_t>(loss * 100), "% of its probes"),
                "look at the network between the hosts");
    }
  }
  return found.check(count(tunnels.size(), "up"));
}

Check check_tunnel_mtu(const Outside& host, const Json& status) {
  const Json& tunnels = list_at(status, "tunnels");
  if (tunnels.empty()) return {"tunnel_mtu", Verdict::skipped, "this host needs no tunnels", {}};
  const auto interfaces = host.interfaces();
  Findings found("tunnel_mtu");
  for (const Json& tunnel : tunnels) {
    const std::string source = text_at(tunnel, "source"), name = "to " + text_at(tunnel, "name");
    const auto fits = static_cast<uint32_t>(number_at(tunnel, "mtu"));
    auto at = std::ranges::find_if(interfaces, [&](const InterfaceFacts& one) {
      return std::ranges::find(one.addresses, source) != one.addresses.end();
    });
    if (at == interfaces.end()) {
      found.add(Verdict::failed, name + ": no interface has its source " + source,
                "give this host the address, or correct it: viaduct tunnel-zone-host set");
    } else if (at->mtu < fits + overhead(tunnel)) {
      found.add(Verdict::failed,
                name + ": " + at->name + " has MTU " + std::to_string(at->mtu) + ", and packets of " +
                    std::to_string(fits) + " bytes need " + std::to_string(fits + overhead(tunnel)),
                "set underlay.mtu to what the network between hosts carries, or raise that interface's MTU");
    } else if (fits < kUsualMtu) {
      found.add(Verdict::warning, name + ": packets of at most " + std::to_string(fits) + " bytes fit",
                "raise the MTU between hosts to " + std::to_string(kUsualMtu + overhead(tunnel)) + " (" + at->name +
                    " has " + std::to_string(at->mtu) + "), or give machines and router ports an MTU of " +
                    std::to_string(fits));
    }
  }
  return found.check("what machines send with an MTU of 1500 fits");
}

Check check_bgp(const Json& status) {
  const Json& peers = list_at(status, "bgp");
  if (peers.empty()) return {"bgp", Verdict::skipped, "no port of this host has BGP peers", {}};
  Findings found("bgp");
  for (const Json& peer : peers) {
    if (text_at(peer, "state") == "Established") continue;
    const std::string error = text_at(peer, "last_error");
    found.add(Verdict::warning,
              "router " + text_at(peer, "router") + " with " + text_at(peer, "peer") + " is " + text_at(peer, "state") +
                  (error.empty() ? "" : ": " + error),
              "see whether the peer answers ping from the router, and has the same AS numbers and password");
  }
  return found.check(count(peers.size(), "sessions, all established"));
}

Check check_frr(const Outside& host, const Json& status) {
  if (list_at(status, "bgp").empty() && list_at(status, "bgp_problems").empty())
    return {"frr", Verdict::skipped, "no port of this host has BGP peers", {}};
  for (const char* daemon : {"bgpd", "zebra", "bfdd"}) {
    const std::string path = std::string(kFrrDirectory) + daemon;
    if (host.facts(path).error != 0)
      return {"frr", Verdict::failed, "there is no " + path + ", and ports of this host have BGP peers",
              "run: apt-get install frr"};
  }
  return {"frr", Verdict::ok, std::string(kFrrDirectory) + " has bgpd, zebra and bfdd", {}};
}

std::vector<Check> checks_of_daemon(const Outside& host, const Json& status, const Result<Done>& store) {
  return {check_version(status, kVersion), check_store(store),   check_revisions(status),
          check_cluster(status),           check_agents(status), check_actors(status),
          check_problems(status),          check_ports(status),  check_tunnels(status),
          check_tunnel_mtu(host, status),  check_bgp(status),    check_frr(host, status)};
}

std::vector<Check> checks_without_daemon(const Failure& why) {
  std::vector<Check> out{{"daemon", Verdict::failed, why.message, why.cure}};
  for (const char* name : {"store", "revisions", "cluster", "agents", "actors", "problems", "ports", "tunnels",
                           "tunnel_mtu", "bgp", "frr"})
    out.push_back({name, Verdict::skipped, "the daemon does not answer", {}});
  return out;
}

}  // namespace viaduct::api::cli
