// Two looks at a daemon, as rates between them: the tables of `viaduct top`. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/client/value.hpp"

namespace viaduct::api::cli {

// Answers of the daemon as JSON: of status; where they are asked for, of flows and of drops.
struct Look {
  Json status, flows, drops;
  double at = 0;  // seconds, of any clock
};

enum class TopBy : uint8_t { port, device, flow, drop };

// Whose ports are whose: device names by port id.
using PortDevices = std::map<std::string, std::string>;

struct TopRow {
  std::vector<std::string> names;  // as many as headings
  std::vector<double> rates;       // a second, as many as units
};
struct TopTable {
  std::vector<std::string> headings, units;
  std::vector<TopRow> rows;  // those with the highest first rate first; all that is 0 at the end
};

TopTable top_table(TopBy by, const Look& before, const Look& after, const PortDevices& devices);
// Packets dropped a second, by reason; those that are 0 left out.
TopTable drop_reasons(const Look& before, const Look& after);
// "12", "3.4k", "1.20M", "5.0G": four characters or so.
std::string rate_text(double rate);

}  // namespace viaduct::api::cli
