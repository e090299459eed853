// What a NAT rule translates to.
#include <algorithm>

#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

constexpr uint64_t kMaxRange = uint64_t{1} << 24;  // addresses of one target

// One NAT rule and where to say what is wrong with it.
struct NatSubject {
  const Rule& rule;
  ObjectRef ref;
  Inspection& inspection;
  void report(BrokenRule broken, std::string_view field, std::string message, std::string cure) const {
    inspection.report(broken, ref, field, std::move(message), std::move(cure));
  }
};

std::string text_of(const NatTarget& target) {
  std::string text = target.first.to_string();
  if (target.prefix_length != 0) return text + "/" + std::to_string(target.prefix_length);
  if (target.last != target.first) text += "-" + target.last.to_string();
  if (target.is_static()) return text;
  return text + " ports " + std::to_string(target.port_first) + "-" + std::to_string(target.port_last);
}

// How many addresses, up to kMaxRange + 1.
uint64_t size_of(const IpAddress& first, const IpAddress& last) {
  const auto a = first.bytes(), b = last.bytes();
  uint64_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference = (difference << 8) + b[i] - a[i];
    if (difference > kMaxRange) return kMaxRange + 1;  // what follows takes away less than one of it
  }
  return difference + 1;
}

void check_family(const NatSubject& subject, const NatTarget& target) {
  const Condition& c = subject.rule.condition;
  const auto differs = [&](const IpAddress& address) { return address.family() != target.first.family(); };
  const bool from_prefix =
      (c.ip_src.value && differs(c.ip_src.value->address())) || (c.ip_dst.value && differs(c.ip_dst.value->address()));
  const bool from_first = differs(subject.rule.targets.front().first) || differs(target.last);
  if (!from_prefix && !from_first) return;
  subject.report(BrokenRule::address_family_mismatch, "targets",
                 text_of(target) +
                     (from_first ? " and the other addresses of the targets" : " and the rule's prefixes") +
                     " are of different families.",
                 "Use one family in a rule: NAT does not turn one into the other.");
}

void check_addresses(const NatSubject& subject, const NatTarget& target) {
  if (target.first.family() != target.last.family()) return;  // said
  for (const IpAddress& address : {target.first, target.last}) {
    const auto reason = reason_not_unicast(address);
    if (reason.empty()) continue;
    subject.report(BrokenRule::address_not_allowed, "targets", address.to_string() + " is " + std::string(reason) + ".",
                   "Use unicast addresses.");
    return;
  }
  if (target.last < target.first) {
    subject.report(BrokenRule::range_empty, "targets",
                   text_of(target) + " is empty: the first is greater than the last.",
                   "Write the lesser address first.");
  } else if (size_of(target.first, target.last) > kMaxRange) {
    subject.report(BrokenRule::range_out_of_bounds, "targets", text_of(target) + " has more than 2^24 addresses.",
                   "Use fewer.");
  }
}

void check_ports(const NatSubject& subject, const NatTarget& target) {
  if (target.port_first > target.port_last) {
    subject.report(BrokenRule::range_empty, "targets", text_of(target) + ": the first port is greater than the last.",
                   "Write the lesser port first; no ports at all for static NAT.");
  } else if (target.port_first == 0 && target.port_last != 0) {
    subject.report(BrokenRule::range_out_of_bounds, "targets", text_of(target) + ": there is no port 0.",
                   "Begin with port 1 or higher.");
  }
}

// All of it: of one address, or of a network.
void check_static(const NatSubject& subject, const NatTarget& target) {
  if (subject.rule.targets.size() > 1) {
    subject.report(BrokenRule::nat_static_not_alone, "targets",
                   text_of(target) + " has no ports: it translates everything, and no other target is ever used.",
                   "Give it ports, or leave the others out.");
  }
  if (target.last != target.first) {
    subject.report(BrokenRule::range_out_of_bounds, "targets",
                   text_of(target) + " has no ports: static NAT translates to one address, or to a network.",
                   "Give the range ports, as in :1024-65535; or name one address or a prefix.");
  }
}

void check_prefix(const NatSubject& subject, const NatTarget& target) {
  if (target.prefix_length == 0) return;
  const int length = target.prefix_length;
  const bool source = subject.rule.nat == NatKind::snat;
  const Match<IpPrefix>& match = source ? subject.rule.condition.ip_src : subject.rule.condition.ip_dst;
  const std::string field = source ? "ip_src" : "ip_dst";
  if (length > target.first.width_bits()) {
    subject.report(BrokenRule::range_out_of_bounds, "targets",
                   text_of(target) + " is longer than " + std::to_string(target.first.width_bits()) + " bits.",
                   "Use a shorter prefix.");
    return;
  }
  if (IpPrefix(target.first, length).has_host_bits()) {
    subject.report(BrokenRule::prefix_has_host_bits, "targets", text_of(target) + " has bits behind its prefix length.",
                   "Write " + IpPrefix(target.first, length).network().to_string() + ".");
  }
  if (!target.is_static()) {
    subject.report(BrokenRule::nat_target_not_allowed, "targets", text_of(target) + " is a network, and has ports.",
                   "Leave the ports out, or write the addresses as a range.");
  }
  if (match.value && !match.inverted && match.value->length() == length) return;
  subject.report(BrokenRule::nat_prefix_unmatched, "targets",
                 text_of(target) + " is a network, and the rule is not for one of the same length.",
                 "Make " + field + " the network that is translated, of " + std::to_string(length) + " bits.");
}

void check_targets(const NatSubject& subject) {
  const Rule& rule = subject.rule;
  if (rule.targets.size() > kMaxNatTargets) {
    subject.report(BrokenRule::too_many_entries, "targets",
                   "It has " + std::to_string(rule.targets.size()) + " targets.",
                   "Use at most " + std::to_string(kMaxNatTargets) + "; a target may be a range.");
    return;
  }
  for (const NatTarget& target : rule.targets) {
    check_family(subject, target);
    check_addresses(subject, target);
    check_ports(subject, target);
    check_prefix(subject, target);
    if (target.is_static()) check_static(subject, target);
  }
}

void check_fragments(const NatSubject& subject) {
  const FragmentPolicy policy = subject.rule.condition.fragments;
  if (policy == FragmentPolicy::header || policy == FragmentPolicy::unfragmented) return;
  const auto& targets = subject.rule.targets;
  if (std::all_of(targets.begin(), targets.end(), [](const NatTarget& target) { return target.is_static(); })) return;
  subject.report(BrokenRule::fragments_without_ports, "fragments",
                 "It translates ports, and is for later fragments too, which have none.",
                 "Make the fragment policy unfragmented, or header.");
}

}  // namespace

void check_nat(const Rule& rule, Inspection& inspection) {
  const NatSubject subject{rule, ref_of(rule), inspection};
  const bool translates = rule.nat == NatKind::dnat || rule.nat == NatKind::snat;
  if (rule.nat != NatKind::none && rule.action != RuleAction::accept && rule.action != RuleAction::return_ &&
      rule.action != RuleAction::continue_) {
    subject.report(BrokenRule::nat_action_not_allowed, "action", "What is translated cannot be dropped or jump.",
                   "Make the action accept, return or continue.");
  }
  if (!translates && !rule.targets.empty()) {
    subject.report(BrokenRule::nat_target_not_allowed, "targets", "Only dnat and snat rules have targets.",
                   "Leave the targets out, or make it a dnat or snat rule.");
  } else if (translates && rule.targets.empty()) {
    subject.report(BrokenRule::nat_target_missing, "targets", "It says to translate, and not to what.",
                   "Give it at least one target.");
  } else if (translates) {
    check_targets(subject);
    check_fragments(subject);
  }
}

}  // namespace viaduct::topology::rules
