#include "flows/datapath/tunnel_device.hpp"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "flows/datapath/last_error.hpp"

namespace viaduct::flows {

namespace {

// As high as every kernel takes it: what a packet may have is the port's business (CheckMtu), not this device's.
constexpr uint32_t kMtu = 65000;

const char* kind_name(TunnelKind kind) { return kind == TunnelKind::vxlan ? "vxlan" : "gretap"; }

// One request of rtnetlink about one link.
class LinkRequest {
 public:
  LinkRequest(uint16_t type, uint16_t flags, const std::string& name) {
    nlmsghdr head{};
    head.nlmsg_type = type;
    head.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    append(&head, sizeof head);
    ifinfomsg link{};
    append(&link, sizeof link);
    put(IFLA_IFNAME, name.c_str(), name.size() + 1);
  }
  void put(uint16_t type, const void* value, size_t bytes) {
    rtattr head{static_cast<uint16_t>(RTA_LENGTH(bytes)), type};
    append(&head, sizeof head);
    append(value, bytes);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  template <class T>
  void put(uint16_t type, const T& value) {
    put(type, &value, sizeof value);
  }
  size_t open_nest(uint16_t type) {
    size_t at = bytes_.size();
    put(type, nullptr, 0);
    return at;
  }
  void close_nest(size_t at) {
    auto length = static_cast<uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at, &length, sizeof length);
  }
  std::span<const uint8_t> finish() {
    auto length = static_cast<uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof length);
    return bytes_;
  }

 private:
  void append(const void* from, size_t bytes) {
    const auto* at = static_cast<const uint8_t*>(from);
    if (bytes != 0) bytes_.insert(bytes_.end(), at, at + bytes);
  }
  std::vector<uint8_t> bytes_;
};

// Sends it and waits for the answer: an error, or the link that was asked for.
std::error_code ask(LinkRequest& request, std::vector<uint8_t>* link = nullptr) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return last_error();
  std::span<const uint8_t> bytes = request.finish();
  std::vector<uint8_t> answer(1 << 16);
  ssize_t got = ::send(fd, bytes.data(), bytes.size(), 0);
  if (got >= 0) got = recv(fd, answer.data(), answer.size(), 0);
  std::error_code error = got < 0 ? last_error() : std::error_code{};
  close(fd);
  if (error) return error;
  answer.resize(static_cast<size_t>(got));
  nlmsghdr head{};
  if (answer.size() < NLMSG_HDRLEN) return std::make_error_code(std::errc::bad_message);
  std::memcpy(&head, answer.data(), sizeof head);
  if (head.nlmsg_type == NLMSG_ERROR) {
    nlmsgerr result{};
    if (answer.size() < NLMSG_HDRLEN + sizeof result) return std::make_error_code(std::errc::bad_message);
    std::memcpy(&result, answer.data() + NLMSG_HDRLEN, sizeof result);
    return {-result.error, std::generic_category()};
  }
  if (link != nullptr) *link = std::move(answer);
  return {};
}

// The value of an attribute, among attributes. A flag's is empty.
std::optional<std::span<const uint8_t>> find(std::span<const uint8_t> attributes, uint16_t type) {
  while (attributes.size() >= sizeof(rtattr)) {
    rtattr head;
    std::memcpy(&head, attributes.data(), sizeof head);
    if (head.rta_len < sizeof head || head.rta_len > attributes.size()) break;
    if ((head.rta_type & NLA_TYPE_MASK) == type) {
      return attributes.subspan(RTA_LENGTH(0), head.rta_len - RTA_LENGTH(0));
    }
    attributes = attributes.subspan(std::min<size_t>(RTA_ALIGN(head.rta_len), attributes.size()));
  }
  return std::nullopt;
}

struct Found {
  std::string kind;
  bool external = false;
  uint16_t udp_port = 0;
};

Found describe(std::span<const uint8_t> link) {
  constexpr std::span<const uint8_t> kNothing;
  std::span<const uint8_t> info = find(link, IFLA_LINKINFO).value_or(kNothing);
  std::span<const uint8_t> data = find(info, IFLA_INFO_DATA).value_or(kNothing);
  Found out;
  for (uint8_t c : find(info, IFLA_INFO_KIND).value_or(kNothing)) {
    if (c != 0) out.kind += static_cast<char>(c);
  }
  if (out.kind == "vxlan") {
    std::span<const uint8_t> external = find(data, IFLA_VXLAN_COLLECT_METADATA).value_or(kNothing);
    out.external = !external.empty() && external[0] != 0;
    std::span<const uint8_t> port = find(data, IFLA_VXLAN_PORT).value_or(kNothing);
    if (port.size() == 2) out.udp_port = static_cast<uint16_t>(port[0] << 8 | port[1]);
  } else {
    out.external = find(data, IFLA_GRE_COLLECT_METADATA).has_value();
  }
  return out;
}

std::optional<Found> find_device(const std::string& name, std::error_code& error) {
  LinkRequest request(RTM_GETLINK, 0, name);
  std::vector<uint8_t> answer;
  error = ask(request, &answer);
  if (error == std::errc::no_such_device) error.clear();
  constexpr size_t kHead = NLMSG_LENGTH(sizeof(ifinfomsg));
  if (error || answer.size() < kHead) return std::nullopt;
  return describe(std::span<const uint8_t>(answer).subspan(kHead));
}

bool matches(const Found& found, const TunnelPortSpec& spec) {
  return found.kind == kind_name(spec.kind) && found.external &&
         (spec.kind != TunnelKind::vxlan || found.udp_port == spec.udp_port);
}

void put_vxlan(LinkRequest& request, const TunnelPortSpec& spec) {
  size_t data = request.open_nest(IFLA_INFO_DATA);
  request.put(IFLA_VXLAN_COLLECT_METADATA, uint8_t{1});
  request.put(IFLA_VXLAN_LEARNING, uint8_t{0});
  request.put(IFLA_VXLAN_PORT, htons(spec.udp_port));
  // RFC 7348 sends no checksum, RFC 6935 allows that in IPv6.
  request.put(IFLA_VXLAN_UDP_ZERO_CSUM6_RX, uint8_t{1});
  request.close_nest(data);
}

void put_gre(LinkRequest& request) {
  size_t data = request.open_nest(IFLA_INFO_DATA);
  request.put(IFLA_GRE_COLLECT_METADATA, nullptr, 0);
  request.close_nest(data);
}

std::error_code create(const std::string& name, const TunnelPortSpec& spec) {
  LinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, name);
  request.put(IFLA_MTU, kMtu);
  size_t info = request.open_nest(IFLA_LINKINFO);
  std::string_view kind = kind_name(spec.kind);
  request.put(IFLA_INFO_KIND, kind.data(), kind.size());
  if (spec.kind == TunnelKind::vxlan)
    put_vxlan(request, spec);
  else
    put_gre(request);
  request.close_nest(info);
  std::error_code error = ask(request);
  if (error == std::errc::operation_not_supported) return std::make_error_code(std::errc::not_supported);
  if (error == std::errc::file_exists) return std::make_error_code(std::errc::address_in_use);
  return error;
}

}  // namespace

bool is_tunnel_device(const std::string& name, const TunnelPortSpec& spec) {
  std::error_code error;
  std::optional<Found> found = find_device(name, error);
  return found && matches(*found, spec);
}

std::error_code make_tunnel_device(const std::string& name, const TunnelPortSpec& spec) {
  std::error_code error;
  std::optional<Found> found = find_device(name, error);
  if (error) return error;
  if (!found) return create(name, spec);
  if (found->kind != kind_name(spec.kind) || !found->external) {
    return std::make_error_code(std::errc::device_or_resource_busy);
  }
  if (matches(*found, spec)) return {};
  if ((error = remove_tunnel_device(name, spec.kind))) return error;
  return create(name, spec);
}

std::error_code remove_tunnel_device(const std::string& name, TunnelKind kind) {
  std::error_code error;
  std::optional<Found> found = find_device(name, error);
  if (error || !found || found->kind != kind_name(kind) || !found->external) return error;
  LinkRequest request(RTM_DELLINK, NLM_F_ACK, name);
  error = ask(request);
  return error == std::errc::no_such_device ? std::error_code{} : error;
}

// By a request that no kernel fulfils: the address is one of many. Only a kernel that knows the kind looks at it.
bool has_tunnel_devices(TunnelKind kind) {
  LinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, "viaduct-probe");
  constexpr std::array<uint8_t, 6> kMulticast{0x01};
  request.put(IFLA_ADDRESS, kMulticast.data(), kMulticast.size());
  size_t info = request.open_nest(IFLA_LINKINFO);
  std::string_view name = kind_name(kind);
  request.put(IFLA_INFO_KIND, name.data(), name.size());
  request.close_nest(info);
  return ask(request) == std::errc::address_not_available;
}

}  // namespace viaduct::flows
