// What whoever is asked for help wants to know of a host: texts under names, gathered without changing anything.
//
// A part that cannot be had says why, and the others are gathered nonetheless. No passwords: they are never asked to be
// printed, and those that are known are looked for in every part before it is handed over.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/cli/doctor/outside.hpp"
#include "api/cli/session.hpp"

namespace viaduct::api::cli {

struct BundlePart {
  std::string name;  // of the file
  std::string text;
  std::string problem;  // why it is not there, or not whole; empty: it is
};

struct Bundle {
  std::vector<BundlePart> parts;
  size_t hidden = 0;               // places where a secret was taken out
  bool secrets_are_known = false;  // the daemon has told which passwords there are
};

// `config`: viaductd.toml.
Bundle gather(Session& session, const Outside& host, const std::string& config);

// Puts something else in the place of each of `secrets` that is at least four characters long.
size_t hide(const std::set<std::string>& secrets, std::string& text);

// With a manifest, as a tar archive with gzip, mode 0600, whole or not at all. `name`: of the directory in it.
Result<Done> pack(const Bundle& bundle, const std::string& name, const std::string& file);

Json bundle_json(const Bundle& bundle);

}  // namespace viaduct::api::cli
