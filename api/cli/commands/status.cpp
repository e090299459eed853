// status, version, wait and log.
#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "api/cli/version.hpp"

namespace viaduct::api::cli {
namespace {

void print_summary(std::ostream& out, const Json& status) {
  auto line = [&](const char* name, const std::string& text) {
    if (!text.empty()) out << name << std::string(20 - std::string_view(name).size(), ' ') << text << '\n';
  };
  line("daemon", "viaductd " + text_at(status, "version") + ", up " + duration(status["up_seconds"].get<double>()));
  line("host", text_at(status, "host_name") + " " + text_at(status, "host_id"));
  line("datapath", text_at(status, "datapath"));
  line("revision committed", text_at(status, "committed_revision"));
  line("revision applied", text_at(status, "applied_revision"));
  line("flows", text_at(status, "flows"));
  line("flows adopted", text_at(status, "adopted_flows"));
  line("metrics", text_at(status, "metrics_url"));
  const Json& cluster = status["cluster"];
  if (text_at(cluster, "state").empty()) return;
  line("cluster", text_at(cluster, "state") + ", " + text_at(cluster, "node") + ", for " +
                      duration(cluster["for_seconds"].get<double>()));
  line("cluster's error", text_at(cluster, "last_error"));
}

std::string milliseconds(const Json& seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f ms", seconds.get<double>() * 1000);
  return text;
}

void print_tunnels(std::ostream& out, const Json& status) {
  if (!status["tunnels"].empty()) {
    Table table({"TUNNEL TO", "KIND", "SOURCE", "DESTINATION", "MTU", "STATE", "ROUND TRIP", "LOSS"});
    for (const Json& tunnel : status["tunnels"]) {
      char loss[16];
      std::snprintf(loss, sizeof loss, "%.0f %%", tunnel["loss"].get<double>() * 100);
      table.row({text_at(tunnel, "name"), text_at(tunnel, "kind"), text_at(tunnel, "source"),
                 text_at(tunnel, "destination"), text_at(tunnel, "mtu"), text_at(tunnel, "state"),
                 milliseconds(tunnel["round_trip_seconds"]), loss});
    }
    out << '\n';
    table.print(out);
  }
  for (const Json& problem : status["problems"]) out << "problem: " << problem.get<std::string>() << '\n';
}

void print_cluster(std::ostream& out, const Json& status) {
  Table nodes({"CLUSTER NODE", "UP", "AGENTS", "APPLIED"});
  for (const Json& node : status["nodes"]) {
    nodes.row({text_at(node, "name"), duration(node["up_seconds"].get<double>()), text_at(node, "agents"),
               text_at(node, "applied_revision")});
  }
  nodes.print(out);
  out << '\n';
  Table table({"HOST", "STATE", "NODE", "SESSION", "APPLIED", "BEHIND"});
  for (const Json& agent : status["agents"]) {
    const bool served = text_at(agent, "state") == "served";
    const bool away = text_at(agent, "state") == "away";
    table.row({text_at(agent, "name"), text_at(agent, "state"), text_at(agent, "node"),
               away ? "" : duration(agent["since_seconds"].get<double>()),
               served ? text_at(agent, "applied_revision") : "", served ? text_at(agent, "lag_revisions") : ""});
  }
  table.print(out);
}

void print_actors(std::ostream& out, const Json& actors, uint64_t unlisted) {
  Table table({"ACTOR", "KIND", "STATE", "RESTARTS", "MAILBOX", "UP", "LAST ERROR"});
  for (const Json& actor : actors) {
    table.row({text_at(actor, "name"), text_at(actor, "kind"), text_at(actor, "state"), text_at(actor, "restarts"),
               text_at(actor, "mailbox"), duration(actor["up_seconds"].get<double>()), text_at(actor, "last_error")});
  }
  out << '\n';
  table.print(out);
  if (unlisted > 0) out << "… and " << unlisted << " more; those in trouble come first\n";
}

void print_section(std::ostream& out, const Json& rows, const std::vector<std::string>& headings,
                   const std::vector<std::string>& keys) {
  if (rows.empty()) return;
  out << '\n';
  table_of(rows, headings, keys).print(out);
}

Result<ExitCode> status(Session& session, bool cluster) {
  auto client = session.client();
  if (!client) return client.failure();
  auto status =
      (*client)->ask([](schema::AdminRequest::Builder request) { request.setStatus(); }, schema::AdminReply::STATUS);
  if (!status) return status.failure();
  if (session.wants_json()) {
    session.print(*status);
    return ExitCode::ok;
  }
  std::ostream& out = session.out();
  if (cluster) {
    if ((*status)["agents"].empty() && (*status)["nodes"].empty()) {
      return Failure{ExitCode::refused,
                     "no_cluster_role",
                     "this daemon has no cluster role",
                     "ask a cluster node (--address)",
                     {}};
    }
    print_cluster(out, *status);
    return ExitCode::ok;
  }
  print_summary(out, *status);
  print_tunnels(out, *status);
  if (!(*status)["actors"].empty())
    print_actors(out, (*status)["actors"], (*status)["unlisted_actors"].get<uint64_t>());
  print_section(out, (*status)["ports"],
                {"PORT", "INTERFACE", "NUMBER", "ACTIVE", "REASON", "RX PACKETS", "RX BYTES", "TX PACKETS", "TX BYTES",
                 "UPCALLS", "LOST"},
                {"name", "interface", "number", "active", "reason", "rx_packets", "rx_bytes", "tx_packets", "tx_bytes",
                 "upcalls", "upcalls_lost"});
  print_section(out, (*status)["drops"], {"DROPPED BECAUSE", "PACKETS"}, {"reason", "count"});
  return ExitCode::ok;
}

// Also of use when the daemon is away: that is told, and is no failure.
Result<ExitCode> version(Session& session) {
  Json json = {{"tool", kVersion}, {"protocol", uint64_t{schema::PROTOCOL_MAJOR}}, {"daemon", nullptr}};
  auto client = session.client();
  std::string why;
  if (client) {
    auto status =
        (*client)->ask([](schema::AdminRequest::Builder request) { request.setStatus(); }, schema::AdminReply::STATUS);
    if (status) {
      json["daemon"] = (*status)["version"];
    } else {
      why = status.failure().message;
    }
  } else {
    if (client.failure().exit == ExitCode::usage) return client.failure();
    why = client.failure().message;
  }
  if (session.wants_json()) {
    session.print(json);
    return ExitCode::ok;
  }
  session.out() << "viaduct " << kVersion << " (protocol " << schema::PROTOCOL_MAJOR << ")\n";
  session.out() << "viaductd " << (json["daemon"].is_null() ? "unknown: " + why : cell(json["daemon"])) << '\n';
  return ExitCode::ok;
}

Result<ExitCode> wait(Session& session, uint64_t revision) {
  auto client = session.client();
  if (!client) return client.failure();
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto wait = request.initWait();
    wait.setRevision(revision);
    wait.setTimeoutMs((*client)->timeout_ms());
  };
  auto applied = (*client)->ask(fill, schema::AdminReply::APPLIED);
  if (!applied) return applied.failure();
  if (session.wants_json()) {
    session.print({{"applied", *applied}});
  } else {
    session.out() << "revision " << *applied << " is applied\n";
  }
  return ExitCode::ok;
}

Result<ExitCode> set_log_level(Session& session, const std::string& level, const std::string& component) {
  auto client = session.client();
  if (!client) return client.failure();
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto log = request.initSetLogLevel();
    log.setLevel(level.c_str());
    log.setComponent(component.c_str());
  };
  auto done = (*client)->ask(fill, schema::AdminReply::DONE);
  if (!done) return done.failure();
  if (session.wants_json()) {
    session.print({{"component", component}, {"level", level}});
  } else {
    session.out() << (component.empty() ? "all components log" : component + " logs") << " at level " << level << '\n';
  }
  return ExitCode::ok;
}

void add_wait(Tree& tree) {
  auto revision = std::make_shared<uint64_t>(0);
  auto& command = tree.leaf(tree.root(), "wait", "Wait until a revision is applied (see --timeout)",
                            "  viaduct wait\n  viaduct wait 42 --timeout 30\n",
                            [=](Session& session) { return wait(session, *revision); });
  command.add_option("revision", *revision, "Revision (default: the newest committed one)");
}

void add_log(Tree& tree) {
  static constexpr const char* kLevels[] = {"trace", "debug", "info", "warn", "error", "off"};
  auto level = std::make_shared<std::string>();
  auto component = std::make_shared<std::string>();
  auto& command = tree.leaf(tree.root(), "log", "Change what the daemon logs, until it restarts",
                            "  viaduct log debug\n  viaduct log trace datapath\n",
                            [=](Session& session) { return set_log_level(session, *level, *component); });
  std::vector<std::string> levels(std::begin(kLevels), std::end(kLevels));
  tree.hint(command.add_option("level", *level, "trace, debug, info, warn, error or off")
                ->required()
                ->check(CLI::IsMember(levels)),
            Hint::choice(levels));
  command.add_option("component", *component, "Component, as in the log's lines (default: all)");
}

}  // namespace

void add_status_commands(Tree& tree) {
  auto cluster = std::make_shared<bool>(false);
  auto& command = tree.leaf(tree.root(), "status", "The daemon: revisions, tunnels, actors, ports, drops",
                            "  viaduct status\n  viaduct status --cluster\n"
                            "  viaduct status --json | jq '.actors[] | select(.restarts > 0)'\n",
                            [=](Session& session) { return status(session, *cluster); });
  command.add_flag("--cluster", *cluster,
                   "The cluster's nodes; all hosts: which node serves them, and how far behind they are");
  tree.leaf(tree.root(), "version", "Versions of the tool, the protocol and the daemon", "  viaduct version\n",
            version);
  add_wait(tree);
  add_log(tree);
}

}  // namespace viaduct::api::cli
