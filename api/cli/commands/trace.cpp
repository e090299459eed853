// trace: what the virtual network would do with a packet.
#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "api/cli/packet_description.hpp"

namespace viaduct::cli {
namespace {

constexpr const char* kTraceExamples =
    "  viaduct trace vm1 icmp to 10.0.2.10\n"
    "  viaduct trace vm1 tcp from 10.0.1.10 to 10.0.2.10 dport 80 ttl 3\n"
    "  viaduct trace vm1 udp to fd00:2::10 sport 53 dport 5353 length 200 df\n"
    "  viaduct trace vm1 ip proto 47 to 10.0.2.10 tos 0x10 vlan 7\n"
    "  viaduct trace vm1 arp for 10.0.1.1\n"
    "  viaduct trace vm1 nd for fd00:1::1\n"
    "  viaduct trace vm1 hex 0200000000020200000000010806…\n"
    "\n"
    "Words: from, to, for ADDRESS; smac, dmac MAC; sport, dport PORT; ttl, tos, proto, vlan, length NUMBER; df.\n"
    "What is left out is filled from live state: the port's learned MAC and IP addresses, the gateway's MAC.\n";

void print_step(std::ostream& out, const Json& step) {
  out << std::string(2 + 2 * step["depth"].get<size_t>(), ' ');
  std::string name = text_at(step, "device_name");
  if (name.empty()) name = text_at(step["device"], "id");
  if (!name.empty()) out << text_at(step["device"], "kind") << ' ' << name << "  ";
  out << text_at(step, "stage");
  std::string detail = text_at(step, "detail");
  if (!detail.empty()) out << ": " << detail;
  out << '\n';
}

void print_trace(std::ostream& out, const Json& trace) {
  out << "packet: " << text_at(trace, "description") << '\n';
  for (const Json& step : trace["steps"]) print_step(out, step);
  out << "verdict: " << text_at(trace, "outcome");
  std::string reason = text_at(trace, "drop_reason");
  if (!reason.empty()) out << " (" << reason << ')';
  std::string outputs;
  for (const Json& output : trace["outputs"]) outputs += (outputs.empty() ? " to " : ", ") + cell(output);
  out << outputs << '\n';
  if (std::string match = text_at(trace, "match"); !match.empty())
    out << "flow:    " << match << "\nactions: " << text_at(trace, "actions") << '\n';
}

Result<ExitCode> trace(Session& session, const std::string& port, const std::vector<std::string>& words) {
  auto packet = parse_packet(words);
  if (!packet) return packet.failure();
  auto directory = session.directory();
  if (!directory) return directory.failure();
  auto record = (*directory)->find(Kind::PORT, port);
  if (!record) return record.failure();
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto trace = request.initTrace();
    set_uuid(trace.initPort(), record->id());
    write_packet(*packet, trace.initPacket());
  };
  auto reply = (*session.client())->ask(fill, schema::AdminReply::TRACE);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print(*reply);
  } else {
    print_trace(session.out(), *reply);
  }
  return ExitCode::ok;
}

}  // namespace

void add_trace_command(Tree& tree) {
  auto port = std::make_shared<std::string>();
  auto words = std::make_shared<std::vector<std::string>>();
  auto& command = tree.leaf(tree.root(), "trace", "What would happen to a packet that enters by a port, and why",
                            kTraceExamples, [=](Session& session) { return trace(session, *port, *words); });
  tree.hint(command.add_option("port", *port, "Port where the packet enters")->required(), Hint::object(Kind::PORT));
  tree.hint(command.add_option("packet", *words, "Packet in words")->required(), Hint::choice(packet_words()));
}

}  // namespace viaduct::cli
