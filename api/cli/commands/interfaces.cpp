// host interfaces: what agents say of their hosts' networks.
#include <algorithm>

#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "topology/codec.hpp"

namespace viaduct::api::cli {
namespace {

struct Line {
  std::string host;
  topology::HostInterface interface;
};

Result<std::vector<Line>> ask(Session& session, const std::string& wanted) {
  constexpr uint32_t kMost = 100'000;
  auto client = session.client();
  if (!client) return client.failure();
  auto directory = session.directory();
  if (!directory) return directory.failure();
  Uuid host;
  if (!wanted.empty()) {
    auto record = (*directory)->find(Kind::HOST, wanted);
    if (!record) return record.failure();
    host = record->id();
  }
  std::vector<topology::StateEntry> entries;
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto facts = request.initFacts();
    facts.initTables(1).set(0, "interface");
    if (!host.is_nil()) set_uuid(facts.initDevice(), host);
    facts.setLimit(kMost);
  };
  auto read = (*client)->read(fill, schema::AdminReply::FACTS, [&](schema::AdminReply::Reader reply) {
    for (auto each : reply.getFacts().getEntries()) {
      if (auto entry = topology::decode(each)) entries.push_back(std::move(*entry));
    }
  });
  if (!read) return read.failure();
  std::vector<Line> out;
  for (auto& entry : entries) {
    auto* interface = std::get_if<topology::HostInterface>(&entry.fact);
    if (interface == nullptr) continue;
    out.push_back({(*directory)->name_of(Kind::HOST, entry.host.uuid()), std::move(*interface)});
  }
  std::ranges::sort(out, {}, [](const Line& line) { return std::pair(line.host, line.interface.name); });
  return out;
}

std::string state_of(const topology::HostInterface& interface) {
  if (!interface.up) return "down";
  return interface.carrier ? "up" : "no carrier";
}

std::vector<std::string> addresses_of(const topology::HostInterface& interface) {
  std::vector<std::string> out;
  for (const IpAddress& each : interface.addresses) out.push_back(each.to_string());
  return out;
}

Json json_of(const Line& line) {
  const auto& interface = line.interface;
  return {{"host", line.host},
          {"name", interface.name},
          {"mac", interface.mac.to_string()},
          {"mtu", interface.mtu},
          {"kind", interface.kind},
          {"state", state_of(interface)},
          {"addresses", addresses_of(interface)}};
}

Result<ExitCode> interfaces(Session& session, const std::string& host) {
  auto lines = ask(session, host);
  if (!lines) return lines.failure();
  if (session.wants_json()) {
    Json out = Json::array();
    for (const Line& line : *lines) out.push_back(json_of(line));
    session.print(out);
    return ExitCode::ok;
  }
  if (lines->empty()) {
    session.out() << "no interfaces are known" << (host.empty() ? "" : " of host " + host)
                  << ": agents tell theirs while they are at work (viaduct status)\n";
    return ExitCode::ok;
  }
  Table table({"HOST", "INTERFACE", "KIND", "STATE", "MTU", "MAC", "ADDRESSES"});
  for (const Line& line : *lines) {
    const auto& interface = line.interface;
    std::string addresses;
    for (const std::string& each : addresses_of(interface)) addresses += (addresses.empty() ? "" : " ") + each;
    table.row({line.host, interface.name, interface.kind.empty() ? "device" : interface.kind, state_of(interface),
               std::to_string(interface.mtu), interface.mac == MacAddress() ? "" : interface.mac.to_string(),
               addresses});
  }
  table.print(session.out());
  return ExitCode::ok;
}

}  // namespace

void add_interface_command(Tree& tree) {
  auto host = std::make_shared<std::string>();
  auto& command = tree.leaf(*tree.root().get_subcommand("host"), "interfaces",
                            "Network interfaces of hosts, with their addresses, as the agents at work say",
                            "  viaduct host interfaces\n  viaduct host interfaces node-1 --json\n",
                            [=](Session& session) { return interfaces(session, *host); });
  tree.hint(command.add_option("host", *host, "Name or id of the host (default: all)"), Hint::object(Kind::HOST));
}

}  // namespace viaduct::api::cli
