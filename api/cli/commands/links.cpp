// port link and unlink; bind and unbind.
#include "api/cli/commands/change.hpp"
#include "api/cli/commands/commands.hpp"
#include "api/cli/commands/edit.hpp"

namespace viaduct::api::cli {
namespace {

Failure refuse(std::string code, std::string message, std::string cure) {
  return {ExitCode::refused, std::move(code), std::move(message), std::move(cure), {}};
}

// Why `port` cannot be linked to `peer`, if so.
std::optional<Failure> obstacle(Directory& directory, const Record& port, const Record& peer) {
  std::string name = directory.describe(port);
  Uuid linked = port.reference("peer");
  if (!linked.is_nil() && linked != peer.id())
    return refuse("port_already_linked", name + " is already linked to port " + directory.name_of(Kind::PORT, linked),
                  "unlink it first: viaduct port unlink " + port.name());
  if (!port.reference("host").is_nil())
    return refuse("port_already_bound",
                  name + " is bound to interface " + directory.text_of(port, *port.info().find("interface")),
                  "unbind it first: viaduct unbind " + port.name());
  return std::nullopt;
}

Result<std::vector<Record>> link(Directory& directory, const std::string& left, const std::string& right) {
  auto one = directory.find(Kind::PORT, left);
  if (!one) return one.failure();
  auto other = directory.find(Kind::PORT, right);
  if (!other) return other.failure();
  if (one->id() == other->id())
    return refuse("linked_to_itself", directory.describe(*one) + " cannot be linked to itself", "name two ports");
  if (auto failure = obstacle(directory, *one, *other)) return *failure;
  if (auto failure = obstacle(directory, *other, *one)) return *failure;
  one->set("peer", other->id());
  other->set("peer", one->id());
  return std::vector{*one, *other};
}

Result<std::vector<Record>> unlink(Directory& directory, const std::string& text) {
  auto port = directory.find(Kind::PORT, text);
  if (!port) return port.failure();
  std::vector<Record> records;
  if (Uuid peer_id = port->reference("peer"); !peer_id.is_nil()) {
    auto peer = directory.find(Kind::PORT, peer_id.to_string());
    if (!peer && peer.failure().code != "not_found") return peer.failure();
    if (peer && peer->reference("peer") == port->id()) {
      peer->set("peer", Value{});
      records.push_back(*peer);
    }
  }
  port->set("peer", Value{});
  records.push_back(*port);
  return records;
}

// The host that the operator named, else the daemon's.
Result<Uuid> host_for(Session& session, Directory& directory, const std::string& text) {
  if (!text.empty()) {
    auto host = directory.find(Kind::HOST, text);
    if (!host) return host.failure();
    return host->id();
  }
  auto id = daemon_host(session);
  if (id) return id;
  return id.failure();
}

void add_port_link(Tree& tree, CLI::App& group) {
  auto ports = std::make_shared<std::pair<std::string, std::string>>();
  auto mode = std::make_shared<std::shared_ptr<ChangeMode>>();
  auto& command = tree.leaf(group, "link", "Link two ports: what leaves one enters at the other",
                            "  viaduct port link r1-blue blue-r1 --wait\n", [=](Session& session) {
                              return edit(session, **mode, [&](Directory& directory) {
                                return link(directory, ports->first, ports->second);
                              });
                            });
  tree.hint(command.add_option("port", ports->first, "Name or id")->required(), Hint::object(Kind::PORT));
  tree.hint(command.add_option("peer", ports->second, "Name or id of the other port")->required(),
            Hint::object(Kind::PORT));
  *mode = add_change_options(command);
}

void add_port_unlink(Tree& tree, CLI::App& group) {
  auto port = std::make_shared<std::string>();
  auto mode = std::make_shared<std::shared_ptr<ChangeMode>>();
  auto& command = tree.leaf(
      group, "unlink", "Undo a link, from either end", "  viaduct port unlink r1-blue\n", [=](Session& session) {
        return edit(session, **mode, [&](Directory& directory) { return unlink(directory, *port); });
      });
  tree.hint(command.add_option("port", *port, "Name or id")->required(), Hint::object(Kind::PORT));
  *mode = add_change_options(command);
}

void add_bind(Tree& tree) {
  struct Arguments {
    std::string port, interface, host;
  };
  auto arguments = std::make_shared<Arguments>();
  auto mode = std::make_shared<std::shared_ptr<ChangeMode>>();
  auto run = [=](Session& session) {
    return edit(session, **mode, [&](Directory& directory) -> Result<std::vector<Record>> {
      auto port = directory.find(Kind::PORT, arguments->port);
      if (!port) return port.failure();
      auto host = host_for(session, directory, arguments->host);
      if (!host) return host.failure();
      port->set("host", *host);
      port->set("interface", arguments->interface);
      return std::vector{*port};
    });
  };
  auto& command = tree.leaf(tree.root(), "bind", "Bind a port to a network interface of a host",
                            "  viaduct bind vm1 tap1 --wait\n  viaduct bind vm2 tap2 --host node-2\n", run);
  tree.hint(command.add_option("port", arguments->port, "Name or id")->required(), Hint::object(Kind::PORT));
  command.add_option("interface", arguments->interface, "Network interface, at most 15 bytes")->required();
  tree.hint(command.add_option("--host", arguments->host, "Host of the interface (default: the daemon's)"),
            Hint::object(Kind::HOST));
  *mode = add_change_options(command);
}

void add_unbind(Tree& tree) {
  auto port = std::make_shared<std::string>();
  auto mode = std::make_shared<std::shared_ptr<ChangeMode>>();
  auto run = [=](Session& session) {
    return edit(session, **mode, [&](Directory& directory) -> Result<std::vector<Record>> {
      auto record = directory.find(Kind::PORT, *port);
      if (!record) return record.failure();
      record->set("host", Value{});
      record->set("interface", std::string());
      return std::vector{*record};
    });
  };
  auto& command =
      tree.leaf(tree.root(), "unbind", "Take a port off its interface", "  viaduct unbind vm1 --wait\n", run);
  tree.hint(command.add_option("port", *port, "Name or id")->required(), Hint::object(Kind::PORT));
  *mode = add_change_options(command);
}

}  // namespace

Result<Uuid> daemon_host(Session& session) {
  auto client = session.client();
  if (!client) return client.failure();
  auto status =
      (*client)->ask([](schema::AdminRequest::Builder request) { request.setStatus(); }, schema::AdminReply::STATUS);
  if (!status) return status.failure();
  const Json& id = (*status)["host_id"];
  if (id.is_null())
    return refuse("no_host", "the daemon has no agent, so there is no host of its own", "name one with --host");
  return *Uuid::parse(id.get<std::string>());
}

void add_binding_commands(Tree& tree) {
  CLI::App& ports = *tree.root().get_subcommand("port");
  add_port_link(tree, ports);
  add_port_unlink(tree, ports);
  add_bind(tree);
  add_unbind(tree);
}

}  // namespace viaduct::api::cli
