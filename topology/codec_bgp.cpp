// BGP peers and networks.
#include "topology/codec_object.hpp"

namespace viaduct::topology::object_codec {
namespace {

using SchemaRules = capnp::List<schema::PrefixRule>;

Error read(std::vector<PrefixRule>& rules, SchemaRules::Reader from, std::string_view field) {
  if (from.size() > kMaxListed) return std::string(field) + ": more than " + std::to_string(kMaxListed);
  rules.reserve(from.size());
  for (const auto one : from) {
    PrefixRule rule{{}, one.getMinLength(), one.getMaxLength(), one.getPermit()};
    if (Error error = read_prefix(rule.prefix, one.getPrefix(), "prefix"); !error.empty()) return in(field, error);
    rules.push_back(rule);
  }
  return {};
}
void write(const std::vector<PrefixRule>& rules, SchemaRules::Builder to) {
  for (unsigned i = 0; i < to.size(); ++i) {
    topology::encode(rules[i].prefix, to[i].initPrefix());
    to[i].setMinLength(rules[i].min_length);
    to[i].setMaxLength(rules[i].max_length);
    to[i].setPermit(rules[i].permit);
  }
}

}  // namespace

Error read(BgpPeer& peer, schema::BgpPeer::Reader from) {
  peer.name = view(from.getName());
  read_id(peer.router, from.getRouter());
  peer.as_number = from.getAsNumber();
  peer.admin_up = from.getAdminUp();
  peer.keep_alive = from.getKeepAlive();
  peer.hold_time = from.getHoldTime();
  peer.connect_retry = from.getConnectRetry();
  peer.password = view(from.getPassword());
  peer.bfd = from.getBfd();
  peer.multihop = from.getMultihop();
  peer.graceful_restart = from.getGracefulRestart();
  peer.prefix_limit = from.getPrefixLimit();
  if (Error error = read(peer.import_filter, from.getImportFilter(), "importFilter"); !error.empty()) return error;
  if (Error error = read(peer.export_filter, from.getExportFilter(), "exportFilter"); !error.empty()) return error;
  return read_address(peer.address, from.getAddress(), "address");
}
void write(const BgpPeer& peer, schema::BgpPeer::Builder to) {
  to.setName(text_of(peer.name));
  topology::encode(peer.router.uuid(), to.initRouter());
  topology::encode(peer.address, to.initAddress());
  to.setAsNumber(peer.as_number);
  to.setAdminUp(peer.admin_up);
  to.setKeepAlive(peer.keep_alive);
  to.setHoldTime(peer.hold_time);
  to.setConnectRetry(peer.connect_retry);
  if (!peer.password.empty()) to.setPassword(text_of(peer.password));
  to.setBfd(peer.bfd);
  to.setMultihop(peer.multihop);
  to.setGracefulRestart(peer.graceful_restart);
  to.setPrefixLimit(peer.prefix_limit);
  const auto size = [](const auto& rules) { return static_cast<unsigned>(rules.size()); };
  if (!peer.import_filter.empty()) write(peer.import_filter, to.initImportFilter(size(peer.import_filter)));
  if (!peer.export_filter.empty()) write(peer.export_filter, to.initExportFilter(size(peer.export_filter)));
}

Error read(BgpNetwork& network, schema::BgpNetwork::Reader from) {
  read_id(network.router, from.getRouter());
  return read_prefix(network.prefix, from.getPrefix(), "prefix");
}
void write(const BgpNetwork& network, schema::BgpNetwork::Builder to) {
  topology::encode(network.router.uuid(), to.initRouter());
  topology::encode(network.prefix, to.initPrefix());
}

}  // namespace viaduct::topology::object_codec
