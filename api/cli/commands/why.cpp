// why: what keeps traffic of a port from arriving.
#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "api/client/packet_description.hpp"

namespace viaduct::api::cli {
namespace {

constexpr const char* kWhyExamples =
    "  viaduct why vm1\n"
    "  viaduct why vm1 icmp to 10.0.2.10\n"
    "  viaduct why vm1 tcp to 10.0.2.10 dport 80\n"
    "  viaduct why vm1 tcp to 10.0.2.10 dport 80 --json | jq -r '.causes[0].cause'\n"
    "\n"
    "Without a packet: whatever enters by the port or should leave by it. With one, in the words of trace: that "
    "packet, and\n"
    "the answer to it. The most probable cause comes first. Certainty: traced (the packet meets it), now (it is so, "
    "and\n"
    "packets meet it), likely (it is so, and may be why), earlier (packets met it, and would not now).\n";

struct WhyArguments {
  std::string port;
  std::vector<std::string> words;
  bool all = false;
};

constexpr size_t kShown = 5;

bool is_found(const Json& cause) { return text_at(cause, "certainty") != "earlier" && !cause["ordinary"].get<bool>(); }

void print_cause(std::ostream& out, size_t number, const Json& cause) {
  const auto line = [&](const char* name, const std::string& text) {
    if (!text.empty()) out << "   " << name << std::string(9 - std::string_view(name).size(), ' ') << text << '\n';
  };
  out << number << ". " << printable_at(cause, "cause") << " (" << printable_at(cause, "certainty")
      << (cause["ordinary"].get<bool>() ? ", ordinary" : "") << ")\n";
  line("what", printable_at(cause, "text"));
  std::string where;
  if (std::string name = printable_at(cause, "device_name"); !name.empty()) {
    where = printable_at(cause["device"], "kind") + " " + name;
  }
  if (std::string chain = printable_at(cause, "chain_name"); !chain.empty()) {
    where += ", chain " + chain + " rule " + text_at(cause, "rule_position");
  }
  const std::string host = printable_at(cause, "host");
  line("where", where + (where.empty() || host.empty() ? "" : ", ") + (host.empty() ? "" : "host " + host));
  if (cause["packets"].get<uint64_t>() > 0) {
    line("dropped", text_at(cause, "packets") + " packets, the last " + duration(cause["last_seconds"].get<double>()) +
                        " ago, the first " + duration(cause["first_seconds"].get<double>()) + " ago");
  }
  line("example", printable_at(cause, "example"));
  line("cure", printable_at(cause, "cure"));
}

void print_answer(std::ostream& out, const Json& why, bool all) {
  const Json& causes = why["causes"];
  bool found = false;
  for (const Json& cause : causes) found |= is_found(cause);
  if (!found) out << "nothing was found that keeps traffic of port " << printable_at(why, "port") << " from arriving\n";
  const size_t shown = all ? causes.size() : std::min(causes.size(), kShown);
  for (size_t i = 0; i < shown; ++i) print_cause(out, i + 1, causes[i]);
  if (shown < causes.size()) out << "and " << causes.size() - shown << " more: --all\n";
  for (const Json& note : why["notes"]) out << "note: " << printable(cell(note)) << '\n';
  if (const std::string host = printable_at(why, "host"); !host.empty()) out << "answered by host " << host << '\n';
}

Result<ExitCode> why(Session& session, const WhyArguments& arguments) {
  std::optional<PacketDescription> packet;
  if (!arguments.words.empty()) {
    auto parsed = parse_packet(arguments.words);
    if (!parsed) return parsed.failure();
    packet = *parsed;
  }
  auto directory = session.directory();
  if (!directory) return directory.failure();
  auto port = (*directory)->find_anywhere(Kind::PORT, arguments.port);
  if (!port) return port.failure();
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto question = request.initWhy();
    set_uuid(question.initPort(), *port);
    if (packet) write_packet(*packet, question.initPacket());
  };
  auto reply = (*session.client())->ask(fill, schema::AdminReply::WHY);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print(*reply);
  } else {
    print_answer(session.out(), *reply, arguments.all);
  }
  for (const Json& cause : (*reply)["causes"]) {
    if (is_found(cause)) return ExitCode::ok;
  }
  return ExitCode::nothing_wrong;
}

}  // namespace

void add_why_command(Tree& tree) {
  auto arguments = std::make_shared<WhyArguments>();
  auto& command = tree.leaf(tree.root(), "why", "Why traffic of a port does not arrive, and what to do about it",
                            kWhyExamples, [=](Session& session) { return why(session, *arguments); });
  tree.hint(command.add_option("port", arguments->port, "Port where it enters, or should leave")->required(),
            Hint::object(Kind::PORT));
  tree.hint(command.add_option("packet", arguments->words, "Packet in words, as of trace (default: any)"),
            Hint::choice(packet_words()));
  command.add_flag("--all", arguments->all, "All causes, not only the five most probable");
}

}  // namespace viaduct::api::cli
