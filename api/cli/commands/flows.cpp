// flows: what is installed in the datapath. state: what devices have learned.
#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

void print_flows(std::ostream& out, const Json& reply) {
  const Json& flows = reply["flows"];
  Table table({"PORT", "PACKETS", "BYTES", "IDLE", "TAGS", "MATCH", "ACTIONS"});
  for (const Json& flow : flows) {
    std::string port = text_at(flow, "port_name");
    table.row({port.empty() ? text_at(flow, "port") : port, text_at(flow, "packets"), text_at(flow, "bytes"),
               duration(flow["idle_seconds"].get<double>()), text_at(flow, "tags"), text_at(flow, "match"),
               text_at(flow, "actions")});
  }
  if (!table.empty()) table.print(out);
  out << flows.size() << " of " << reply["total"] << " flows\n";
}

Result<ExitCode> list_flows(Session& session, const std::string& port, uint32_t limit) {
  auto directory = session.directory();
  if (!directory) return directory.failure();
  Uuid port_id;
  if (!port.empty()) {
    auto record = (*directory)->find(Kind::PORT, port);
    if (!record) return record.failure();
    port_id = record->id();
  }
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto flows = request.initFlows();
    if (!port_id.is_nil()) set_uuid(flows.initPort(), port_id);
    flows.setLimit(limit);
  };
  auto reply = (*session.client())->ask(fill, schema::AdminReply::FLOWS);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print(*reply);
  } else {
    print_flows(session.out(), *reply);
  }
  return ExitCode::ok;
}

void print_state(std::ostream& out, const Json& entries) {
  Table table({"DEVICE", "NAME", "TABLE", "KEY", "VALUE", "STATE", "AGE"});
  for (const Json& entry : entries) {
    table.row({text_at(entry["device"], "kind"), text_at(entry, "device_name"), text_at(entry, "table"),
               text_at(entry, "key"), text_at(entry, "value"), text_at(entry, "state"),
               duration(entry["age_seconds"].get<double>())});
  }
  if (table.empty()) {
    out << "nothing learned\n";
  } else {
    table.print(out);
  }
}

// Nil for an empty text: every device.
Result<Uuid> device_id(Session& session, const std::string& text, const std::vector<Kind>& kinds) {
  auto directory = session.directory();
  if (!directory) return directory.failure();
  if (text.empty()) return Uuid{};
  auto record = (*directory)->find(kinds, text);
  if (!record) return record.failure();
  return record->id();
}

Result<ExitCode> show_state(Session& session, const std::string& device) {
  auto id = device_id(session, device, {Kind::BRIDGE, Kind::ROUTER, Kind::POOL});
  if (!id) return id.failure();
  auto fill = [&](schema::AdminRequest::Builder request) { set_uuid(request.initState().initDevice(), *id); };
  auto reply = (*session.client())->ask(fill, schema::AdminReply::STATE);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print(*reply);
  } else {
    print_state(session.out(), (*reply)["entries"]);
  }
  return ExitCode::ok;
}

Result<ExitCode> flush_state(Session& session, const std::string& device) {
  auto id = device_id(session, device, {Kind::BRIDGE, Kind::ROUTER});
  if (!id) return id.failure();
  auto fill = [&](schema::AdminRequest::Builder request) { set_uuid(request.initFlush().initDevice(), *id); };
  auto reply = (*session.client())->ask(fill, schema::AdminReply::DONE);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print({{"flushed", id->to_string()}});
  } else {
    session.out() << "learned state of " << device << " is flushed\n";
  }
  return ExitCode::ok;
}

void add_flows(Tree& tree) {
  auto port = std::make_shared<std::string>();
  auto limit = std::make_shared<uint32_t>(0);
  auto& command = tree.leaf(tree.root(), "flows", "Flows in the datapath, with their counters",
                            "  viaduct flows\n  viaduct flows --port vm1 --limit 20\n",
                            [=](Session& session) { return list_flows(session, *port, *limit); });
  tree.hint(command.add_option("--port", *port, "Only flows that enter by this port"), Hint::object(Kind::PORT));
  command.add_option("--limit", *limit, "At most so many (default: 1000)")->check(CLI::Range(1U, 0xffff'ffffU));
}

// A device called "flush" is reached by its id: the word is the command.
void add_state(Tree& tree) {
  auto device = std::make_shared<std::string>();
  auto& show =
      tree.leaf(tree.root(), "state", "What bridges and routers have learned, and the health of pools' members",
                "  viaduct state\n  viaduct state blue\n  viaduct state web-pool\n  viaduct state flush blue\n",
                [=](Session& session) { return show_state(session, *device); });
  Hint devices = Hint::any_of({Kind::BRIDGE, Kind::ROUTER});
  tree.hint(show.add_option("device", *device, "Bridge, router or pool (default: all)"),
            Hint::any_of({Kind::BRIDGE, Kind::ROUTER, Kind::POOL}));
  auto flushed = std::make_shared<std::string>();
  auto& flush = tree.leaf(show, "flush", "Forget what a device has learned", "  viaduct state flush blue\n",
                          [=](Session& session) { return flush_state(session, *flushed); });
  tree.hint(flush.add_option("device", *flushed, "Bridge or router")->required(), devices);
}

}  // namespace

void add_flow_commands(Tree& tree) {
  add_flows(tree);
  add_state(tree);
}

}  // namespace viaduct::api::cli
