// Of bundle.hpp: what goes in.
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "api/cli/bundle/bundle.hpp"
#include "api/cli/bundle/http_get.hpp"
#include "api/cli/doctor/daemon_config.hpp"
#include "api/cli/doctor/doctor.hpp"
#include "api/cli/export_choice.hpp"
#include "api/cli/export_text.hpp"
#include "api/cli/output.hpp"
#include "api/cli/version.hpp"

namespace viaduct::api::cli {
namespace {

constexpr uint32_t kMostLines = 1000;  // of flows, connections, routes
constexpr size_t kShortestSecret = 4;
constexpr size_t kMostKernelLines = 1000;

class Gatherer {
 public:
  Gatherer(Session& session, const Outside& host, const std::string& config)
      : session_(session), host_(host), config_(config) {}

  Bundle run() {
    add_versions();
    add_doctor();
    add_daemon();
    add_config();
    add_host();
    for (BundlePart& part : bundle_.parts) bundle_.hidden += hide(secrets_, part.text) + hide(secrets_, part.problem);
    return std::move(bundle_);
  }

 private:
  void add(std::string name, std::string text, std::string problem = {}) {
    bundle_.parts.push_back({std::move(name), std::move(text), std::move(problem)});
  }

  void add_versions() {
    std::string text = "viaduct " + std::string(kVersion) + "\nkernel " + host_.kernel_release() + "\n";
    for (const char* path : {"/proc/version", "/etc/os-release"}) text += host_.read(path).text;
    const ProgramOutcome daemon = host_.run({"viaductd", "--version"});
    text += daemon.problem.empty() ? daemon.output : daemon.problem + "\n";
    add("versions.txt", text);
  }

  void add_doctor() {
    const auto checks = examine(session_, host_, config_);
    std::ostringstream people;
    print_checks(checks, people);
    add("doctor.txt", people.str());
    add("doctor.json", dump(checks_json(checks)) + '\n');
    session_.disconnect();
  }

  // --- the daemon --------------------------------------------------------------------------------------

  void add_daemon() {
    const FileText token = host_.read(session_.token_file());
    secrets_.insert(token.text.substr(0, token.text.find('\n')));
    const Json status = ask(
        "status.json", [](auto request) { request.setStatus(); }, schema::AdminReply::STATUS);
    add_objects();
    ask(
        "flows.json", [](auto request) { request.initFlows().setLimit(kMostLines); }, schema::AdminReply::FLOWS);
    ask(
        "state.json", [](auto request) { request.initState(); }, schema::AdminReply::STATE);
    ask(
        "connections.json", [](auto request) { request.initConnections().setLimit(kMostLines); },
        schema::AdminReply::CONNECTIONS);
    ask(
        "connection-stats.json", [](auto request) { request.setConnectionStats(); },
        schema::AdminReply::CONNECTION_STATS);
    ask(
        "routes.json", [](auto request) { request.initRoutes().setLimit(kMostLines); }, schema::AdminReply::ROUTES);
    add_metrics(text_at(status, "metrics_url"));
  }

  Result<Client*> client() {
    if (away_) return *away_;
    auto client = session_.client();
    if (!client) away_ = client.failure();  // it is not asked again
    return client;
  }

  // A request that fails does not end the others: they get a connection of their own.
  void failed(const std::string& name, const Failure& failure) {
    add(name, {}, failure.message);
    if (failure.exit == ExitCode::timeout) away_ = failure;
    session_.disconnect();
  }

  Json ask(const std::string& name, const Client::Fill& fill, schema::AdminReply::Which expected) {
    auto connected = client();
    auto reply = connected ? (*connected)->ask(fill, expected) : Result<Json>(connected.failure());
    if (!reply) {
      failed(name, reply.failure());
      return Json::object();
    }
    add(name, dump(*reply) + '\n');
    return *reply;
  }

  void add_objects() {
    auto connected = client();
    auto live = connected ? (*connected)->list({}, "") : Result<std::vector<Record>>(connected.failure());
    if (!live) return failed("topology.yaml", live.failure());
    for (const Record& record : *live) {
      for (const Field& field : record.info().fields) {
        const auto* text = std::get_if<std::string>(&record.get(field.name));
        if (field.type == FieldType::secret && text != nullptr) secrets_.insert(*text);
      }
    }
    bundle_.secrets_are_known = true;
    add("topology.yaml", yaml_of(export_document(*live, choose(*live, {}), Told::unusual)));
  }

  void add_metrics(const std::string& url) {
    if (url.empty()) return add("metrics.txt", {}, "the daemon has not told where they are");
    auto text = http_get(url, std::chrono::seconds(5));
    text ? add("metrics.txt", *text) : add("metrics.txt", {}, text.failure().message);
  }

  // --- the host ----------------------------------------------------------------------------------------

  void add_config() {
    const FileText file = host_.read(config_);
    if (file.error != 0) return add("viaductd.toml", {}, config_ + ": " + std::strerror(file.error));
    add("viaductd.toml", without_secrets(file.text));
  }

  void add_host() {
    add_program("ip-link.txt", {"ip", "-d", "-s", "link"});
    add_program("ip-addr.txt", {"ip", "-d", "addr"});
    add_program("ip-route.txt", {"ip", "-d", "route", "show", "table", "all"});
    add_program("ip-route-v6.txt", {"ip", "-6", "-d", "route", "show", "table", "all"});
    add_program("ip-rule.txt", {"ip", "rule"});
    add_program("netns.txt", {"ip", "netns", "list-id"});
    add_kernel_log();
    add_program("viaductd.log", {"journalctl", "--no-pager", "-u", "viaductd", "-n", "5000"});
  }

  void add_program(const std::string& name, const std::vector<std::string>& words) {
    ProgramOutcome out = host_.run(words);
    if (out.problem.empty() && out.status != 0)
      out.problem = words.front() + " ended with status " + std::to_string(out.status) + ": " +
                    out.output.substr(0, out.output.find('\n'));
    add(name, out.output, out.problem);
  }

  // Of the kernel's log the last lines that can concern us: the rest may tell of other things.
  void add_kernel_log() {
    add_program("kernel.log", {"dmesg"});
    std::string& log = bundle_.parts.back().text;
    std::istringstream lines(log);
    std::vector<std::string> kept;
    for (std::string line; std::getline(lines, line);)
      if (concerns_us(line)) kept.push_back(line + '\n');
    log.clear();
    for (size_t i = kept.size() - std::min(kept.size(), kMostKernelLines); i < kept.size(); ++i) log += kept[i];
  }

  static bool concerns_us(const std::string& line) {
    std::string lower(line);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::ranges::any_of(
        std::array<std::string_view, 7>{"openvswitch", "bpf", "vxlan", "gre:", "viaduct", "oom", "verifier"},
        [&](std::string_view word) { return lower.find(word) != std::string::npos; });
  }

  Session& session_;
  const Outside& host_;
  const std::string& config_;
  Bundle bundle_;
  std::set<std::string> secrets_;
  std::optional<Failure> away_;
};

}  // namespace

Bundle gather(Session& session, const Outside& host, const std::string& config) {
  return Gatherer(session, host, config).run();
}

size_t hide(const std::set<std::string>& secrets, std::string& text) {
  constexpr std::string_view kInstead = "(not told)";
  size_t places = 0;
  for (const std::string& secret : secrets) {
    if (secret.size() < kShortestSecret) continue;
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + kInstead.size())) {
      text.replace(at, secret.size(), kInstead);
      ++places;
    }
  }
  return places;
}

}  // namespace viaduct::api::cli
