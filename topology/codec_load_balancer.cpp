// Load balancers, their pools, members, VIPs and health monitors.
#include "topology/codec_object.hpp"

namespace viaduct::topology::object_codec {

Error read(LoadBalancer& balancer, schema::LoadBalancer::Reader from) {
  balancer.name = view(from.getName());
  balancer.tenant = view(from.getTenant());
  balancer.admin_up = from.getAdminUp();
  return {};
}
void write(const LoadBalancer& balancer, schema::LoadBalancer::Builder to) {
  to.setName(text_of(balancer.name));
  to.setTenant(text_of(balancer.tenant));
  to.setAdminUp(balancer.admin_up);
}

Error read(Pool& pool, schema::Pool::Reader from) {
  pool.name = view(from.getName());
  read_id(pool.load_balancer, from.getLoadBalancer());
  read_id(pool.health_monitor, from.getHealthMonitor());
  pool.sticky = from.getSticky();
  pool.admin_up = from.getAdminUp();
  return read_enum(pool.protocol, from.getProtocol(), PoolProtocol::sctp, "protocol");
}
void write(const Pool& pool, schema::Pool::Builder to) {
  to.setName(text_of(pool.name));
  if (pool.load_balancer) topology::encode(pool.load_balancer.uuid(), to.initLoadBalancer());
  if (pool.health_monitor) topology::encode(pool.health_monitor.uuid(), to.initHealthMonitor());
  to.setProtocol(static_cast<schema::PoolProtocol>(pool.protocol));
  to.setSticky(pool.sticky);
  to.setAdminUp(pool.admin_up);
}

Error read(PoolMember& member, schema::PoolMember::Reader from) {
  read_id(member.pool, from.getPool());
  member.port = from.getPort();
  member.weight = from.getWeight();
  member.admin_up = from.getAdminUp();
  return read_address(member.address, from.getAddress(), "address");
}
void write(const PoolMember& member, schema::PoolMember::Builder to) {
  topology::encode(member.pool.uuid(), to.initPool());
  topology::encode(member.address, to.initAddress());
  to.setPort(member.port);
  to.setWeight(member.weight);
  to.setAdminUp(member.admin_up);
}

Error read(Vip& vip, schema::Vip::Reader from) {
  vip.name = view(from.getName());
  read_id(vip.pool, from.getPool());
  vip.port = from.getPort();
  vip.sticky = from.getSticky();
  vip.admin_up = from.getAdminUp();
  return read_address(vip.address, from.getAddress(), "address");
}
void write(const Vip& vip, schema::Vip::Builder to) {
  to.setName(text_of(vip.name));
  topology::encode(vip.pool.uuid(), to.initPool());
  topology::encode(vip.address, to.initAddress());
  to.setPort(vip.port);
  to.setSticky(vip.sticky);
  to.setAdminUp(vip.admin_up);
}

Error read(HealthMonitor& monitor, schema::HealthMonitor::Reader from) {
  monitor.name = view(from.getName());
  monitor.delay = from.getDelay();
  monitor.timeout = from.getTimeout();
  monitor.max_retries = from.getMaxRetries();
  monitor.http_path = view(from.getHttpPath());
  monitor.http_status = from.getHttpStatus();
  monitor.admin_up = from.getAdminUp();
  return read_enum(monitor.type, from.getType(), HealthCheck::http, "type");
}
void write(const HealthMonitor& monitor, schema::HealthMonitor::Builder to) {
  to.setName(text_of(monitor.name));
  to.setType(static_cast<schema::HealthCheck>(monitor.type));
  to.setDelay(monitor.delay);
  to.setTimeout(monitor.timeout);
  to.setMaxRetries(monitor.max_retries);
  to.setHttpPath(text_of(monitor.http_path));
  to.setHttpStatus(monitor.http_status);
  to.setAdminUp(monitor.admin_up);
}

}  // namespace viaduct::topology::object_codec
