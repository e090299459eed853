#include "routing/bgp/frr_config.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "routing/bgp/statements.hpp"

namespace viaduct::routing::bgp {

namespace {

std::string_view address_family(Context context) {
  return context == Context::ipv4 ? "address-family ipv4 unicast" : "address-family ipv6 unicast";
}
std::string router_line(const SpeakerConfig& config) { return "router bgp " + std::to_string(config.as_number); }

// Lines of a list with what opens and closes their contexts.
std::vector<std::string> with_contexts(const std::vector<std::pair<Context, std::string>>& lines,
                                       const std::string& router) {
  std::vector<std::string> out;
  Context now = Context::global;
  const auto leave_to = [&](Context next) {
    if (now == next) return;
    if (now == Context::ipv4 || now == Context::ipv6) out.push_back("exit-address-family");
    if (next == Context::global) out.push_back("exit");
    if (now == Context::global) out.push_back(router);
    if (next == Context::ipv4 || next == Context::ipv6) out.emplace_back(address_family(next));
    now = next;
  };
  for (const auto& [context, line] : lines) {
    leave_to(context);
    out.push_back(line);
  }
  leave_to(Context::global);
  return out;
}

std::string join(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  return out;
}

std::vector<std::string> bfd_lines(const SpeakerConfig& config) {
  const std::string interval = std::to_string(config.bfd_interval.count());
  return {"bfd",
          std::string("profile ") + kBfdProfile,
          "detect-multiplier " + std::to_string(config.bfd_multiplier),
          "receive-interval " + interval,
          "transmit-interval " + interval,
          "exit",
          "exit"};
}

// What one configuration has, by where it stands and what it is called.
using Index = std::map<std::pair<Context, std::string>, const Statement*>;
Index index_of(const std::vector<Statement>& all) {
  Index out;
  for (const Statement& one : all) out.emplace(std::pair(one.context, one.key), &one);
  return out;
}
std::set<std::string> peers_of(const std::vector<Statement>& all) {
  std::set<std::string> out;
  for (const Statement& one : all) {
    if (!one.peer.empty()) out.insert(one.peer);
  }
  return out;
}

bool graceful(const SpeakerPeer& before, const SpeakerConfig& after) {
  for (const SpeakerPeer& peer : after.peers) {
    if (peer.address == before.address) return peer.graceful_restart;
  }
  return before.graceful_restart;
}

std::vector<std::string> in_terminal(std::vector<std::string> lines, const std::vector<std::string>& afterwards) {
  if (!lines.empty()) {
    lines.insert(lines.begin(), "configure terminal");
    lines.push_back("end");
  }
  lines.insert(lines.end(), afterwards.begin(), afterwards.end());
  return lines;
}

// First what is new, so that nothing is without it; then what is gone; the lists that nobody names any more at the end.
class Difference {
 public:
  Difference(const std::vector<Statement>& before, const std::vector<Statement>& after)
      : before_(before), after_(after), was_(index_of(before)), is_(index_of(after)) {}

  std::vector<std::pair<Context, std::string>> lines() {
    set(Context::global);
    for (const Context context : {Context::router, Context::ipv4, Context::ipv6}) set(context);
    const std::set<std::string> stay = peers_of(after_);
    for (const std::string& peer : peers_of(before_)) {
      if (stay.count(peer) == 0) out_.emplace_back(Context::router, "no neighbor " + peer);
    }
    for (const Context context : {Context::router, Context::ipv4, Context::ipv6}) unset(context, stay);
    unset(Context::global, stay);
    return std::move(out_);
  }

 private:
  void set(Context context) {
    for (const Statement& one : after_) {
      if (one.context != context) continue;
      const auto found = was_.find({context, one.key});
      if (found == was_.end() || found->second->set != one.set) out_.emplace_back(context, one.set);
    }
  }
  void unset(Context context, const std::set<std::string>& stay) {
    for (const Statement& one : before_) {
      const bool with_peer = !one.peer.empty() && stay.count(one.peer) == 0;
      if (one.context != context || one.unset.empty() || with_peer || is_.count({context, one.key}) != 0) continue;
      out_.emplace_back(context, one.unset);
    }
  }

  const std::vector<Statement>& before_;
  const std::vector<Statement>& after_;
  const Index was_, is_;
  std::vector<std::pair<Context, std::string>> out_;
};

}  // namespace

FrrFiles render(const SpeakerConfig& config, uint16_t fpm_port) {
  FrrFiles out;
  std::vector<std::pair<Context, std::string>> lines;
  for (const std::string& line : fixed_lines()) lines.emplace_back(Context::global, line);
  bool router = false;
  for (Statement& one : statements(config)) {
    router = router || one.context != Context::global;
    lines.emplace_back(one.context, std::move(one.set));
  }
  out.bgpd = join(with_contexts(lines, router_line(config)));
  // In this order: the second line would end a connection that the first has opened.
  out.zebra = "no fpm use-next-hop-groups\nfpm address 127.0.0.1 port " + std::to_string(fpm_port) + "\n";
  out.bfdd = join(bfd_lines(config));
  return out;
}

FrrChanges changes(const SpeakerConfig& before, const SpeakerConfig& after) {
  FrrChanges out;
  std::vector<Statement> was = statements(before);
  const std::vector<Statement> is = statements(after);
  std::vector<std::string> lines;
  if (before.as_number != after.as_number) {
    lines.push_back("no " + router_line(before));
    std::erase_if(was, [](const Statement& one) { return one.context != Context::global; });
  }
  const std::vector<std::string> rest = with_contexts(Difference(was, is).lines(), router_line(after));
  lines.insert(lines.end(), rest.begin(), rest.end());

  std::vector<std::string> resets;  // capabilities are said in an OPEN only
  if (before.as_number == after.as_number) {
    for (const SpeakerPeer& peer : before.peers) {
      if (graceful(peer, after) != peer.graceful_restart) resets.push_back("clear bgp " + peer.address.to_string());
    }
  }
  out.bgpd = in_terminal(std::move(lines), resets);
  if (before.bfd_interval != after.bfd_interval || before.bfd_multiplier != after.bfd_multiplier) {
    out.bfdd = bfdd_commands(after);
  }
  return out;
}

std::vector<std::string> bfdd_commands(const SpeakerConfig& config) { return in_terminal(bfd_lines(config), {}); }

}  // namespace viaduct::routing::bgp
