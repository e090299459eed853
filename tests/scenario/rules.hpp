// Rules written down in a line, for scenarios.
#pragma once

#include "scenario_network.hpp"

namespace viaduct::scenario {

// when().proto(6).dst_port(80).accept()
class When {
 public:
  When& forward() { return rule_.condition.forward_flow = true, *this; }
  When& returning() { return rule_.condition.return_flow = true, *this; }
  When& from(const std::string& text) { return rule_.condition.ip_src.value = prefix(text), *this; }
  When& to(const std::string& text) { return rule_.condition.ip_dst.value = prefix(text), *this; }
  When& proto(uint8_t value) { return rule_.condition.ip_proto.value = value, *this; }
  When& dst_port(uint16_t first, uint16_t last = 0) {
    rule_.condition.l4_dst.value = topology::PortRange{first, last == 0 ? first : last};
    return *this;
  }
  When& condition(const std::function<void(topology::Condition&)>& edit) { return edit(rule_.condition), *this; }
  When& dnat(const std::string& first, uint16_t port_first = 0, uint16_t port_last = 0) {
    return nat(topology::NatKind::dnat, first, first, port_first, port_last);
  }
  When& snat(const std::string& first, uint16_t port_first = 0, uint16_t port_last = 0) {
    return nat(topology::NatKind::snat, first, first, port_first, port_last);
  }
  When& snat_prefix(const std::string& text) { return prefix_nat(topology::NatKind::snat, text); }
  When& dnat_prefix(const std::string& text) { return prefix_nat(topology::NatKind::dnat, text); }
  When& reverse_snat() { return rule_.nat = topology::NatKind::reverse_snat, *this; }
  When& reverse_dnat() { return rule_.nat = topology::NatKind::reverse_dnat, *this; }
  When& nat(topology::NatKind kind, const std::string& first, const std::string& last, uint16_t port_first,
            uint16_t port_last) {
    rule_.nat = kind;
    rule_.targets.push_back({ip(first), ip(last), port_first, port_last == 0 ? port_first : port_last, 0});
    return *this;
  }

  topology::Rule accept() const { return with(topology::RuleAction::accept); }
  topology::Rule drop() const { return with(topology::RuleAction::drop); }
  topology::Rule reject() const { return with(topology::RuleAction::reject); }
  topology::Rule returns() const { return with(topology::RuleAction::return_); }
  topology::Rule continues() const { return with(topology::RuleAction::continue_); }
  topology::Rule jump(const Uuid& chain) const {
    topology::Rule rule = with(topology::RuleAction::jump);
    rule.jump = ChainId(chain);
    return rule;
  }

 private:
  When& prefix_nat(topology::NatKind kind, const std::string& text) {
    const IpPrefix to = prefix(text);
    rule_.nat = kind;
    rule_.targets.push_back({to.address(), to.address(), 0, 0, static_cast<uint8_t>(to.length())});
    return *this;
  }
  topology::Rule with(topology::RuleAction action) const {
    topology::Rule rule = rule_;
    rule.action = action;
    return rule;
  }
  topology::Rule rule_;
};

inline When when() { return {}; }

}  // namespace viaduct::scenario
