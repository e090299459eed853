#include "api/cli/top_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

using Counters = std::vector<double>;
struct Counted {
  std::vector<std::string> names;
  Counters counters;
};
using Sample = std::map<std::string, Counted>;  // by what stays the same from look to look

double number_at(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at == object.end() || !at->is_number() ? 0 : at->get<double>();
}

void add(Sample& sample, const std::string& key, std::vector<std::string> names, const Counters& counters) {
  auto [at, fresh] = sample.try_emplace(key, Counted{std::move(names), counters});
  if (fresh) return;
  for (size_t i = 0; i < counters.size(); ++i) at->second.counters[i] += counters[i];
}

Counters port_counters(const Json& port) {
  return {number_at(port, "rx_packets"),   number_at(port, "tx_packets"), number_at(port, "rx_bytes") * 8,
          number_at(port, "tx_bytes") * 8, number_at(port, "upcalls"),    number_at(port, "upcalls_lost")};
}

Sample ports_of(const Look& look) {
  Sample out;
  for (const Json& port : look.status["ports"]) {
    add(out, text_at(port, "port"), {text_at(port, "name"), text_at(port, "interface")}, port_counters(port));
  }
  return out;
}

Sample devices_of(const Look& look, const PortDevices& devices) {
  Sample out;
  for (const Json& port : look.status["ports"]) {
    const auto device = devices.find(text_at(port, "port"));
    const std::string name = device == devices.end() ? "unknown" : device->second;
    add(out, name, {name}, port_counters(port));
  }
  return out;
}

Sample flows_of(const Look& look) {
  Sample out;
  for (const Json& flow : look.flows["flows"]) {
    add(out, text_at(flow, "id"), {text_at(flow, "port_name"), text_at(flow, "match"), text_at(flow, "actions")},
        {number_at(flow, "packets"), number_at(flow, "bytes") * 8});
  }
  return out;
}

std::string rule_of(const Json& drop) {
  const std::string chain = text_at(drop, "chain_name");
  return chain.empty() ? "" : chain + " rule " + text_at(drop, "rule_position");
}

Sample drops_of(const Look& look) {
  Sample out;
  for (const Json& drop : look.drops["drops"]) {
    std::string device = text_at(drop["device"], "kind");
    if (!device.empty()) device += " " + text_at(drop, "device_name");
    std::vector<std::string> names{text_at(drop, "reason"), text_at(drop, "port"), device, rule_of(drop),
                                   text_at(drop, "example")};
    std::string key;
    for (size_t i = 0; i + 1 < names.size(); ++i) key += names[i] + '\n';
    key += text_at(drop, "out") + '\n' + text_at(drop, "host");
    add(out, key, std::move(names), {number_at(drop, "packets")});
  }
  return out;
}

// What was not there before has counted since; a counter that is lower than before has begun anew.
TopTable rates(TopTable table, const Sample& before, const Sample& after, double seconds) {
  for (const auto& [key, now] : after) {
    const auto old = before.find(key);
    TopRow row{now.names, {}};
    for (size_t i = 0; i < now.counters.size(); ++i) {
      const double was = old == before.end() ? 0 : old->second.counters[i];
      const double more = now.counters[i] - (was > now.counters[i] ? 0 : was);
      row.rates.push_back(seconds > 0 ? more / seconds : 0);
    }
    table.rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(table.rows, [](const TopRow& a, const TopRow& b) {
    const auto total = [](const TopRow& row) { return row.rates[0] + (row.rates.size() > 2 ? row.rates[1] : 0); };
    return total(a) > total(b);
  });
  return table;
}

const std::vector<std::string> kPortUnits{"RX PKT/S", "TX PKT/S", "RX BIT/S", "TX BIT/S", "UPCALLS/S", "LOST/S"};

}  // namespace

TopTable top_table(TopBy by, const Look& before, const Look& after, const PortDevices& devices) {
  const double seconds = after.at - before.at;
  switch (by) {
    case TopBy::port:
      return rates({{"PORT", "INTERFACE"}, kPortUnits, {}}, ports_of(before), ports_of(after), seconds);
    case TopBy::device:
      return rates({{"DEVICE"}, kPortUnits, {}}, devices_of(before, devices), devices_of(after, devices), seconds);
    case TopBy::flow:
      return rates({{"PORT", "MATCH", "ACTIONS"}, {"PKT/S", "BIT/S"}, {}}, flows_of(before), flows_of(after), seconds);
    case TopBy::drop:
      break;
  }
  return rates({{"DROPPED BECAUSE", "PORT", "DEVICE", "RULE", "EXAMPLE"}, {"PKT/S"}, {}}, drops_of(before),
               drops_of(after), seconds);
}

TopTable drop_reasons(const Look& before, const Look& after) {
  const auto sample = [](const Look& look) {
    Sample out;
    for (const Json& drop : look.status["drops"]) {
      add(out, text_at(drop, "reason"), {text_at(drop, "reason")}, {number_at(drop, "count")});
    }
    return out;
  };
  TopTable table = rates({{"DROPPED BECAUSE"}, {"PKT/S"}, {}}, sample(before), sample(after), after.at - before.at);
  std::erase_if(table.rows, [](const TopRow& row) { return row.rates[0] <= 0; });
  return table;
}

std::string rate_text(double rate) {
  static constexpr std::array<const char*, 5> kUnits{"", "k", "M", "G", "T"};
  size_t unit = 0;
  for (; rate >= 1000 && unit + 1 < kUnits.size(); rate /= 1000) ++unit;
  char text[32];
  const bool whole = unit == 0 && (rate >= 100 || rate == std::floor(rate));
  std::snprintf(text, sizeof text, whole ? "%.0f%s" : "%.1f%s", rate, kUnits[unit]);
  return text;
}

}  // namespace viaduct::api::cli
