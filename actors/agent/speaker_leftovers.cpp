#include "actors/agent/speaker_leftovers.hpp"

#include <filesystem>
#include <utility>

#include "actors/agent/speaker_plan.hpp"
#include "routing/bgp/namespace.hpp"

namespace viaduct::actors {

namespace bgp = routing::bgp;
namespace fs = std::filesystem;

std::string speakers_directory(const std::string& run_dir) { return run_dir + "/bgp"; }

SpeakerLeftovers remove_speaker_leftovers(HostId host, const std::string& run_dir,
                                          const std::set<std::string>& wanted) {
  SpeakerLeftovers out;
  const auto note = [&](const std::string& name, const bgp::Problem& problem) {
    problem ? out.problems.push_back(*problem) : out.removed.push_back(name);
  };
  for (const auto& name : bgp::leftovers(speaker_namespace_prefix(host)).namespaces) {
    if (!wanted.contains(name)) note(name, bgp::remove_namespace(name, ""));
  }
  for (const auto& name : bgp::leftovers(speaker_link_prefix(host)).links) {
    if (!wanted.contains(name)) note(name, bgp::remove_link(name));
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(speakers_directory(run_dir), error)) {
    if (wanted.contains(entry.path().filename())) continue;
    fs::remove_all(entry.path(), error);
    note(entry.path(), error ? bgp::Problem(entry.path().string() + ": " + error.message()) : std::nullopt);
  }
  return out;
}

}  // namespace viaduct::actors
