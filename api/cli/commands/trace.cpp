// trace: what the virtual network would do with a packet.
#include "api/cli/commands/commands.hpp"
#include "api/cli/commands/plan_file.hpp"
#include "api/cli/output.hpp"
#include "api/client/packet_description.hpp"

namespace viaduct::api::cli {
namespace {

constexpr const char* kTraceExamples =
    "  viaduct trace vm1 icmp to 10.0.2.10\n"
    "  viaduct trace vm1 tcp from 10.0.1.10 to 10.0.2.10 dport 80 ttl 3\n"
    "  viaduct trace vm1 udp to fd00:2::10 sport 53 dport 5353 length 200 df\n"
    "  viaduct trace vm1 ip proto 47 to 10.0.2.10 tos 0x10 vlan 7\n"
    "  viaduct trace vm1 arp for 10.0.1.1\n"
    "  viaduct trace vm1 nd for fd00:1::1\n"
    "  viaduct trace vm1 hex 0200000000020200000000010806…\n"
    "  viaduct trace vm1 tcp to 10.0.2.10 dport 80 --if change.yaml\n"
    "\n"
    "Words: from, to, for ADDRESS; smac, dmac MAC; sport, dport PORT; ttl, tos, proto, vlan, length NUMBER; df.\n"
    "What is left out is filled from live state: the port's learned MAC and IP addresses, the gateway's MAC.\n"
    "\n"
    "--if takes a file as of apply, and says what would become of the packet if it were applied: the change is\n"
    "validated, and the packet traced without and with it. Nothing is written.\n";

struct Arguments {
  std::string port;
  std::vector<std::string> words;
  std::string change;  // a file; empty: none
  bool prune = false;
};

void print_step(std::ostream& out, const Json& step) {
  out << std::string(2 + 2 * step["depth"].get<size_t>(), ' ');
  std::string name = printable_at(step, "device_name");
  if (name.empty()) name = text_at(step["device"], "id");
  if (!name.empty()) out << printable_at(step["device"], "kind") << ' ' << name << "  ";
  out << printable_at(step, "stage");
  std::string detail = printable_at(step, "detail");
  if (!detail.empty()) out << ": " << detail;
  out << '\n';
}

void print_way(std::ostream& out, const Json& trace) {
  for (const Json& step : trace["steps"]) print_step(out, step);
  out << "verdict: " << printable_at(trace, "outcome");
  std::string reason = printable_at(trace, "drop_reason");
  if (!reason.empty()) out << " (" << reason << ')';
  std::string outputs;
  for (const Json& output : trace["outputs"]) outputs += (outputs.empty() ? " to " : ", ") + printable(cell(output));
  out << outputs << '\n';
  if (std::string match = printable_at(trace, "match"); !match.empty())
    out << "flow:    " << match << "\nactions: " << printable_at(trace, "actions") << '\n';
}

void print_trace(std::ostream& out, const Json& trace) {
  out << "packet: " << printable_at(trace, "description") << '\n';
  print_way(out, trace);
  if (const std::string host = printable_at(trace, "host"); !host.empty()) out << "answered by host " << host << '\n';
}

void print_supposed(std::ostream& out, const Json& supposed) {
  out << "packet: " << text_at(supposed["now"], "description") << "\n\nnow:\n";
  print_way(out, supposed["now"]);
  out << "\nwith the change:\n";
  const bool path = supposed["path_differs"].get<bool>();
  if (path) {
    print_way(out, supposed["changed"]);
  } else {
    out << "  the same, step by step\n";
  }
  out << '\n';
  if (supposed["outcome_differs"].get<bool>()) {
    out << "the outcome differs:\n";
    for (const Json& difference : supposed["differences"]) out << "  " << cell(difference) << '\n';
  } else {
    out << "the outcome is the same" << (path ? ", by other steps" : "") << '\n';
  }
  for (const Json& note : supposed["notes"]) out << "note: " << cell(note) << '\n';
}

using FillTrace = std::function<void(schema::TraceRequest::Builder)>;

Result<ExitCode> trace_now(Session& session, const FillTrace& fill) {
  auto reply = (*session.client())->ask([&](auto request) { fill(request.initTrace()); }, schema::AdminReply::TRACE);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print(*reply);
  } else {
    print_trace(session.out(), *reply);
  }
  return ExitCode::ok;
}

Result<ExitCode> trace_supposing(Session& session, const FillTrace& fill, const Arguments& arguments) {
  auto plan = plan_from_file(session, arguments.change, arguments.prune ? Pruning::prune : Pruning::keep);
  if (!plan) return plan.failure();
  if (!session.wants_json()) print_plan(*plan, session.out());
  auto fill_both = [&](schema::AdminRequest::Builder request) {
    auto suppose = request.initSuppose();
    fill(suppose.initTrace());
    fill_operations(plan->operations, suppose.initChange());
  };
  auto reply = (*session.client())->ask(fill_both, schema::AdminReply::SUPPOSED);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print({{"plan", plan_json(*plan)}, {"supposed", *reply}});
  } else {
    print_supposed(session.out(), *reply);
  }
  return ExitCode::ok;
}

Result<ExitCode> trace(Session& session, const Arguments& arguments) {
  if (arguments.prune && arguments.change.empty()) return usage_error("--prune is for a change", "add --if FILE");
  auto packet = parse_packet(arguments.words);
  if (!packet) return packet.failure();
  auto directory = session.directory();
  if (!directory) return directory.failure();
  auto port = (*directory)->find_anywhere(Kind::PORT, arguments.port);
  if (!port) return port.failure();
  auto fill = [&](schema::TraceRequest::Builder trace) {
    set_uuid(trace.initPort(), *port);
    write_packet(*packet, trace.initPacket());
  };
  return arguments.change.empty() ? trace_now(session, fill) : trace_supposing(session, fill, arguments);
}

}  // namespace

void add_trace_command(Tree& tree) {
  auto arguments = std::make_shared<Arguments>();
  auto& command = tree.leaf(tree.root(), "trace", "What would happen to a packet that enters by a port, and why",
                            kTraceExamples, [=](Session& session) { return trace(session, *arguments); });
  tree.hint(command.add_option("port", arguments->port, "Port where the packet enters")->required(),
            Hint::object(Kind::PORT));
  tree.hint(command.add_option("packet", arguments->words, "Packet in words")->required(),
            Hint::choice(packet_words()));
  tree.hint(
      command.add_option("--if", arguments->change, "Also as if this YAML file were applied; - for standard input"),
      Hint::file());
  command.add_flag("--prune", arguments->prune, "With --if: as if what the file does not mention were deleted");
}

}  // namespace viaduct::api::cli
