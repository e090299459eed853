#include "api/rest/facts.hpp"

#include <algorithm>

#include "topology/codec.hpp"

namespace viaduct::api::rest {
namespace {

constexpr uint32_t kMostAsked = 100'000;
constexpr size_t kFewDevices = 8;  // beyond that all ports are asked for at once
constexpr size_t kMostRoutes = 10'000;

// FNV-1a, twice with other beginnings: the same id for the same fact, whoever is asked.
Uuid id_of_text(std::string_view text) {
  uint64_t words[2] = {0xcbf2'9ce4'8422'2325ULL, 0x84222325'cbf29ce4ULL};
  for (uint64_t& word : words) {
    for (unsigned char c : text) word = (word ^ c) * 0x100'0000'01b3ULL;
  }
  return Uuid::from_words(words[0], words[1]);
}

}  // namespace

std::vector<topology::StateEntry> Facts::ask(std::string_view table, const Uuid& device) {
  std::vector<topology::StateEntry> out;
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto list = request.initFacts();
    list.initTables(1).set(0, std::string(table).c_str());
    if (!device.is_nil()) set_uuid(list.initDevice(), device);
    list.setLimit(kMostAsked);
  };
  auto done = client_.read(fill, schema::AdminReply::FACTS, [&](schema::AdminReply::Reader reply) {
    if (reply.getFacts().getTotal() > kMostAsked) {
      failure_ = Failure{ExitCode::unreachable,
                         "unavailable",
                         "hosts have said more than " + std::to_string(kMostAsked) + " things of this kind",
                         "ask for a part of the list: the ports of one device, a page (?limit=)",
                         {}};
    }
    for (auto entry : reply.getFacts().getEntries()) {
      if (auto decoded = topology::decode(entry)) out.push_back(std::move(*decoded));
    }
  });
  if (!done) failure_ = done.failure();
  return out;
}

bool Facts::is_active(const Uuid& port, const Uuid& device) {
  const bool whole = active_.contains(Uuid{}) || active_.size() >= kFewDevices;
  const Uuid asked = whole && !active_.contains(device) ? Uuid{} : device;
  auto at = active_.find(asked);
  if (at == active_.end()) {
    at = active_.try_emplace(asked).first;
    for (const auto& entry : ask("port", asked)) {
      if (const auto* fact = std::get_if<topology::PortActive>(&entry.fact)) at->second.insert(fact->port.uuid());
    }
  }
  return at->second.contains(port);
}

std::vector<Record> Facts::learned_macs(const Uuid& bridge) {
  std::vector<Record> out;
  for (const auto& entry : ask("mac", bridge)) {
    const auto* fact = std::get_if<topology::MacClaim>(&entry.fact);
    if (fact == nullptr) continue;
    Record record(Kind::STATIC_MAC,
                  id_of_text(bridge.to_string() + std::to_string(fact->vlan) + fact->mac.to_string()));
    record.set("bridge", bridge);
    record.set("mac", fact->mac);
    record.set("vlan", uint64_t{fact->vlan});
    record.set("port", fact->port.uuid());
    out.push_back(std::move(record));
  }
  return out;
}

std::vector<Record> Facts::learned_routes(const Uuid& router) {
  std::vector<Record> out;
  for (const auto& entry : ask("learned_routes", router)) {
    const auto* fact = std::get_if<topology::LearnedRoutes>(&entry.fact);
    if (fact == nullptr) continue;
    for (const IpPrefix& prefix : fact->prefixes) {
      if (out.size() == kMostRoutes) return out;
      Record record(Kind::ROUTE, id_of_text(fact->port.to_string() + prefix.to_string() + fact->gateway.to_string()));
      record.set("router", router);
      record.set("source", IpPrefix::any(prefix.family()));
      record.set("destination", prefix);
      record.set("next_hop", std::string("port"));
      record.set("next_hop_port", fact->port.uuid());
      record.set("gateway", fact->gateway);
      out.push_back(std::move(record));
    }
  }
  return out;
}

const std::vector<topology::HostInterface>& Facts::interfaces_of(const Uuid& host) {
  if (!interfaces_.contains(host) && !all_interfaces_) {
    all_interfaces_ = interfaces_.size() >= kFewDevices;
    if (all_interfaces_) interfaces_.clear();
    for (const auto& entry : ask("interface", all_interfaces_ ? Uuid{} : host)) {
      const auto* fact = std::get_if<topology::HostInterface>(&entry.fact);
      if (fact != nullptr) interfaces_[entry.host.uuid()].push_back(*fact);
    }
    for (auto& [of, interfaces] : interfaces_) std::ranges::sort(interfaces, {}, &topology::HostInterface::name);
  }
  return interfaces_[host];
}

std::optional<bool> Facts::is_healthy(const Uuid& member) {
  if (!health_) {
    health_.emplace();
    for (const auto& entry : ask("pool_health", {})) {
      const auto* fact = std::get_if<topology::HealthReport>(&entry.fact);
      if (fact == nullptr) continue;
      for (const auto& each : fact->members) (*health_)[each.member.uuid()] = each.up;
    }
  }
  auto at = health_->find(member);
  return at == health_->end() ? std::nullopt : std::optional(at->second);
}

}  // namespace viaduct::api::rest
