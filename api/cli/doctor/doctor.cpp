#include "api/cli/doctor/doctor.hpp"

#include <algorithm>

#include "api/cli/doctor/daemon_checks.hpp"
#include "api/cli/doctor/host_checks.hpp"
#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

Result<Json> status_of(Session& session) {
  auto client = session.client();
  if (!client) return client.failure();
  return (*client)->ask([](schema::AdminRequest::Builder request) { request.setStatus(); }, schema::AdminReply::STATUS);
}

// The store answers from behind the daemon's endpoint: asked for what is small.
Result<Done> ask_store(Session& session) {
  auto client = session.client();
  if (!client) return client.failure();
  auto zones = (*client)->list({Kind::TUNNEL_ZONE}, "");
  if (!zones) return zones.failure();
  return Done{};
}

}  // namespace

std::vector<Check> examine(Session& session, const Outside& host, const std::string& config_file) {
  const ConfigTexts config = config_texts(host.read(config_file).text);
  const Result<Json> status = status_of(session);
  const std::string datapath = status ? text_at(*status, "datapath") : std::string();
  std::vector<Check> checks =
      status ? checks_of_daemon(host, *status, ask_store(session)) : checks_without_daemon(status.failure());
  for (Check& check : std::vector<Check>{
           check_token(host, session.token_file()), check_configuration(host, config_file),
           check_certificates(host, config), check_state_space(host, config), check_clock(host), check_limits(host),
           check_kernel(host, datapath), check_datapath(host, datapath), check_bpf_file_system(host, datapath),
           check_tunnel_devices(host), check_tun(host), check_network_namespaces(host)})
    checks.push_back(std::move(check));
  return checks;
}

size_t count(const std::vector<Check>& checks, Verdict verdict) {
  return static_cast<size_t>(std::ranges::count(checks, verdict, &Check::verdict));
}

void print_checks(const std::vector<Check>& checks, std::ostream& out) {
  constexpr size_t kWidth = 9;
  for (const Check& check : checks) {
    std::string verdict(to_string(check.verdict));
    verdict.resize(kWidth, ' ');
    out << verdict << check.name << ": " << check.seen << '\n';
    if (!check.cure.empty()) out << std::string(kWidth, ' ') << "do: " << check.cure << '\n';
  }
  out << count(checks, Verdict::ok) << " ok, " << count(checks, Verdict::warning) << " warning, "
      << count(checks, Verdict::failed) << " failed, " << count(checks, Verdict::skipped) << " skipped\n";
}

Json checks_json(const std::vector<Check>& checks) {
  Json list = Json::array();
  for (const Check& check : checks)
    list.push_back(
        {{"name", check.name}, {"result", to_string(check.verdict)}, {"seen", check.seen}, {"cure", check.cure}});
  return {{"checks", list},
          {"ok", count(checks, Verdict::ok)},
          {"warning", count(checks, Verdict::warning)},
          {"failed", count(checks, Verdict::failed)},
          {"skipped", count(checks, Verdict::skipped)}};
}

}  // namespace viaduct::api::cli
