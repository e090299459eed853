#include "api/cli/doctor/host_checks.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "schema/identity/x509.hpp"

namespace viaduct::api::cli {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kLeastFree = 256 * kMiB, kWantedFree = 1024 * kMiB;
constexpr uint64_t kLeastFiles = 1024;
constexpr std::chrono::hours kSoon{30 * 24};

Check skipped(const char* name, const std::string& what, int error) {
  return {name, Verdict::skipped, what + ": " + std::strerror(error), {}};
}

std::vector<std::string> daemons(const Outside& host) {
  std::vector<std::string> ids;
  for (const std::string& name : host.names_in("/proc")) {
    const bool is_number = name.find_first_not_of("0123456789") == std::string::npos;
    if (is_number && host.read("/proc/" + name + "/comm").text == "viaductd\n") ids.push_back(name);
  }
  std::ranges::sort(ids);
  return ids;
}

// "Max open files            1024                 524288               files"
uint64_t soft_limit(const std::string& limits, const std::string& name) {
  const size_t at = limits.find(name);
  if (at == std::string::npos) return 0;
  std::istringstream rest(limits.substr(at + name.size()));
  std::string word;
  rest >> word;
  if (word == "unlimited") return UINT64_MAX;
  uint64_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

std::string in_mib(uint64_t bytes) { return std::to_string(bytes / kMiB) + " MiB"; }

std::string text_at(const ConfigTexts& config, const char* key, const char* otherwise = "") {
  auto at = config.find(key);
  return at == config.end() || at->second.empty() ? otherwise : at->second;
}

}  // namespace

Check check_limits(const Outside& host) {
  Findings found("limits");
  std::string seen;
  for (const std::string& id : daemons(host)) {
    const uint64_t files = soft_limit(host.read("/proc/" + id + "/limits").text, "Max open files");
    const uint64_t open = host.names_in("/proc/" + id + "/fd").size();  // 0 for whoever may not look
    const std::string who = "viaductd " + id + ": ";
    seen += (seen.empty() ? "" : "; ") + who + (files == UINT64_MAX ? "any number of" : std::to_string(files)) +
            " open files";
    if (files < kLeastFiles)
      found.add(Verdict::warning, who + std::to_string(files) + " open files are allowed",
                "set LimitNOFILE=65536 in its unit, and restart it");
    else if (open > files / 10 * 8)
      found.add(Verdict::warning, who + std::to_string(open) + " of " + std::to_string(files) + " files are open",
                "set a greater LimitNOFILE in its unit, and restart it");
  }
  if (seen.empty()) return {"limits", Verdict::skipped, "no viaductd runs here", {}};
  return found.check(seen);
}

Check check_clock(const Outside& host) {
  const ClockFacts clock = host.clock();
  if (!clock.known) return {"clock", Verdict::skipped, "the kernel does not say whether it is synchronised", {}};
  if (clock.synchronised) {
    return {
        "clock", Verdict::ok, "synchronised, at most " + std::to_string(clock.most_off.count() / 1000) + " ms off", {}};
  }
  return {"clock", Verdict::warning,
          "not synchronised: certificates may seem invalid, and logs of hosts not fit together",
          "run chrony or systemd-timesyncd; timedatectl says what there is"};
}

Check check_token(const Outside& host, const std::string& path) {
  const FileFacts token = host.facts(path);
  if (token.error == ENOENT) {
    return {"token", Verdict::failed, "there is no " + path,
            "start the daemon, which writes it (systemctl start viaductd), or name it: --token-file"};
  }
  if (token.error != 0) return skipped("token", path, token.error);
  char mode[16];
  std::snprintf(mode, sizeof mode, "%04o", token.mode);
  const std::string seen = path + " has mode " + mode;
  if ((token.mode & 0007) == 0 && (token.mode & 0020) == 0) return {"token", Verdict::ok, seen, {}};
  const bool others = (token.mode & 0007) != 0;
  return {"token", Verdict::failed,
          seen + ": " + (others ? "everybody here" : "its group") + " may " +
              ((token.mode & 0004) != 0 ? "read" : "change") + " it",
          "remove it and restart viaductd, which writes another; who has read the old one could do what root can"};
}

Check check_configuration(const Outside& host, const std::string& path) {
  const FileText file = host.read(path);
  if (file.error == ENOENT) return {"configuration", Verdict::ok, "there is no " + path + ": all is as by default", {}};
  if (file.error != 0) return skipped("configuration", path, file.error);
  const ProgramOutcome checked = host.run({"viaductd", "--config", path, "--check-config"});
  if (checked.status == 0) return {"configuration", Verdict::ok, path, {}};
  if (!checked.problem.empty())
    return {"configuration", Verdict::skipped, "viaductd cannot be asked: " + checked.problem, {}};
  const size_t end = checked.output.find_last_not_of('\n') + 1;
  return {"configuration", Verdict::failed, checked.output.substr(0, end),
          "correct it: viaductd --config " + path + " --check-config"};
}

Check check_state_space(const Outside& host, const ConfigTexts& config) {
  const std::string directory = text_at(config, "state_dir", kDefaultStateDirectory);
  const SpaceFacts space = host.space(directory);
  if (space.error != 0) return skipped("state_directory", directory, space.error);
  const std::string seen =
      directory + " has " + in_mib(space.free_bytes) + " of " + in_mib(space.total_bytes) + " free";
  if (space.free_bytes >= kWantedFree || space.free_bytes >= space.total_bytes / 2)
    return {"state_directory", Verdict::ok, seen, {}};
  return {"state_directory", space.free_bytes < kLeastFree ? Verdict::failed : Verdict::warning, seen,
          "make room there: without it changes are refused, and what was learned is not kept over a restart"};
}

Check check_certificates(const Outside& host, const ConfigTexts& config) {
  const CredentialPaths paths{text_at(config, "tls.ca"), text_at(config, "tls.certificate"), text_at(config, "tls.key"),
                              text_at(config, "tls.revoked")};
  if (paths.ca.empty() && paths.certificate.empty() && paths.key.empty())
    return {"certificates", Verdict::skipped, "none are configured: this host speaks with no other", {}};
  for (const std::string& path : {paths.ca, paths.certificate, paths.key})
    if (const int error = host.read(path).error; error == EACCES) return skipped("certificates", path, error);
  const CredentialFacts facts = host.credentials(paths);
  Findings found("certificates");
  for (const auto& problem : facts.problems) found.add(Verdict::failed, problem.text, problem.cure);
  std::string seen;
  for (const CertificateEnd& end : facts.ends) {
    const std::string until = end.subject + " is valid until " + identity::to_string(end.not_after);
    seen += (seen.empty() ? "" : "; ") + until;
    if (end.not_after > host.now() && end.not_after - host.now() < kSoon)
      found.add(Verdict::warning, until, "make a new one in time (viaduct certs host), and restart viaductd with it");
  }
  return found.check(seen);
}

}  // namespace viaduct::api::cli
