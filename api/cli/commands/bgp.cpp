// bgp: the sessions of the daemon's host. bgp routes: what it has learned from all hosts'.
#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

struct Options {
  std::string router;
};

Result<ExitCode> bgp(Session& session, const Options& options) {
  auto client = session.client();
  if (!client) return client.failure();
  auto status =
      (*client)->ask([](schema::AdminRequest::Builder request) { request.setStatus(); }, schema::AdminReply::STATUS);
  if (!status) return status.failure();
  Json peers = Json::array();
  for (const Json& peer : (*status)["bgp"]) {
    if (options.router.empty() || text_at(peer, "router") == options.router) peers.push_back(peer);
  }
  if (session.wants_json()) {
    session.print({{"sessions", peers}, {"problems", (*status)["bgp_problems"]}});
    return ExitCode::ok;
  }
  std::ostream& out = session.out();
  if (peers.empty()) {
    out << "no port of this host speaks BGP" << (options.router.empty() ? "" : " for router " + options.router) << '\n';
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

Result<ExitCode> routes(Session& session, const RouteOptions& options) {
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
  if (!reply) return reply.failure();
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
  command.add_option("--to", options->to, "Only routes that hold this address");
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
