#include "veth_harness.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "flows/datapath/ovs/ovs_datapath.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

// virtio 1.1, 5.1.6.
struct VnetHeader {
  uint8_t flags = 0;
  uint8_t gso_type = 0;
  uint16_t header_bytes = 0;
  uint16_t gso_size = 0;
  uint16_t checksum_start = 0;
  uint16_t checksum_offset = 0;
};
constexpr uint8_t kNeedsChecksum = 1;
constexpr std::array<std::pair<uint8_t, Offload::Gso>, 3> kGsoTypes{
    {{1, Offload::Gso::tcp_v4}, {4, Offload::Gso::tcp_v6}, {5, Offload::Gso::udp}}};

// The commands of iproute2, in one process.
void ip(const std::string& commands) {
  FILE* pipe = popen("ip -batch -", "w");
  if (pipe == nullptr) throw std::runtime_error("cannot run ip");
  std::fputs(commands.c_str(), pipe);
  if (pclose(pipe) != 0) throw std::runtime_error("ip refused: " + commands);
}

VnetHeader describe(std::span<const uint8_t> frame, const Offload& offload) {
  VnetHeader out;
  frames::Bytes copy(frame.begin(), frame.end());
  Packet packet = frames::parsed(copy, {}, offload);
  bool tcp = packet.key.ip_proto == ip_proto::kTcp;
  if (offload.partial_checksum) {
    out.flags = kNeedsChecksum;
    out.checksum_start = packet.l4_offset;
    out.checksum_offset = static_cast<uint16_t>(tcp ? wire::tcp::kChecksum : wire::udp::kChecksum);
  }
  for (auto [type, gso] : kGsoTypes) {
    if (gso == offload.gso) out.gso_type = type;
  }
  out.gso_size = offload.gso_size;
  if (out.gso_type != 0) {
    out.header_bytes = static_cast<uint16_t>(packet.l4_offset + (tcp ? wire::tcp::kBytes : wire::udp::kBytes));
  }
  return out;
}

Offload offload_of(const VnetHeader& header) {
  Offload out;
  out.partial_checksum = (header.flags & kNeedsChecksum) != 0;
  for (auto [type, gso] : kGsoTypes) {
    if ((header.gso_type & 0x7f) == type) out.gso = gso;
  }
  if (out.gso != Offload::Gso::none) out.gso_size = header.gso_size;
  return out;
}

// The kernel takes a tag out of the frame and tells it beside.
void put_tag_back(msghdr& message, frames::Bytes& frame) {
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level != SOL_PACKET || one->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata data;
    std::memcpy(&data, CMSG_DATA(one), sizeof data);
    if ((data.tp_status & TP_STATUS_VLAN_VALID) != 0) {
      uint16_t type = (data.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? data.tp_vlan_tpid : ethertype::kVlan;
      frame = frames::tagged(frame, data.tp_vlan_tci, type);
    }
  }
}

}  // namespace

// The far end of a veth pair.
class VethHarness::Guest {
 public:
  explicit Guest(const std::string& interface) : fd_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    for (int option : {PACKET_VNET_HDR, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING}) {
      int on = 1;
      if (setsockopt(fd_, SOL_PACKET, option, &on, sizeof on) != 0) throw std::runtime_error("no packet socket");
    }
    int buffer = 8 << 20;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("cannot bind");
  }
  ~Guest() { close(fd_); }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  void send(std::span<const uint8_t> frame, const Offload& offload) const {
    VnetHeader header = describe(frame, offload);
    iovec parts[] = {{&header, sizeof header}, {const_cast<uint8_t*>(frame.data()), frame.size()}};
    if (writev(fd_, parts, 2) < 0) throw std::runtime_error("cannot send");
  }
  std::optional<WireFrame> receive(std::chrono::milliseconds timeout) const {
    pollfd ready{fd_, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
    VnetHeader header;
    WireFrame out;
    out.bytes.resize(1 << 17);
    alignas(cmsghdr) char control[256];
    iovec parts[] = {{&header, sizeof header}, {out.bytes.data(), out.bytes.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got = recvmsg(fd_, &message, 0);
    if (got < static_cast<ssize_t>(sizeof header)) return std::nullopt;
    out.bytes.resize(static_cast<size_t>(got) - sizeof header);
    put_tag_back(message, out.bytes);
    out.offload = offload_of(header);
    return out;
  }

 private:
  int fd_;
};

VethHarness::VethHarness() {
  // Nothing but the tests' frames may come in.
  std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 1;
}

VethHarness::~VethHarness() {
  while (!guests_.empty()) remove_interface(std::string(guests_.begin()->first));
  if (bridge_) ip("link del vt-ovs-br\n");
}

std::unique_ptr<Datapath> VethHarness::open(DatapathOptions options) {
  options.name = kDatapath;
  std::error_code error;
  auto out = ovs::open_ovs(options, error);
  EXPECT_FALSE(error) << error.message();
  return out;
}

void VethHarness::create(const std::string& interface) {
  std::string far = interface + "g";
  ip("link add " + interface + " type veth peer name " + far + "\nlink set " + interface + " up\nlink set " + far +
     " up\n");
  guests_[interface] = std::make_unique<Guest>(far);
}

std::string VethHarness::add_interface() {
  std::string interface = "vtovs" + std::to_string(made_++);
  create(interface);
  return interface;
}

void VethHarness::remove_interface(const std::string& interface) {
  guests_.erase(interface);
  ip("link del " + interface + "\n");
}

void VethHarness::restore_interface(const std::string& interface) { create(interface); }

void VethHarness::enslave(const std::string& interface) {
  ip((bridge_ ? "" : "link add vt-ovs-br type bridge\n") + ("link set " + interface + " master vt-ovs-br\n"));
  bridge_ = true;
}

void VethHarness::set_mtu(const std::string& interface, uint32_t mtu) {
  std::string bytes = std::to_string(mtu);
  ip("link set " + interface + " mtu " + bytes + "\nlink set " + interface + "g mtu " + bytes + "\n");
}

void VethHarness::send(const std::string& interface, std::span<const uint8_t> frame, const Offload& offload) {
  guests_.at(interface)->send(frame, offload);
}

std::optional<WireFrame> VethHarness::receive(const std::string& interface, std::chrono::milliseconds timeout) {
  return guests_.at(interface)->receive(timeout);
}

// The kernel's clock cannot be moved.
void VethHarness::pass_time(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

std::unique_ptr<Harness> make_ovs_harness(std::string& why_not) {
  if (!ovs::ovs_available(why_not)) return nullptr;
  return std::make_unique<VethHarness>();
}

}  // namespace viaduct::flows
