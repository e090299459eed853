// Rules, groups and load balancers of a ScenarioNetwork.
#include <stdexcept>

#include "scenario_network.hpp"

namespace viaduct::scenario {

ScenarioNetwork& ScenarioNetwork::chain(const std::string& name) {
  topology::Chain chain;
  chain.id = ChainId(make_id(name));
  chain.name = name;
  return put(chain);
}

ScenarioNetwork& ScenarioNetwork::rule(const std::string& chain, topology::Rule rule) {
  rule.position = last_position_[chain] += 10;
  const std::string name = chain + " " + std::to_string(rule.position);
  rule.id = RuleId(make_id(name));
  rule.chain = ChainId(id(chain));
  names_[name] = {topology::Kind::rule, rule.id.uuid()};
  return put(rule);
}

ScenarioNetwork& ScenarioNetwork::filter(const std::string& device, const std::string& where,
                                         const std::string& chain) {
  topology::Object object = *snapshot_.find(names_.at(device));
  const ChainId to = chain.empty() ? ChainId{} : ChainId(id(chain));
  std::visit(
      [&](auto& value) {
        if constexpr (requires { value.inbound_filter; }) {
          if (where == "inbound") value.inbound_filter = to;
          if (where == "outbound") value.outbound_filter = to;
        }
        if constexpr (requires { value.forward_filter; }) {
          if (where == "forward") value.forward_filter = to;
          if (where == "local_redirect") value.local_redirect = to;
        }
      },
      object);
  return put(object);
}

ScenarioNetwork& ScenarioNetwork::port_group(const std::string& name, const std::vector<std::string>& ports) {
  topology::PortGroup group;
  group.id = PortGroupId(make_id(name));
  group.name = name;
  put(group);
  for (const std::string& port_name : ports) {
    topology::PortGroupPort member;
    const std::string member_name = name + " " + port_name;
    member.id = PortGroupPortId(make_id(member_name));
    names_[member_name] = {topology::Kind::port_group_port, member.id.uuid()};
    member.group = group.id;
    member.port = port(port_name);
    put(member);
  }
  return *this;
}

ScenarioNetwork& ScenarioNetwork::ip_group(const std::string& name, const std::vector<std::string>& prefixes) {
  if (names_.count(name) == 0) {
    topology::IpGroup group;
    group.id = IpGroupId(make_id(name));
    group.name = name;
    put(group);
  }
  for (const std::string& text : prefixes) {
    topology::IpGroupAddress member;
    const std::string member_name = name + " " + text;
    member.id = IpGroupAddressId(make_id(member_name));
    member.group = IpGroupId(id(name));
    member.prefix = prefix(text);
    names_[member_name] = {topology::Kind::ip_group_address, member.id.uuid()};
    put(member);
  }
  return *this;
}

ScenarioNetwork& ScenarioNetwork::load_balancer(const std::string& router, const std::string& name) {
  topology::LoadBalancer balancer;
  balancer.id = LoadBalancerId(make_id(name));
  balancer.name = name;
  put(balancer);
  return change<topology::Router>(router, [&](topology::Router& value) { value.load_balancer = balancer.id; });
}

ScenarioNetwork& ScenarioNetwork::pool(const std::string& balancer, const std::string& name,
                                       topology::PoolProtocol protocol) {
  topology::Pool pool;
  pool.id = PoolId(make_id(name));
  pool.name = name;
  pool.load_balancer = LoadBalancerId(id(balancer));
  pool.protocol = protocol;
  return put(pool);
}

ScenarioNetwork& ScenarioNetwork::vip(const std::string& pool, const std::string& name, const std::string& address,
                                      uint16_t port) {
  topology::Vip vip;
  vip.id = VipId(make_id(name));
  vip.name = name;
  vip.pool = PoolId(id(pool));
  vip.address = ip(address);
  vip.port = port;
  return put(vip);
}

ScenarioNetwork& ScenarioNetwork::member(const std::string& pool, const std::string& name, const std::string& address,
                                         uint16_t port, uint32_t weight) {
  topology::PoolMember member;
  member.id = PoolMemberId(make_id(name));
  member.pool = PoolId(id(pool));
  member.address = ip(address);
  member.port = port;
  member.weight = weight;
  names_[name] = {topology::Kind::pool_member, member.id.uuid()};
  return put(member);
}

ScenarioNetwork& ScenarioNetwork::unhealthy(const std::string& member, bool is) {
  const PoolMemberId which{id(member)};
  if (is) {
    locations_.unhealthy.put(which, true);
  } else {
    locations_.unhealthy.remove(which);
  }
  return *this;
}

ScenarioNetwork& ScenarioNetwork::checked_by(const std::string& pool, int host) {
  checkers_[PoolId{id(pool)}] = host;
  return *this;
}

}  // namespace viaduct::scenario
