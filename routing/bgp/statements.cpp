#include "routing/bgp/statements.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace viaduct::routing::bgp {

namespace {

constexpr int kMaxPaths = 32;
constexpr const char* kOwnPaths = "viaduct-own";
constexpr const char* kGlobalNextHop = "viaduct-global-next-hop";

Context context_of(IpFamily family) { return family == IpFamily::v4 ? Context::ipv4 : Context::ipv6; }
const char* ip_word(IpFamily family) { return family == IpFamily::v4 ? "ip" : "ipv6"; }

// FNV-1a: a name for a list of this content.
std::string list_name(const std::vector<std::string>& rules) {
  uint64_t hash = 14695981039346656037ULL;
  for (const std::string& rule : rules) {
    for (const char c : rule + '\n') hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211ULL;
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return "viaduct-" + std::string(digits);
}

std::string rule_text(const FilterRule& rule) {
  const int own = rule.prefix.length();
  const int least = rule.min_length == 0 ? own : rule.min_length;
  const int most = std::max<int>(least, rule.max_length == 0 ? own : rule.max_length);
  std::string out = (rule.permit ? "permit " : "deny ") + rule.prefix.network().to_string();
  if (least > own) out += " ge " + std::to_string(least);
  if (most > own) out += " le " + std::to_string(most);
  return out;
}

// The rules of one family. The last is written out, as FRR takes a list without any for one that permits everything.
std::vector<std::string> rules_of(const Filter& filter, IpFamily family) {
  std::vector<std::string> out;
  for (const FilterRule& rule : filter) {
    if (rule.prefix.family() == family) out.push_back(rule_text(rule));
  }
  out.push_back("deny " + IpPrefix::any(family).to_string() + " le " +
                std::to_string(family == IpFamily::v4 ? 32 : 128));
  return out;
}

class Writer {
 public:
  std::vector<Statement> take() && {
    std::stable_sort(out_.begin(), out_.end(),
                     [](const Statement& a, const Statement& b) { return a.context < b.context; });
    return std::move(out_);
  }

  void router(const SpeakerConfig& config) {
    const std::string restart = std::to_string(config.restart_time.count());
    fixed(Context::router, "bgp router-id", "bgp router-id " + config.router_id.to_string());
    for (const char* line : {"no bgp ebgp-requires-policy", "no bgp default ipv4-unicast",
                             "no bgp network import-check", "bgp bestpath as-path multipath-relax"}) {
      fixed(Context::router, line, line);
    }
    fixed(Context::router, "restart-time", "bgp graceful-restart restart-time " + restart);
    fixed(Context::router, "stale", "bgp graceful-restart rib-stale-time " + restart);
    // 0: off. It would hold a full table back by the second, 10,000 routes each; what a peer has not told again yet the Rib
    // keeps, and nothing of it is announced.
    fixed(Context::router, "defer", "bgp graceful-restart select-defer-time 0");
    fixed(Context::router, "restart", "bgp graceful-restart");
    fixed(Context::router, "preserve", "bgp graceful-restart preserve-fw-state");
    for (const Context family : {Context::ipv4, Context::ipv6}) {
      for (const char* kind : {"maximum-paths ", "maximum-paths ibgp "}) {
        fixed(family, kind, kind + std::to_string(kMaxPaths));
      }
    }
  }

  void network(const IpPrefix& prefix) {
    const std::string text = "network " + prefix.to_string();
    add(context_of(prefix.family()), text, text, "no " + text);
  }

  void peer(const SpeakerPeer& peer, uint32_t own_as) {
    peer_ = peer.address.to_string();
    const Context family = context_of(peer.address.family());
    of_peer(Context::router, "remote-as", "remote-as " + std::to_string(peer.as_number), "");
    of_peer(Context::router, "timers",
            "timers " + std::to_string(peer.keep_alive.count()) + " " + std::to_string(peer.hold_time.count()),
            "timers");
    of_peer(Context::router, "timers connect", "timers connect " + std::to_string(peer.connect_retry.count()),
            "timers connect");
    of_peer(Context::router, "graceful-restart",
            peer.graceful_restart ? "graceful-restart" : "graceful-restart-disable", "");
    if (!peer.password.empty()) of_peer(Context::router, "password", "password " + peer.password, "password");
    if (peer.multihop > 1 && peer.as_number != own_as) {
      of_peer(Context::router, "ebgp-multihop", "ebgp-multihop " + std::to_string(peer.multihop), "ebgp-multihop");
    }
    if (peer.bfd) of_peer(Context::router, "bfd", std::string("bfd profile ") + kBfdProfile, "bfd");
    of_peer(family, "activate", "activate", "");
    of_peer(family, "filter-list", std::string("filter-list ") + kOwnPaths + " out", "");
    if (peer.address.is_v6()) of_peer(family, "route-map", std::string("route-map ") + kGlobalNextHop + " in", "");
    filter(family, peer.import_filter, "in");
    filter(family, peer.export_filter, "out");
    if (peer.prefix_limit != 0) {
      of_peer(family, "maximum-prefix", "maximum-prefix " + std::to_string(peer.prefix_limit) + " warning-only",
              "maximum-prefix");
    }
    peer_.clear();
  }

 private:
  void add(Context context, std::string key, std::string set, std::string unset) {
    out_.push_back({context, std::move(key), std::move(set), std::move(unset), peer_});
  }
  void fixed(Context context, std::string key, std::string set) { add(context, std::move(key), std::move(set), ""); }
  void of_peer(Context context, const std::string& key, const std::string& set, const std::string& unset) {
    const std::string neighbor = "neighbor " + peer_ + " ";
    add(context, neighbor + key, neighbor + set, unset.empty() ? "" : "no " + neighbor + unset);
  }
  void filter(Context family, const Filter& filter, const std::string& direction) {
    if (filter.empty()) return;
    const std::string name = prefix_list(rules_of(filter, family == Context::ipv4 ? IpFamily::v4 : IpFamily::v6),
                                         family == Context::ipv4 ? IpFamily::v4 : IpFamily::v6);
    const std::string text = "prefix-list " + name + " " + direction;
    of_peer(family, "prefix-list " + direction, text, text);
  }
  // Two peers with the same rules share a list.
  std::string prefix_list(const std::vector<std::string>& rules, IpFamily family) {
    const std::string name = list_name(rules);
    const std::string list = std::string(ip_word(family)) + " prefix-list " + name;
    const auto known = [&](const Statement& one) { return one.key.starts_with(list + " "); };
    if (std::any_of(out_.begin(), out_.end(), known)) return name;
    int sequence = 0;
    for (const std::string& rule : rules) {
      const std::string line = list + " seq " + std::to_string(sequence += 5) + " " + rule;
      out_.push_back({Context::global, line, line, "no " + line});
    }
    return name;
  }

  std::vector<Statement> out_;
  std::string peer_;
};

}  // namespace

std::vector<Statement> statements(const SpeakerConfig& config) {
  Writer writer;
  writer.router(config);
  for (const SpeakerPeer& peer : config.peers) writer.peer(peer, config.as_number);
  for (const IpPrefix& network : config.networks) writer.network(network);
  return std::move(writer).take();
}

std::vector<std::string> fixed_lines() {
  return {std::string("bgp as-path access-list ") + kOwnPaths + " seq 5 permit ^$",
          std::string("route-map ") + kGlobalNextHop + " permit 10", " set ipv6 next-hop prefer-global", "exit"};
}

}  // namespace viaduct::routing::bgp
