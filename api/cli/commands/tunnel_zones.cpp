// tunnel-zone add-host and remove-host.
#include "api/cli/commands/change.hpp"
#include "api/cli/commands/commands.hpp"

namespace viaduct::api::cli {
namespace {

struct Pair {
  std::string zone, host, address;
};

Result<std::vector<Operation>> joining(Directory& directory, const Pair& pair) {
  auto zone = directory.find(Kind::TUNNEL_ZONE, pair.zone);
  if (!zone) return zone.failure();
  auto host = directory.find(Kind::HOST, pair.host);
  if (!host) return host.failure();
  Record member(Kind::TUNNEL_ZONE_HOST, Uuid::random());
  auto address = parse_value(*member.info().find("address"), {pair.address});
  if (!address) return address.failure();
  member.set("zone", zone->id());
  member.set("host", host->id());
  member.set("address", *address);
  return std::vector<Operation>{{Operation::Action::create, member}};
}

Result<std::vector<Operation>> leaving(Directory& directory, const Pair& pair) {
  auto zone = directory.find(Kind::TUNNEL_ZONE, pair.zone);
  if (!zone) return zone.failure();
  auto host = directory.find(Kind::HOST, pair.host);
  if (!host) return host.failure();
  auto members = directory.naming(Kind::TUNNEL_ZONE_HOST, host->id());
  if (!members) return members.failure();
  for (const Record& member : *members) {
    if (member.reference("zone") == zone->id()) return std::vector<Operation>{{Operation::Action::remove, member}};
  }
  return Failure{ExitCode::refused,
                 "not_found",
                 directory.describe(*host) + " is not in " + directory.describe(*zone),
                 "viaduct tunnel-zone show " + pair.zone + " lists the hosts that are",
                 {}};
}

using Make = Result<std::vector<Operation>> (*)(Directory&, const Pair&);

CLI::App& add_command(Tree& tree, CLI::App& group, std::string_view name, std::string_view help,
                      std::string_view examples, const std::shared_ptr<Pair>& pair, Make make) {
  auto mode = std::make_shared<std::shared_ptr<ChangeMode>>();
  auto run = [=](Session& session) -> Result<ExitCode> {
    auto directory = session.directory();
    if (!directory) return directory.failure();
    auto operations = make(**directory, *pair);
    if (!operations) return operations.failure();
    return commit(session, *operations, **mode);
  };
  auto& command = tree.leaf(group, name, help, examples, run);
  tree.hint(command.add_option("zone", pair->zone, "Name or id of the tunnel zone")->required(),
            Hint::object(Kind::TUNNEL_ZONE));
  tree.hint(command.add_option("host", pair->host, "Name or id of the host")->required(), Hint::object(Kind::HOST));
  *mode = add_change_options(command);
  return command;
}

}  // namespace

void add_tunnel_zone_commands(Tree& tree) {
  CLI::App& group = *tree.root().get_subcommand("tunnel-zone");
  auto joins = std::make_shared<Pair>();
  add_command(tree, group, "add-host", "Put a host into a tunnel zone, with its address there",
              "  viaduct tunnel-zone add-host underlay node-1 192.0.2.1 --wait\n"
              "  viaduct tunnel-zone add-host underlay-v6 node-1 2001:db8::1\n",
              joins, joining)
      .add_option("address", joins->address, "The host's own address that the others reach it at")
      ->required();
  add_command(tree, group, "remove-host", "Take a host out of a tunnel zone",
              "  viaduct tunnel-zone remove-host underlay node-1 --wait\n", std::make_shared<Pair>(), leaving);
}

}  // namespace viaduct::api::cli
