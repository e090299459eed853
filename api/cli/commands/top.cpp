// top: rates of ports, devices, flows and drops, second by second.
#include <chrono>
#include <thread>

#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "api/cli/top_table.hpp"

namespace viaduct::api::cli {
namespace {

constexpr const char* kTopExamples =
    "  viaduct top\n"
    "  viaduct top --by drop\n"
    "  viaduct top --once --by flow --limit 5\n"
    "  viaduct top --once --json | jq '.rows[0]'\n"
    "\n"
    "Of the asked host. Packets that leave a port are counted from the machine's point of view the other way round: RX "
    "is what\n"
    "enters the virtual network.\n";

struct TopArguments {
  std::string by = "port";
  bool once = false;
  double interval = 1;
  uint32_t limit = 20;
};

constexpr std::pair<const char*, TopBy> kBy[] = {
    {"port", TopBy::port}, {"device", TopBy::device}, {"flow", TopBy::flow}, {"drop", TopBy::drop}};

TopBy by_of(const TopArguments& arguments) {
  for (const auto& [name, by] : kBy) {
    if (arguments.by == name) return by;
  }
  return TopBy::port;
}

Result<Look> take_look(Session& session, TopBy by) {
  constexpr uint32_t kMost = 100'000;
  auto client = session.client();
  if (!client) return client.failure();
  Look out;
  auto status = (*client)->ask([](auto request) { request.setStatus(); }, schema::AdminReply::STATUS);
  if (!status) return status.failure();
  out.status = std::move(*status);
  out.at = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  if (by == TopBy::flow) {
    auto flows = (*client)->ask([](auto request) { request.initFlows().setLimit(kMost); }, schema::AdminReply::FLOWS);
    if (!flows) return flows.failure();
    out.flows = std::move(*flows);
  }
  if (by == TopBy::drop) {
    auto drops = (*client)->ask([](auto request) { request.initDrops().setLimit(kMost); }, schema::AdminReply::DROPS);
    if (!drops) return drops.failure();
    out.drops = std::move(*drops);
  }
  return out;
}

// Asked for once: a port that moves while somebody looks is under the device where it was.
Result<PortDevices> devices_of(Session& session) {
  PortDevices out;
  auto client = session.client();
  if (!client) return client.failure();
  auto records = (*client)->list({Kind::PORT, Kind::BRIDGE, Kind::ROUTER}, "");
  if (!records) return records.failure();
  std::map<std::string, std::string> names;
  for (const Record& record : *records) {
    if (record.kind() == Kind::PORT) continue;
    const std::string kind = record.kind() == Kind::BRIDGE ? "bridge " : "router ";
    names[record.id().to_string()] = kind + (record.name().empty() ? record.id().to_string() : record.name());
  }
  for (const Record& record : *records) {
    if (record.kind() != Kind::PORT) continue;
    for (const char* field : {"bridge", "router"}) {
      if (const auto at = names.find(record.reference(field).to_string()); at != names.end())
        out[record.id().to_string()] = at->second;
    }
  }
  return out;
}

void print_table(std::ostream& out, const TopTable& from, size_t limit) {
  std::vector<std::string> headings = from.headings;
  headings.insert(headings.end(), from.units.begin(), from.units.end());
  Table table(headings);
  for (const TopRow& row : from.rows) {
    if (limit-- == 0) break;
    std::vector<std::string> cells;
    for (const std::string& name : row.names) cells.push_back(printable(name));
    for (const double rate : row.rates) cells.push_back(rate_text(rate));
    table.row(std::move(cells));
  }
  table.print(out);
}

Json json_of(const TopTable& table, size_t limit) {
  Json rows = Json::array();
  const auto key = [](std::string heading) {
    for (char& c : heading) c = c == ' ' || c == '/' ? '_' : static_cast<char>(std::tolower(c));
    return heading;
  };
  for (const TopRow& row : table.rows) {
    if (limit-- == 0) break;
    Json out = Json::object();
    for (size_t i = 0; i < row.names.size(); ++i) out[key(table.headings[i])] = row.names[i];
    for (size_t i = 0; i < row.rates.size(); ++i) out[key(table.units[i])] = row.rates[i];
    rows.push_back(std::move(out));
  }
  return rows;
}

void show(Session& session, const TopArguments& arguments, const TopTable& table, const TopTable& reasons) {
  if (session.wants_json()) {
    session.print({{"rows", json_of(table, arguments.limit)}, {"drops", json_of(reasons, reasons.rows.size())}});
    return;
  }
  std::ostream& out = session.out();
  if (!arguments.once && session.terminal() == Terminal::interactive) out << "\x1b[H\x1b[2J";  // ECMA-48: home, erase
  print_table(out, table, arguments.limit);
  if (arguments.by != "drop" && !reasons.rows.empty()) {
    out << '\n';
    print_table(out, reasons, reasons.rows.size());
  }
  if (!arguments.once) out << '\n' << std::flush;
}

Result<ExitCode> top(Session& session, const TopArguments& arguments) {
  const TopBy by = by_of(arguments);
  PortDevices devices;
  if (by == TopBy::device) {
    auto found = devices_of(session);
    if (!found) return found.failure();
    devices = std::move(*found);
  }
  auto before = take_look(session, by);
  if (!before) return before.failure();
  while (session.out().good()) {
    std::this_thread::sleep_for(std::chrono::duration<double>(arguments.interval));
    auto after = take_look(session, by);
    if (!after) return after.failure();
    show(session, arguments, top_table(by, *before, *after, devices), drop_reasons(*before, *after));
    if (arguments.once) break;
    *before = std::move(*after);
  }
  return ExitCode::ok;
}

}  // namespace

void add_top_command(Tree& tree) {
  auto arguments = std::make_shared<TopArguments>();
  auto& command = tree.leaf(tree.root(), "top", "Rates of packets, bytes and drops, each second until interrupted",
                            kTopExamples, [=](Session& session) { return top(session, *arguments); });
  std::vector<std::string> names;
  for (const auto& [name, by] : kBy) names.emplace_back(name);
  tree.hint(command.add_option("--by", arguments->by, "port, device, flow or drop (port)")->check(CLI::IsMember(names)),
            Hint::choice(names));
  command.add_flag("--once", arguments->once, "One table, of one interval, and end");
  command.add_option("--interval", arguments->interval, "Seconds between two looks (1)")
      ->check(CLI::Validator(CLI::Range(0.01, 3600.0)).description(""));
  command.add_option("--limit", arguments->limit, "Most rows (20)");
}

}  // namespace viaduct::api::cli
