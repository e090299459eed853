#include "flows/datapath/ovs/requests.hpp"

#include <linux/netlink.h>
#include <linux/openvswitch.h>
#include <unistd.h>

#include <algorithm>

namespace viaduct::flows::ovs {

namespace {

constexpr uint32_t kFeatures = OVS_DP_F_UNALIGNED | OVS_DP_F_VPORT_PIDS;

MessageHead datapath_request(const Families& families, uint8_t command, uint16_t flags, int datapath) {
  return {families.datapath, command, OVS_DATAPATH_VERSION, flags, 1, datapath};
}
MessageHead vport_request(const Families& families, uint8_t command, uint16_t flags, int datapath) {
  return {families.vport, command, OVS_VPORT_VERSION, flags, 1, datapath};
}

std::optional<Vport> parse_vport(Bytes bytes) {
  Attributes attributes;
  attributes.parse(bytes);
  if (attributes.get<uint32_t>(OVS_VPORT_ATTR_TYPE) != uint32_t{OVS_VPORT_TYPE_NETDEV}) return std::nullopt;
  Vport out;
  out.number = {attributes.get<uint32_t>(OVS_VPORT_ATTR_PORT_NO).value_or(0)};
  out.interface = attributes.text(OVS_VPORT_ATTR_NAME);
  if (auto stats = attributes.get<ovs_vport_stats>(OVS_VPORT_ATTR_STATS)) {
    out.stats.rx_packets = stats->rx_packets;
    out.stats.rx_bytes = stats->rx_bytes;
    out.stats.tx_packets = stats->tx_packets;
    out.stats.tx_bytes = stats->tx_bytes;
  }
  return out;
}

// Newer kernels refuse more ids than there are processors. Workers beyond that number get no upcalls.
Bytes raw(std::span<const uint32_t> ids) {
  auto processors = static_cast<size_t>(std::max(1L, sysconf(_SC_NPROCESSORS_CONF)));
  ids = ids.first(std::min(ids.size(), processors));
  return {reinterpret_cast<const uint8_t*>(ids.data()), ids.size_bytes()};
}

}  // namespace

std::error_code Requests::ask(const MessageHead& head, Build build, Answer answer) {
  std::lock_guard lock(mutex_);
  batch_.clear();
  batch_.begin(head);
  build(batch_);
  batch_.end();
  int refused = 0;
  std::error_code error = socket_.transact(batch_, [&](const Message& message) {
    if (message.error != 0) {
      refused = message.error;
    } else if (message.family == head.family) {
      answer(message);
    }
  });
  return error ? error : std::error_code(refused, std::system_category());
}

std::error_code Requests::ask(const MessageHead& head, Build build) {
  return ask(head, build, [](const Message&) {});
}

int Requests::find_datapath(const std::string& name, std::error_code& error) {
  int found = 0;
  error = ask(
      datapath_request(families_, OVS_DP_CMD_GET, 0, 0),
      [&](MessageBatch& out) { out.put_string(OVS_DP_ATTR_NAME, name); },
      [&](const Message& message) { found = message.datapath; });
  if (error == std::errc::no_such_device) error.clear();
  return found;
}

int Requests::create_datapath(const std::string& name, std::error_code& error) {
  int created = 0;
  // Only an echo tells the new number. The datapath's own port sends its misses nowhere: it stays down.
  error = ask(
      datapath_request(families_, OVS_DP_CMD_NEW, NLM_F_ECHO, 0),
      [&](MessageBatch& out) {
        out.put_string(OVS_DP_ATTR_NAME, name);
        out.put(OVS_DP_ATTR_UPCALL_PID, uint32_t{0});
        out.put(OVS_DP_ATTR_USER_FEATURES, kFeatures);
      },
      [&](const Message& message) { created = message.datapath; });
  return created;
}

std::error_code Requests::set_features(int datapath) {
  return ask(datapath_request(families_, OVS_DP_CMD_SET, 0, datapath),
             [](MessageBatch& out) { out.put(OVS_DP_ATTR_USER_FEATURES, kFeatures); });
}

bool Requests::restore_features(int datapath, std::error_code& error) {
  uint32_t found = kFeatures;
  error = ask(
      datapath_request(families_, OVS_DP_CMD_GET, 0, datapath), [](MessageBatch&) {},
      [&](const Message& message) {
        Attributes attributes;
        attributes.parse(message.attributes);
        found = attributes.get<uint32_t>(OVS_DP_ATTR_USER_FEATURES).value_or(kFeatures);
      });
  if (error || found == kFeatures) return false;
  error = set_features(datapath);
  return !error;
}

std::error_code Requests::delete_datapath(int datapath) {
  return ask(datapath_request(families_, OVS_DP_CMD_DEL, 0, datapath), [](MessageBatch&) {});
}

DatapathStats Requests::datapath_stats(int datapath) {
  DatapathStats out;
  ask(
      datapath_request(families_, OVS_DP_CMD_GET, 0, datapath), [](MessageBatch&) {},
      [&](const Message& message) {
        Attributes attributes;
        attributes.parse(message.attributes);
        if (auto stats = attributes.get<ovs_dp_stats>(OVS_DP_ATTR_STATS)) {
          out = {stats->n_hit, stats->n_missed, stats->n_lost, stats->n_flows};
        }
      });
  return out;
}

std::vector<Vport> Requests::vports(int datapath, std::error_code& error) {
  std::vector<Vport> out;
  NetlinkSocket socket = NetlinkSocket::open(0, 1 << 20, error);
  if (error) return out;
  MessageBatch batch;
  batch.begin(vport_request(families_, OVS_VPORT_CMD_GET, NLM_F_DUMP, datapath));
  batch.end();
  error = socket.dump(batch, [&](const Message& message) {
    if (auto vport = parse_vport(message.attributes)) out.push_back(std::move(*vport));
  });
  return out;
}

std::optional<Vport> Requests::vport(int datapath, PortNumber number) {
  std::optional<Vport> out;
  ask(
      vport_request(families_, OVS_VPORT_CMD_GET, 0, datapath),
      [&](MessageBatch& message) { message.put(OVS_VPORT_ATTR_PORT_NO, number.value); },
      [&](const Message& message) { out = parse_vport(message.attributes); });
  return out;
}

std::error_code Requests::add_vport(int datapath, PortNumber number, const std::string& interface,
                                    std::span<const uint32_t> upcall_ids) {
  return ask(vport_request(families_, OVS_VPORT_CMD_NEW, 0, datapath), [&](MessageBatch& out) {
    out.put(OVS_VPORT_ATTR_PORT_NO, number.value);
    out.put(OVS_VPORT_ATTR_TYPE, uint32_t{OVS_VPORT_TYPE_NETDEV});
    out.put_string(OVS_VPORT_ATTR_NAME, interface);
    out.put(OVS_VPORT_ATTR_UPCALL_PID, raw(upcall_ids));
  });
}

std::error_code Requests::set_upcall_ids(int datapath, PortNumber number, std::span<const uint32_t> upcall_ids) {
  return ask(vport_request(families_, OVS_VPORT_CMD_SET, 0, datapath), [&](MessageBatch& out) {
    out.put(OVS_VPORT_ATTR_PORT_NO, number.value);
    out.put(OVS_VPORT_ATTR_UPCALL_PID, raw(upcall_ids));
  });
}

std::error_code Requests::delete_vport(int datapath, PortNumber number) {
  return ask(vport_request(families_, OVS_VPORT_CMD_DEL, 0, datapath),
             [&](MessageBatch& out) { out.put(OVS_VPORT_ATTR_PORT_NO, number.value); });
}

}  // namespace viaduct::flows::ovs
