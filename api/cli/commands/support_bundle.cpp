// support-bundle: everything that whoever helps wants to know, in one file.
#include <unistd.h>

#include <ctime>

#include "api/cli/bundle/bundle.hpp"
#include "api/cli/commands/commands.hpp"
#include "api/cli/doctor/daemon_config.hpp"

namespace viaduct::api::cli {
namespace {

constexpr const char* kBundleExamples =
    "  sudo viaduct support-bundle\n"
    "  viaduct support-bundle -o /tmp/node-1.tar.gz\n"
    "\n"
    "In it: the daemon's status with actors and tunnels, the topology, flows, learned state, connections and routes "
    "(1000\n"
    "of each), metrics, what the doctor says, viaductd.toml, interfaces, addresses and routes of the host, and lines "
    "of the\n"
    "kernel's and the daemon's logs. No passwords, no token, no keys; but names, addresses and rules of your network.\n"
    "What cannot be had is named with the reason, and the rest is there.\n";

struct BundleWords {
  std::string file, config = kDefaultConfig;
};

// "viaduct-node-1-20261122T215959Z"
std::string default_name() {
  char host[256] = "host";
  ::gethostname(host, sizeof host - 1);
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char when[32];
  std::strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &parts);
  return "viaduct-" + std::string(host) + "-" + when;
}

void print_bundle(const Bundle& bundle, const std::string& file, std::ostream& out) {
  for (const BundlePart& part : bundle.parts) {
    out << "  " << part.name;
    if (!part.text.empty()) out << ": " << part.text.size() << " bytes";
    if (!part.problem.empty()) out << (part.text.empty() ? ": not there: " : "; but ") << part.problem;
    out << '\n';
  }
  if (bundle.hidden > 0) out << "passwords and the token were taken out in " << bundle.hidden << " places\n";
  out << file
      << (bundle.secrets_are_known ? ": no passwords, tokens or keys are in it\n"
                                   : ": tokens and keys are not in it, but which passwords there are the daemon could "
                                     "not tell; look through the "
                                     "logs before you hand it on\n");
}

Result<ExitCode> support_bundle(Session& session, const BundleWords& words) {
  const std::string name = default_name(), file = words.file.empty() ? name + ".tar.gz" : words.file;
  const auto host = this_host();
  const Bundle bundle = gather(session, *host, words.config);
  if (auto packed = pack(bundle, name, file); !packed) return packed.failure();
  if (session.wants_json()) {
    Json json = {{"file", file}};
    json.update(bundle_json(bundle));
    session.print(json);
  } else {
    print_bundle(bundle, file, session.out());
  }
  return ExitCode::ok;
}

}  // namespace

void add_support_bundle_command(Tree& tree) {
  auto words = std::make_shared<BundleWords>();
  auto& command = tree.leaf(tree.root(), "support-bundle", "Gather in one file what whoever helps you wants to know",
                            kBundleExamples, [=](Session& session) { return support_bundle(session, *words); });
  tree.hint(command.add_option("-o,--output", words->file, "File, mode 0600 (viaduct-HOST-TIME.tar.gz here)")
                ->type_name("FILE"),
            Hint::file());
  tree.hint(command.add_option("--config", words->config, "The daemon's configuration (/etc/viaduct/viaductd.toml)")
                ->type_name("FILE"),
            Hint::file());
}

}  // namespace viaduct::api::cli
