#include "veth_harness.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

struct VirtioHeader {
  uint8_t flags, gso_type;
  uint16_t header_length, gso_size, checksum_start, checksum_offset;
};
constexpr uint8_t kNeedsChecksum = 1, kGsoTcpV4 = 1, kGsoTcpV6 = 4;

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

int open_namespace() {
  int fd = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  must(fd >= 0, "open namespace");
  return fd;
}

void enter(int fd) { must(setns(fd, CLONE_NEWNET) == 0, "setns"); }

// A new namespace whose interfaces are silent: no IPv6 by themselves.
void enter_new_namespace() {
  must(unshare(CLONE_NEWNET) == 0, "unshare");
  int fd = ::open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] ssize_t written = write(fd, "1", 1);
  close(fd);
}

// Only what a guest of the tests sends: TCP, and UDP that is not to be cut.
VirtioHeader header_of(std::span<const uint8_t> frame, const Offload& offload) {
  VirtioHeader header{};
  if (offload == Offload{}) return header;
  frames::Bytes copy(frame.begin(), frame.end());
  Packet packet = frames::parsed(copy);
  header.flags = kNeedsChecksum;
  header.checksum_start = packet.l4_offset;
  bool udp = packet.key.ip_proto == ip_proto::kUdp;
  header.checksum_offset = udp ? wire::udp::kChecksum : wire::tcp::kChecksum;
  if (offload.gso == Offload::Gso::none) return header;
  header.gso_type = offload.gso == Offload::Gso::tcp_v4 ? kGsoTcpV4 : kGsoTcpV6;
  header.gso_size = offload.gso_size;
  header.header_length = static_cast<uint16_t>(packet.l4_offset + wire::tcp::kBytes);
  return header;
}

Offload offload_of(const VirtioHeader& header) {
  Offload offload;
  offload.partial_checksum = (header.flags & kNeedsChecksum) != 0;
  uint8_t type = header.gso_type & 0x7f;
  if (type == kGsoTcpV4 || type == kGsoTcpV6) {
    offload.gso = type == kGsoTcpV4 ? Offload::Gso::tcp_v4 : Offload::Gso::tcp_v6;
    offload.gso_size = header.gso_size;
  }
  return offload;
}

// Written from RFC 7348 and RFC 2890, so that it does not share a mistake with the kernel.
std::optional<Tunneled> untunneled(frames::Bytes& bytes) {
  constexpr uint8_t kGre = 47;
  Packet outer = frames::parsed(bytes);
  Tunneled out{.tos = outer.key.ip_tos, .ttl = outer.key.ip_ttl};
  size_t at = 0;
  if (outer.key.ip_proto == ip_proto::kUdp && outer.l4_offset != 0) {
    at = outer.l4_offset + wire::udp::kBytes;
    out.udp_port = outer.key.l4_dst;
    out.checksum = wire::load16(&bytes[outer.l4_offset + wire::udp::kChecksum]) != 0;
    if (bytes.size() < at + 8 || wire::load32(&bytes[at]) != 0x0800'0000) return std::nullopt;
    out.tunnel.key = wire::load32(&bytes[at + 4]) >> 8;
  } else if (outer.key.ip_proto == kGre && outer.key.eth_type == ethertype::kIpv4) {
    at = wire::eth::kBytes + wire::ipv4::kBytes;
    out.kind = TunnelKind::gre;
    if (bytes.size() < at + 8 || wire::load32(&bytes[at]) != 0x2000'6558) return std::nullopt;
    out.tunnel.key = wire::load32(&bytes[at + 4]);
  } else {
    return std::nullopt;
  }
  out.dont_fragment = outer.key.eth_type == ethertype::kIpv4 && (bytes[wire::eth::kBytes + 6] & 0x40) != 0;
  out.tunnel.src = outer.key.ip_src;
  out.tunnel.dst = outer.key.ip_dst;
  out.frame.assign(bytes.begin() + static_cast<ptrdiff_t>(at + 8), bytes.end());
  return out;
}

}  // namespace

// A namespace with one end of a veth pair, and a packet socket on it.
class VethHarness::Guest {
 public:
  Guest() : namespace_(open_namespace()) {}
  ~Guest() {
    close_socket();
    close(namespace_);
  }
  int name_space() const { return namespace_; }
  void close_socket() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }

  // In the guest's namespace.
  void open_socket() {
    socket_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    must(socket_ >= 0, "packet socket");
    int one = 1;
    int buffer = 4 << 20;
    setsockopt(socket_, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one);
    setsockopt(socket_, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one);
    setsockopt(socket_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex("eth0"));
    must(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  }

  void send(std::span<const uint8_t> frame, const Offload& offload) const {
    VirtioHeader header = header_of(frame, offload);
    std::array<iovec, 2> parts{iovec{&header, sizeof header}, iovec{const_cast<uint8_t*>(frame.data()), frame.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    must(sendmsg(socket_, &message, 0) == static_cast<ssize_t>(frame.size() + sizeof header), "send");
  }

  std::optional<WireFrame> receive(std::chrono::milliseconds timeout) const {
    pollfd wait{socket_, POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(timeout.count())) != 1) return std::nullopt;
    VirtioHeader header{};
    frames::Bytes bytes(70000);
    std::array<iovec, 2> parts{iovec{&header, sizeof header}, iovec{bytes.data(), bytes.size()}};
    alignas(cmsghdr) std::array<char, 256> control;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t got = recvmsg(socket_, &message, 0);
    if (got < static_cast<ssize_t>(sizeof header)) return std::nullopt;
    bytes.resize(static_cast<size_t>(got) - sizeof header);
    put_tag_back(message, bytes);
    return WireFrame{std::move(bytes), offload_of(header)};
  }

 private:
  // The kernel reports the outer tag beside the frame.
  static void put_tag_back(msghdr& message, frames::Bytes& bytes) {
    for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
      if (one->cmsg_level != SOL_PACKET || one->cmsg_type != PACKET_AUXDATA) continue;
      tpacket_auxdata data;
      std::memcpy(&data, CMSG_DATA(one), sizeof data);
      if ((data.tp_status & TP_STATUS_VLAN_VALID) != 0)
        bytes = frames::tagged(bytes, data.tp_vlan_tci, data.tp_vlan_tpid);
    }
  }

  int namespace_;
  int socket_ = -1;
};

VethHarness::VethHarness(Opener opener) : opener_(std::move(opener)) {
  enter_new_namespace();
  host_ = open_namespace();
}

VethHarness::~VethHarness() {
  guests_.clear();
  close(host_);
}

std::string VethHarness::add_interface() {
  std::string name = "guest" + std::to_string(++interfaces_);
  enter_new_namespace();
  guests_[name] = std::make_unique<Guest>();
  enter(host_);
  restore_interface(name);
  return name;
}

void VethHarness::restore_interface(const std::string& interface) {
  Guest& guest = *guests_.at(interface);
  std::string space = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(guest.name_space());
  must(run("ip link add " + interface + " type veth peer name eth0 netns " + space), "ip link add");
  must(run("ip link set " + interface + " up"), "ip link set");
  in_guest(interface, [&] {
    must(run("ip link set eth0 up"), "ip link set");
    guest.open_socket();
  });
}

void VethHarness::remove_interface(const std::string& interface) {
  must(run("ip link del " + interface), "ip link del");
  guests_.at(interface)->close_socket();
}

void VethHarness::enslave(const std::string& interface) {
  must(run("ip link add br0 type bridge && ip link set " + interface + " master br0"), "bridge");
}

void VethHarness::set_mtu(const std::string& interface, uint32_t mtu) {
  must(run("ip link set " + interface + " mtu " + std::to_string(mtu)), "mtu");
  must(run_in_guest(interface, "ip link set eth0 mtu " + std::to_string(mtu)), "mtu");
}

void VethHarness::send(const std::string& interface, std::span<const uint8_t> frame, const Offload& offload) {
  guests_.at(interface)->send(frame, offload);
}

std::optional<WireFrame> VethHarness::receive(const std::string& interface, std::chrono::milliseconds timeout) {
  return guests_.at(interface)->receive(timeout);
}

bool VethHarness::has_interface(const std::string& interface) { return if_nametoindex(interface.c_str()) != 0; }

// The other hosts are addresses behind a link, of which this host knows the MAC addresses: nobody there answers.
void VethHarness::add_underlay() {
  enter_new_namespace();
  guests_[kUnderlay] = std::make_unique<Guest>();
  enter(host_);
  restore_interface(kUnderlay);
  const std::string device = std::string(" dev ") + kUnderlay;
  const frames::Host us = frames::Host::outer(1);
  run("echo 0 > /proc/sys/net/ipv6/conf/" + std::string(kUnderlay) + "/disable_ipv6");
  must(run("ip link set" + device + " address " + us.mac.to_string()), "address");
  for (IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    const char* length = family == IpFamily::v4 ? "/24" : "/64 nodad";
    must(run("ip address add " + us.address(family).to_string() + length + device), "address");
    for (uint8_t n = 2; n <= 4; ++n) {
      frames::Host peer = frames::Host::outer(n);
      must(run("ip neighbour replace " + peer.address(family).to_string() + " lladdr " + peer.mac.to_string() +
               " nud permanent" + device),
           "neighbour");
    }
  }
}

void VethHarness::send_tunneled(const Tunneled& packet) {
  const IpAddress& src = packet.tunnel.src;
  frames::Udp outer{{}, frames::Host::outer(1), 50000, packet.udp_port, packet.ttl};
  outer.from.mac = frames::Host::outer(2).mac;
  (src.family() == IpFamily::v4 ? outer.from.v4 : outer.from.v6) = src;
  frames::Bytes frame = packet.kind == TunnelKind::vxlan
                            ? frames::vxlan(outer, src.family(), packet.tunnel.key, packet.frame)
                            : frames::gre(outer, packet.tunnel.key, packet.frame);
  guests_.at(kUnderlay)->send(frame, {});
}

std::optional<Tunneled> VethHarness::receive_tunneled(std::chrono::milliseconds timeout) {
  // Anything else there is the host's own: neighbour discovery and the like.
  while (std::optional<WireFrame> got = guests_.at(kUnderlay)->receive(timeout)) {
    if (std::optional<Tunneled> packet = untunneled(got->bytes)) return packet;
  }
  return std::nullopt;
}

void VethHarness::pass_time(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

void VethHarness::in_guest(const std::string& interface, const std::function<void()>& body) {
  enter(guests_.at(interface)->name_space());
  body();
  enter(host_);
}

bool VethHarness::run(const std::string& command) { return std::system(command.c_str()) == 0; }

bool VethHarness::run_in_guest(const std::string& interface, const std::string& command) {
  bool ok = false;
  in_guest(interface, [&] { ok = run(command); });
  return ok;
}

}  // namespace viaduct::flows
