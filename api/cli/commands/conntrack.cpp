// conntrack: the connections that a host knows, with their translations.
#include <charconv>

#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

const std::vector<std::string> kConnectionKinds = {"track",        "snat",   "snat_reverse", "dnat",
                                                   "dnat_reverse", "sticky", "fragment"};
const std::vector<std::string> kStates = {"opening", "established", "closing", "closed"};
const std::vector<std::pair<std::string, uint8_t>> kProtocols = {
    {"tcp", 6}, {"udp", 17}, {"sctp", 132}, {"icmp", 1}, {"icmpv6", 58}};

// What the options say.
struct Filter {
  std::string kind, proto, src, dst, state, device;
  uint16_t port = 0;
  uint32_t limit = 0;
  bool all = false;
  bool empty() const {
    return kind.empty() && proto.empty() && src.empty() && dst.empty() && state.empty() && device.empty() && port == 0;
  }
};
using Filters = std::shared_ptr<Filter>;

Result<uint8_t> protocol_of(const std::string& text) {
  for (const auto& [name, number] : kProtocols) {
    if (name == text) return number;
  }
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number >= 1 && number <= 255) {
    return static_cast<uint8_t>(number);
  }
  return usage_error("--proto '" + text + "' is no protocol",
                     "use tcp, udp, sctp, icmp, icmpv6, or a number from 1 to 255");
}

// An address is a prefix of its whole length.
Result<IpPrefix> prefix_of(const std::string& option, const std::string& text) {
  if (const auto address = IpAddress::parse(text)) return IpPrefix(*address, address->width_bits());
  if (const auto prefix = IpPrefix::parse(text)) return *prefix;
  return usage_error(option + " '" + text + "' is no address or prefix", "write it as in 10.0.0.0/8 or 2001:db8::1");
}

// The options as the request has them.
struct Parsed {
  Filter options;
  uint8_t proto = 0;
  std::optional<IpPrefix> src, dst;
  Uuid device;

  void write(schema::ConnectionFilter::Builder to) const {
    to.setKind(options.kind);
    to.setProto(proto);
    if (src) write(*src, to.initSrc());
    if (dst) write(*dst, to.initDst());
    to.setPort(options.port);
    to.setState(options.state);
    if (!device.is_nil()) set_uuid(to.initDevice(), device);
  }
  static void write(const IpPrefix& prefix, schema::IpPrefix::Builder to) {
    set_address(to.initAddress(), prefix.address());
    to.setLength(static_cast<uint8_t>(prefix.length()));
  }
};

Result<Parsed> parse(Session& session, const Filter& options) {
  Parsed out{options, 0, {}, {}, {}};
  if (!options.proto.empty()) {
    auto proto = protocol_of(options.proto);
    if (!proto) return proto.failure();
    out.proto = *proto;
  }
  for (const auto& [option, text, to] :
       {std::tuple{"--src", &options.src, &out.src}, std::tuple{"--dst", &options.dst, &out.dst}}) {
    if (text->empty()) continue;
    auto prefix = prefix_of(option, *text);
    if (!prefix) return prefix.failure();
    *to = *prefix;
  }
  if (options.device.empty()) return out;
  auto directory = session.directory();
  if (!directory) return directory.failure();
  auto record = (*directory)->find(std::vector{Kind::BRIDGE, Kind::ROUTER, Kind::LOAD_BALANCER}, options.device);
  if (!record) return record.failure();
  out.device = record->id();
  return out;
}

std::string endpoint(const Json& line, const char* address, const char* port) {
  const std::string text = text_at(line, address);
  if (text.empty()) return {};
  const std::string number = text_at(line, port);
  if (number == "0") return text;
  return (text.find(':') == text.npos ? text : "[" + text + "]") + ":" + number;
}

std::string device_of(const Json& line) {
  const std::string name = text_at(line, "device_name");
  return name.empty() ? "" : text_at(line["device"], "kind") + " " + name;
}

void print_list(std::ostream& out, const Json& reply) {
  const Json& lines = reply["connections"];
  Table table({"KIND", "PROTO", "SOURCE", "DESTINATION", "BECOMES", "STATE", "IDLE", "OWNER", "DEVICE"});
  for (const Json& line : lines) {
    table.row({text_at(line, "kind"), text_at(line, "protocol"), endpoint(line, "source", "source_port"),
               endpoint(line, "destination", "destination_port"), endpoint(line, "address", "port"),
               text_at(line, "state"), duration(line["idle_seconds"].get<double>()), text_at(line, "owner"),
               device_of(line)});
  }
  if (!table.empty()) table.print(out);
  out << lines.size() << " of " << reply["total"] << " entries\n";
}

void print_entry(std::ostream& out, const Json& line) {
  auto field = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out << name << std::string(14 - name.size(), ' ') << text << '\n';
  };
  field("kind", text_at(line, "kind"));
  field("protocol", text_at(line, "protocol"));
  field("source", endpoint(line, "source", "source_port"));
  field("destination", endpoint(line, "destination", "destination_port"));
  field("becomes", endpoint(line, "address", "port"));
  field("state", text_at(line, "state"));
  field("idle", duration(line["idle_seconds"].get<double>()));
  field("seen forward", text_at(line, "seen_forward"));
  field("seen back", text_at(line, "seen_back"));
  field("owner", text_at(line, "owner"));
  field("device", device_of(line));
}

// The halves of a pair stand together, others behind an empty line.
void print_entries(std::ostream& out, const Json& reply) {
  std::string before;
  for (const Json& line : reply["connections"]) {
    const std::string kind = text_at(line, "kind");
    const bool second = kind == before + "_reverse" || before == kind + "_reverse";
    if (!before.empty()) out << (second ? "  and its other half\n" : "\n");
    print_entry(out, line);
    before = second ? "-" : kind;
  }
  if (reply["connections"].empty()) out << "no such connection\n";
}

enum class Detail : uint8_t { table, all };

Result<ExitCode> list(Session& session, const Filter& options, Detail detail) {
  auto filter = parse(session, options);
  if (!filter) return filter.failure();
  auto client = session.client();
  if (!client) return client.failure();
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto connections = request.initConnections();
    filter->write(connections.initFilter());
    connections.setLimit(options.limit);
    connections.setPairs(detail == Detail::all);
  };
  auto reply = (*client)->ask(fill, schema::AdminReply::CONNECTIONS);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print(*reply);
  } else if (detail == Detail::all) {
    print_entries(session.out(), *reply);
  } else {
    print_list(session.out(), *reply);
  }
  return ExitCode::ok;
}

Result<ExitCode> flush(Session& session, const Filter& options) {
  if (options.empty() && !options.all) {
    return usage_error("this would end every connection of the host", "say which ones, or --all");
  }
  if (!options.empty() && options.all) return usage_error("--all and a filter contradict each other", "leave one out");
  auto filter = parse(session, options);
  if (!filter) return filter.failure();
  auto client = session.client();
  if (!client) return client.failure();
  auto fill = [&](schema::AdminRequest::Builder request) { filter->write(request.initFlushConnections()); };
  auto reply = (*client)->ask(fill, schema::AdminReply::FLUSHED_CONNECTIONS);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print({{"flushed", *reply}});
  } else {
    session.out() << cell(*reply) << " entries are flushed\n";
  }
  return ExitCode::ok;
}

void print_stats(std::ostream& out, const Json& stats) {
  out << "entries               " << stats["entries"] << " of " << stats["capacity"] << '\n'
      << "refused, table full   " << stats["refused_table_full"] << '\n'
      << "refused, port share   " << stats["refused_port_share"] << '\n'
      << "refused, tenant share " << stats["refused_tenant_share"] << '\n';
  for (const auto& [list, heading, counted] :
       {std::tuple{"kinds", "KIND", "ENTRIES"}, std::tuple{"states", "PROTOCOL AND STATE", "CONNECTIONS"},
        std::tuple{"ports", "FULLEST PORTS", "ENTRIES"}}) {
    const Table table = table_of(stats[list], {heading, counted}, {"name", "count"});
    if (table.empty()) continue;
    out << '\n';
    table.print(out);
  }
}

Result<ExitCode> stats(Session& session) {
  auto client = session.client();
  if (!client) return client.failure();
  auto fill = [](schema::AdminRequest::Builder request) { request.setConnectionStats(); };
  auto reply = (*client)->ask(fill, schema::AdminReply::CONNECTION_STATS);
  if (!reply) return reply.failure();
  if (session.wants_json()) {
    session.print(*reply);
  } else {
    print_stats(session.out(), *reply);
  }
  return ExitCode::ok;
}

void add_filter(Tree& tree, CLI::App& command, const Filters& filter) {
  auto choice = [&](const char* name, std::string& to, const char* help, const std::vector<std::string>& words) {
    tree.hint(command.add_option(name, to, help)->check(CLI::IsMember(words)), Hint::choice(words));
  };
  choice("--kind", filter->kind, "Only entries of this kind", kConnectionKinds);
  choice("--state", filter->state, "Only connections in this state", kStates);
  std::vector<std::string> protocols;
  for (const auto& [name, number] : kProtocols) protocols.push_back(name);
  tree.hint(command.add_option("--proto", filter->proto, "Only this protocol, by name or number"),
            Hint::choice(protocols));
  command.add_option("--src", filter->src, "Only sources in this prefix");
  command.add_option("--dst", filter->dst, "Only destinations in this prefix");
  command.add_option("--port", filter->port, "Only with this port, as source, destination or translation")
      ->check(CLI::Range(1, 65'535));
  tree.hint(command.add_option("--device", filter->device, "Only at this bridge, router or load balancer"),
            Hint::any_of({Kind::BRIDGE, Kind::ROUTER, Kind::LOAD_BALANCER}));
}

void add_limit(CLI::App& command, const Filters& filter) {
  command.add_option("--limit", filter->limit, "At most so many (default: 1000)")->check(CLI::Range(1U, 0xffff'ffffU));
}

}  // namespace

void add_conntrack_commands(Tree& tree) {
  auto& group = tree.group(tree.root(), "conntrack", "Connections that this host knows, with their translations");
  auto listed = std::make_shared<Filter>(), shown = std::make_shared<Filter>(), flushed = std::make_shared<Filter>();
  auto& list_command = tree.leaf(group, "list", "Connections as a table",
                                 "  viaduct conntrack list\n  viaduct conntrack list --proto tcp --src 10.0.1.0/24\n",
                                 [=](Session& session) { return list(session, *listed, Detail::table); });
  add_filter(tree, list_command, listed);
  add_limit(list_command, listed);
  auto& show_command = tree.leaf(group, "show", "Every field of connections, with the other half of each pair",
                                 "  viaduct conntrack show --kind snat --port 40000\n",
                                 [=](Session& session) { return list(session, *shown, Detail::all); });
  add_filter(tree, show_command, shown);
  add_limit(show_command, shown);
  auto& flush_command = tree.leaf(group, "flush", "End connections, on this host",
                                  "  viaduct conntrack flush --device r1 --dst 203.0.113.7\n"
                                  "  viaduct conntrack flush --all\n",
                                  [=](Session& session) { return flush(session, *flushed); });
  add_filter(tree, flush_command, flushed);
  flush_command.add_flag("--all", flushed->all, "All of them");
  tree.leaf(group, "stats", "How many there are, of what, and what had no room", "  viaduct conntrack stats\n", stats);
}

}  // namespace viaduct::api::cli
