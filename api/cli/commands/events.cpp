// events: what has happened, of the daemon's journal.
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <thread>

#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "observability/event.hpp"
#include "topology/codec.hpp"

namespace viaduct::api::cli {
namespace {

using observability::Event;
using SystemTime = std::chrono::system_clock::time_point;

constexpr std::chrono::milliseconds kPoll{500};

struct Options {
  std::vector<std::string> kinds, about;
  std::string port, since;
  uint32_t limit = 0;
  bool follow = false;
};

struct Page {
  std::vector<Event> events;
  bool more = false;
  uint64_t next = 0;
};

// "90", "15m", "2h", "1d" back from now.
Result<SystemTime> moment_of(const std::string& text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, number);
  const std::string_view rest(unit, static_cast<size_t>(end - unit));
  const uint64_t seconds = rest.empty() || rest == "s" ? 1
                           : rest == "m"               ? 60
                           : rest == "h"               ? 3'600
                           : rest == "d"               ? 86'400
                                                       : 0;
  if (error != std::errc{} || seconds == 0 || number > 36'500) {
    return usage_error("--since '" + text + "' is no time", "say how long ago, as in 90s, 15m, 2h, 1d");
  }
  return std::chrono::system_clock::now() - std::chrono::seconds(number * seconds);
}

std::string time_text(SystemTime at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const auto whole = std::chrono::floor<std::chrono::seconds>(at);
  std::string fraction = std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(at - whole).count());
  return std::string(text.data(), length) + "." + std::string(3 - fraction.size(), '0') + fraction + "Z";
}

// A kind that there is none of would wait for ever in silence.
Result<Done> check_kinds(const std::vector<std::string>& kinds) {
  for (const std::string& wanted : kinds) {
    bool known = false;
    std::string all;
    for (size_t i = 0; i < observability::kEventKinds; ++i) {
      const std::string kind(to_string(static_cast<observability::EventKind>(i)));
      known = known || kind == wanted || kind.starts_with(wanted + ".");
      all += (i == 0 ? "" : ", ") + kind;
    }
    if (!known)
      return usage_error("there is no kind of event '" + wanted + "'",
                         "one of " + all + ", or the part before the dot");
  }
  return Done{};
}

struct Question {
  Options options;
  std::vector<std::string> values;
  uint64_t since = 0;
};

Result<Question> question_of(Session& session, const Options& options) {
  Question out{options, options.about};
  if (auto checked = check_kinds(options.kinds); !checked) return checked.failure();
  if (!options.since.empty()) {
    auto since = moment_of(options.since);
    if (!since) return since.failure();
    out.since =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since->time_since_epoch()).count());
  }
  if (options.port.empty()) return out;
  auto directory = session.directory();
  if (!directory) return directory.failure();
  auto port = (*directory)->find(Kind::PORT, options.port);
  if (!port) return port.failure();
  out.values.push_back(port->id().to_string());
  return out;
}

void set_texts(const std::vector<std::string>& from, capnp::List<capnp::Text>::Builder to) {
  for (unsigned i = 0; i < to.size(); ++i) to.set(i, from[i]);
}

Result<Page> ask(Session& session, const Question& question, uint64_t after) {
  auto client = session.client();
  if (!client) return client.failure();
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto events = request.initEvents();
    events.setAfter(after);
    events.setSince(question.since);
    events.setLimit(question.options.limit);
    set_texts(question.options.kinds, events.initKinds(static_cast<unsigned>(question.options.kinds.size())));
    set_texts(question.values, events.initValues(static_cast<unsigned>(question.values.size())));
  };
  Page page;
  auto read = (*client)->read(fill, schema::AdminReply::EVENTS, [&](schema::AdminReply::Reader reply) {
    auto list = reply.getEvents();
    for (auto each : list.getEvents()) page.events.push_back(topology::decode(each));
    page.more = list.getMore();
    page.next = list.getNext();
  });
  if (!read) return read.failure();
  return page;
}

Json json_of(const Event& event) {
  Json fields = Json::object();
  for (const auto& [key, value] : event.fields) fields[key] = value;
  return {{"id", event.id},     {"at", time_text(event.at)}, {"kind", event.kind},         {"level", event.level},
          {"host", event.host}, {"message", event.message},  {"fields", std::move(fields)}};
}

std::string line_of(const Event& event) {
  std::string out = time_text(event.at) + "  " + event.host + "  " + event.kind + "  " + event.message;
  for (const auto& [key, value] : event.fields) {
    if (!value.empty()) out += "  " + key + "=" + (value.find(' ') == value.npos ? value : "'" + value + "'");
  }
  return printable(out);
}

void print_lines(Session& session, const Page& page) {
  for (const Event& event : page.events) {
    if (session.wants_json()) {
      session.out() << json_of(event).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    } else {
      session.out() << line_of(event) << '\n';
    }
  }
  session.out().flush();
}

// A line for each; the end is the terminal's.
Result<ExitCode> follow(Session& session, const Question& question, Page page) {
  for (;;) {
    print_lines(session, page);
    if (!session.out()) return ExitCode::ok;  // who reads has gone
    if (!page.more) std::this_thread::sleep_for(kPoll);
    auto next = ask(session, question, page.next);
    if (!next) return next.failure();
    page = std::move(*next);
  }
}

Result<ExitCode> events(Session& session, const Options& options) {
  auto question = question_of(session, options);
  if (!question) return question.failure();
  auto page = ask(session, *question, 0);
  if (!page) return page.failure();
  if (options.follow) {
    page->more = false;  // earlier ones: they were not asked for
    return follow(session, *question, std::move(*page));
  }
  if (session.wants_json()) {
    Json out = Json::array();
    for (const Event& event : page->events) out.push_back(json_of(event));
    session.print({{"events", std::move(out)}, {"more", page->more}});
    return ExitCode::ok;
  }
  print_lines(session, *page);
  if (page->events.empty()) session.out() << "no such event is in the journal of this daemon\n";
  if (page->more)
    session.out() << "there were earlier ones: --limit shows more, --since, --kind and --about choose among them\n";
  return ExitCode::ok;
}

}  // namespace

void add_event_command(Tree& tree) {
  auto options = std::make_shared<Options>();
  auto& command = tree.leaf(tree.root(), "events",
                            "What has happened: changes with who asked for them, ports, tunnels, BGP, hosts, actors",
                            "  viaduct events --since 1h\n"
                            "  viaduct events --kind port --kind tunnel.down\n"
                            "  viaduct events --about 2f1c0c6e-6d0b-4d0e-9a57-7f0f6a1c2b3d\n"
                            "  viaduct events --follow --json\n",
                            [=](Session& session) { return events(session, *options); });
  std::vector<std::string> kinds;
  for (size_t i = 0; i < observability::kEventKinds; ++i) {
    kinds.emplace_back(to_string(static_cast<observability::EventKind>(i)));
  }
  tree.hint(
      command.add_option("--kind", options->kinds, "Only of this kind; port stands for port.active and port.inactive")
          ->type_name("KIND")
          ->allow_extra_args(false),
      Hint::choice(std::move(kinds)));
  command.add_option("--about", options->about, "Only of this host, request, revision, or whatever else they name")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  tree.hint(command.add_option("--port", options->port, "Only of this port")->type_name("NAME"),
            Hint::object(Kind::PORT));
  command.add_option("--since", options->since, "Not older: 90s, 15m, 2h, 1d")->type_name("TIME");
  command.add_option("--limit", options->limit, "At most so many, the newest (1000)")->type_name("N");
  command.add_flag("--follow", options->follow, "Go on with those that come, until interrupted");
}

}  // namespace viaduct::api::cli
