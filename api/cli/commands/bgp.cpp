// bgp: the sessions of the daemon's host. bgp routes: what it has learned from all hosts'.
#include <algorithm>
#include <optional>

#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

struct Options {
  std::string router;
};

// As the daemon calls a router; nothing when all are meant.
Result<std::string> name_of_router(Session& session, const std::string& text) {
  if (text.empty()) return std::string();
  auto directory = session.directory();
  if (!directory) return directory.failure();
  auto record = (*directory)->find(Kind::ROUTER, text);
  if (!record) return record.failure();
  return (*directory)->name_of(Kind::ROUTER, record->id());
}

void say_none(std::ostream& out, const std::string& router) {
  out << "no port of this host speaks BGP" << (router.empty() ? "" : " for router " + router) << '\n'
      << "a router speaks by its ports, on the hosts that these are bound to: viaduct bgp shows the sessions there; "
         "viaduct bgp-peer list and viaduct port list"
      << (router.empty() ? "" : " --router " + router) << " say what is configured\n";
}

Result<ExitCode> bgp(Session& session, const Options& options) {
  auto client = session.client();
  if (!client) return client.failure();
  auto router = name_of_router(session, options.router);
  if (!router) return router.failure();
  auto status =
      (*client)->ask([](schema::AdminRequest::Builder request) { request.setStatus(); }, schema::AdminReply::STATUS);
  if (!status) return status.failure();
  Json peers = Json::array();
  for (const Json& peer : (*status)["bgp"]) {
    if (router->empty() || text_at(peer, "router") == *router) peers.push_back(peer);
  }
  if (session.wants_json()) {
    session.print({{"sessions", peers}, {"problems", (*status)["bgp_problems"]}});
    return ExitCode::ok;
  }
  std::ostream& out = session.out();
  if (peers.empty()) {
    say_none(out, *router);
  } else {
    Table table({"ROUTER", "PORT", "PEER", "AS", "STATE", "UP", "IN", "OUT", "BFD", "LAST ERROR"});
    for (const Json& peer : peers) {
      const double up = peer["up_seconds"].get<double>();
      table.row({text_at(peer, "router"), text_at(peer, "port"), text_at(peer, "peer"), text_at(peer, "as_number"),
                 text_at(peer, "state"), up > 0 ? duration(up) : "", text_at(peer, "prefixes_in"),
                 text_at(peer, "prefixes_out"), text_at(peer, "bfd"), text_at(peer, "last_error")});
    }
    table.print(out);
  }
  for (const Json& problem : (*status)["bgp_problems"]) out << "problem: " << problem.get<std::string>() << '\n';
  return ExitCode::ok;
}

struct RouteOptions {
  std::string router, to;
  uint32_t limit = 0;
};

void print_routes(std::ostream& out, const Json& reply) {
  Table table({"ROUTER", "PREFIX", "GATEWAY", "PORT", "HOST", "STATE"});
  for (const Json& route : reply["routes"]) {
    table.row({text_at(route, "router_name"), text_at(route, "prefix"), text_at(route, "gateway"),
               text_at(route, "port_name"), text_at(route, "host_name"), text_at(route, "state")});
  }
  if (!table.empty()) table.print(out);
  out << reply["routes"].size() << " of " << reply["total"] << " routes\n";
}

std::optional<Failure> wrong_address(const std::string& text) {
  if (text.empty() || IpAddress::parse(text)) return std::nullopt;
  const std::string form = "write it as in --to 198.51.100.1 or --to 2001:db8::1";
  if (IpPrefix::parse(text)) return usage_error("--to '" + text + "' is a prefix, not one address of it", form);
  return usage_error("--to '" + text + "' is no address", form);
}

// A daemon without an agent goes by no routes.
Failure with_agents(Session& session, Failure failure) {
  const bool no_agent = failure.message.find("no agent role") != failure.message.npos;
  if (!no_agent || !failure.cure.empty()) return failure;
  auto directory = session.directory();
  auto hosts = directory ? (*directory)->all(Kind::HOST) : Result<std::vector<Record>>(failure);
  if (!hosts || hosts->empty()) return failure;
  constexpr size_t kNamed = 5;
  for (size_t i = 0; i < std::min(hosts->size(), kNamed); ++i) {
    failure.cure += (i == 0 ? "hosts with an agent: " : ", ") + (*directory)->name_of(Kind::HOST, (*hosts)[i].id());
  }
  if (hosts->size() > kNamed) failure.cure += " and " + std::to_string(hosts->size() - kNamed) + " more";
  return failure;
}

Result<ExitCode> routes(Session& session, const RouteOptions& options) {
  if (auto wrong = wrong_address(options.to)) return *wrong;
  Uuid router;
  auto client = session.client();
  if (!client) return client.failure();
  if (!options.router.empty()) {
    auto directory = session.directory();
    if (!directory) return directory.failure();
    auto record = (*directory)->find(Kind::ROUTER, options.router);
    if (!record) return record.failure();
    router = record->id();
  }
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto wanted = request.initRoutes();
    if (!router.is_nil()) set_uuid(wanted.initRouter(), router);
    wanted.setDestination(options.to);
    wanted.setLimit(options.limit);
  };
  auto reply = (*client)->ask(fill, schema::AdminReply::ROUTES);
  if (!reply) return with_agents(session, reply.failure());
  if (session.wants_json()) {
    session.print(*reply);
  } else {
    print_routes(session.out(), *reply);
  }
  return ExitCode::ok;
}

void add_routes(Tree& tree, CLI::App& bgp) {
  auto options = std::make_shared<RouteOptions>();
  auto& command = tree.leaf(bgp, "routes", "Routes that routers have learned, as the daemon's host goes by them",
                            "  viaduct bgp routes\n  viaduct bgp routes edge --to 198.51.100.1\n"
                            "  viaduct bgp routes --limit 20 --json\n",
                            [=](Session& session) { return routes(session, *options); });
  tree.hint(command.add_option("router", options->router, "Router (default: all)"), Hint::object(Kind::ROUTER));
  command.add_option("--to", options->to, "Only routes that hold this address, as 198.51.100.1 or 2001:db8::1");
  command.add_option("--limit", options->limit, "At most so many (default: 1000)")->check(CLI::Range(1U, 0xffff'ffffU));
}

}  // namespace

void add_bgp_command(Tree& tree) {
  auto options = std::make_shared<Options>();
  auto& command =
      tree.leaf(tree.root(), "bgp", "BGP sessions of the daemon's host: state, prefixes, BFD, why the last one ended",
                "  viaduct bgp\n  viaduct bgp --router edge\n  viaduct bgp routes edge --to 198.51.100.1\n"
                "  viaduct bgp --json | jq '.sessions[] | select(.state != \"Established\")'\n",
                [=](Session& session) { return bgp(session, *options); });
  tree.hint(command.add_option("--router", options->router, "Only this router's, by its name"),
            Hint::object(Kind::ROUTER));
  add_routes(tree, command);
}

}  // namespace viaduct::api::cli
