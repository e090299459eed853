// Which server, who asks, and for which tenant: of options, MIDO_… of the environment and [cli] of ~/.midonetrc, in this order.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/client/outcome.hpp"

namespace viaduct::api::midonet_cli {

struct Settings {
  std::optional<std::string> url, user, password, project, tenant;
  std::optional<std::string> certificates;  // "true": those of the server are not checked
};

// The section [cli] of ~/.midonetrc. The failure names the line.
Result<Settings> parse_rc(std::string_view text);
using Variable = std::function<std::optional<std::string>(const char*)>;
Settings of_environment(const Variable& variable);
// What `first` does not say, `second` does.
Settings merged(Settings first, const Settings& second);

}  // namespace viaduct::api::midonet_cli
