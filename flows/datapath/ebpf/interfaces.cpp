#include "flows/datapath/ebpf/interfaces.hpp"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "flows/datapath/ebpf/kernel_maps.hpp"

namespace viaduct::flows::ebpf {

namespace {

struct SocketFree {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
using SocketPointer = std::unique_ptr<nl_sock, SocketFree>;

SocketPointer connect_route() {
  SocketPointer socket(nl_socket_alloc());
  if (socket && nl_connect(socket.get(), NETLINK_ROUTE) != 0) socket.reset();
  return socket;
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  return request;
}

// One of the old yes-or-no questions of ethtool; no when it cannot be asked.
bool ethtool_says(int socket, const std::string& name, uint32_t question) {
  ethtool_value value{question, 0};
  ifreq request = request_for(name);
  request.ifr_data = reinterpret_cast<char*>(&value);
  return ioctl(socket, SIOCETHTOOL, &request) == 0 && value.data != 0;
}

// A guest without these wants finished checksums and small packets, which only the transmit path makes.
bool has_transmit_offloads(const std::string& name) {
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (uint32_t question : {ETHTOOL_GTXCSUM, ETHTOOL_GSG, ETHTOOL_GTSO}) {
    if (!ethtool_says(socket.get(), name, question)) return false;
  }
  return true;
}

Interface describe(rtnl_link* link) {
  Interface out;
  out.ifindex = static_cast<uint32_t>(rtnl_link_get_ifindex(link));
  out.name = rtnl_link_get_name(link) != nullptr ? rtnl_link_get_name(link) : "";
  out.mtu = rtnl_link_get_mtu(link);
  unsigned flags = rtnl_link_get_flags(link);
  out.link_up = (flags & IFF_UP) != 0 && (flags & IFF_RUNNING) != 0;
  out.enslaved = rtnl_link_get_master(link) != 0;
  const char* kind = rtnl_link_get_type(link);
  int32_t namespace_id = 0;
  out.reaches_peer = kind != nullptr && std::strcmp(kind, "veth") == 0 &&
                     rtnl_link_get_link_netnsid(link, &namespace_id) == 0 && has_transmit_offloads(out.name);
  return out;
}

bool write_file(const std::string& path, char value) {
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && write(file.get(), &value, 1) == 1;
}

}  // namespace

std::optional<Interface> find_interface(const std::string& name, std::error_code& error) {
  error.clear();
  SocketPointer socket = connect_route();
  if (!socket) {
    error = std::make_error_code(std::errc::not_enough_memory);
    return std::nullopt;
  }
  rtnl_link* link = nullptr;
  int failure = rtnl_link_get_kernel(socket.get(), 0, name.c_str(), &link);
  if (failure != 0) {
    // libnl has names of its own for "no such device".
    error = std::make_error_code(std::errc::no_such_device);
    return std::nullopt;
  }
  Interface found = describe(link);
  rtnl_link_put(link);
  return found;
}

std::error_code set_link_up(const std::string& name) {
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(name);
  if (ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return {errno, std::generic_category()};
  if ((request.ifr_flags & IFF_UP) != 0) return {};
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return {errno, std::generic_category()};
  return {};
}

bool set_ipv6(const std::string& name, Ipv6 wanted) {
  std::string path = "/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6";
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char now = 0;
  if (!file || read(file.get(), &now, 1) != 1) return false;
  char value = wanted == Ipv6::off ? '1' : '0';
  return now != value && write_file(path, value);
}

std::unique_ptr<InterfaceWatch> InterfaceWatch::start(Listener listener, std::error_code& error) {
  SocketPointer socket(nl_socket_alloc());
  int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!socket || stop < 0) {
    error = std::make_error_code(std::errc::not_enough_memory);
    return nullptr;
  }
  nl_socket_disable_seq_check(socket.get());
  if (nl_connect(socket.get(), NETLINK_ROUTE) != 0 || nl_socket_add_memberships(socket.get(), RTNLGRP_LINK, 0) != 0 ||
      nl_socket_set_nonblocking(socket.get()) != 0) {
    close(stop);
    error = std::make_error_code(std::errc::operation_not_permitted);
    return nullptr;
  }
  return std::unique_ptr<InterfaceWatch>(new InterfaceWatch(socket.release(), stop, std::move(listener)));
}

InterfaceWatch::InterfaceWatch(nl_sock* socket, int stop, Listener listener)
    : socket_(socket), stop_(stop), listener_(std::move(listener)), thread_([this] { run(); }) {}

InterfaceWatch::~InterfaceWatch() {
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(stop_, &one, sizeof one);
  thread_.join();
  nl_socket_free(socket_);
  close(stop_);
}

void InterfaceWatch::run() {
  auto on_object = [](nl_object* object, void* self) {
    auto* link = reinterpret_cast<rtnl_link*>(object);
    auto& listener = static_cast<InterfaceWatch*>(self)->listener_;
    // Messages of the bridge family speak of a membership, not of the interface.
    if (rtnl_link_get_family(link) != AF_UNSPEC) return;
    if (nl_object_get_msgtype(object) == RTM_DELLINK)
      listener.vanished(static_cast<uint32_t>(rtnl_link_get_ifindex(link)));
    else
      listener.changed(describe(link));
  };
  struct Context {
    void (*on_object)(nl_object*, void*);
    void* self;
  } context{on_object, this};
  auto on_message = [](nl_msg* message, void* argument) {
    auto* with = static_cast<Context*>(argument);
    nl_msg_parse(message, with->on_object, with->self);
    return static_cast<int>(NL_OK);
  };
  nl_socket_modify_cb(socket_, NL_CB_VALID, NL_CB_CUSTOM, on_message, &context);
  std::array<pollfd, 2> waits{pollfd{nl_socket_get_fd(socket_), POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
  while (true) {
    if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
    if (waits[1].revents != 0) return;
    if (waits[0].revents != 0) receive();
  }
}

void InterfaceWatch::receive() {
  int result;
  while ((result = nl_recvmsgs_default(socket_)) == 0) {
  }
  // Anything but "nothing more": the socket's buffer overflowed.
  if (result != -NLE_AGAIN) listener_.lost();
  listener_.after();
}

}  // namespace viaduct::flows::ebpf
