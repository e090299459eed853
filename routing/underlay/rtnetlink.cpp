// LocalAddresses over rtnetlink, through libnl.
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "routing/underlay/local_addresses.hpp"

namespace viaduct::routing::underlay {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Socket = std::unique_ptr<nl_sock, Freed<nl_socket_free>>;
using Cache = std::unique_ptr<nl_cache, Freed<nl_cache_free>>;
using Message = std::unique_ptr<nl_msg, Freed<nlmsg_free>>;
using RouteObject = std::unique_ptr<rtnl_route, Freed<rtnl_route_put>>;
using LinkObject = std::unique_ptr<rtnl_link, Freed<rtnl_link_put>>;

// libnl's own numbers, of which few matter to callers.
std::error_code code_of(int nl_error) {
  switch (-nl_error) {
    case NLE_NODEV:
    case NLE_OBJ_NOTFOUND:
      return std::make_error_code(std::errc::network_unreachable);
    case NLE_INVAL:
    case NLE_RANGE:
      return std::make_error_code(std::errc::invalid_argument);
    case NLE_PERM:
    case NLE_NOACCESS:
      return std::make_error_code(std::errc::permission_denied);
    case NLE_NOMEM:
      return std::make_error_code(std::errc::not_enough_memory);
    case NLE_AGAIN:
    case NLE_INTR:
    case NLE_DUMP_INTR:
      return std::make_error_code(std::errc::resource_unavailable_try_again);
    default:
      return std::make_error_code(std::errc::io_error);
  }
}

Socket connect_socket(std::error_code& error) {
  Socket socket(nl_socket_alloc());
  if (!socket) {
    error = std::make_error_code(std::errc::not_enough_memory);
  } else if (int failed = nl_connect(socket.get(), NETLINK_ROUTE); failed < 0) {
    error = code_of(failed);
  } else {
    nl_socket_disable_auto_ack(socket.get());  // questions are answered or refused: one message each
  }
  return socket;
}

std::optional<IpAddress> address_of(const nl_addr* address) {
  const int family = nl_addr_get_family(address);
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  const IpFamily own = family == AF_INET ? IpFamily::v4 : IpFamily::v6;
  if (static_cast<int>(nl_addr_get_len(address)) != address_bytes(own)) return std::nullopt;
  return IpAddress::from_network(own, static_cast<const uint8_t*>(nl_addr_get_binary_addr(address)));
}

// IPv6 has a limit of its own: what a router advertised (RFC 4861 4.6.4), or the operator set. 0: unknown. This libnl does
// not read it from the link's message.
uint32_t mtu_v6_of(const char* interface) {
  uint32_t mtu = 0;
  std::ifstream("/proc/sys/net/ipv6/conf/" + std::string(interface) + "/mtu") >> mtu;
  return mtu;
}

uint32_t mtu_of(rtnl_link* link, IpFamily family) {
  const uint32_t mtu = rtnl_link_get_mtu(link);
  const uint32_t v6 = family == IpFamily::v6 ? mtu_v6_of(rtnl_link_get_name(link)) : 0;
  return v6 == 0 ? mtu : std::min(mtu, v6);
}

bool is_up(rtnl_link* link) {
  constexpr unsigned kUp = IFF_UP | IFF_RUNNING;
  return (rtnl_link_get_flags(link) & kUp) == kUp;
}

// Tells its owner that something changed. What the messages say does not matter, and an overrun is a change as well.
class ChangeWatch {
 public:
  explicit ChangeWatch(std::error_code& error) : socket_(connect_socket(error)), stop_(eventfd(0, EFD_CLOEXEC)) {
    if (!error && stop_ < 0) error = {errno, std::system_category()};
    if (error) return;
    const int failed = nl_socket_add_memberships(socket_.get(), RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                                 RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NONE);
    if (failed < 0) {
      error = code_of(failed);
      return;
    }
    thread_ = std::thread([this] { run(); });
  }
  ~ChangeWatch() {
    if (thread_.joinable()) {
      const uint64_t one = 1;
      [[maybe_unused]] ssize_t written = write(stop_, &one, sizeof one);
      thread_.join();
    }
    if (stop_ >= 0) close(stop_);
  }
  ChangeWatch(const ChangeWatch&) = delete;
  ChangeWatch& operator=(const ChangeWatch&) = delete;

  void on_change(std::function<void()> hint) {
    std::lock_guard lock(mutex_);
    hint_ = std::move(hint);
  }

 private:
  void run() {
    std::array<pollfd, 2> watched{{{nl_socket_get_fd(socket_.get()), POLLIN, 0}, {stop_, POLLIN, 0}}};
    while (true) {
      if (poll(watched.data(), watched.size(), -1) < 0) continue;
      if (watched[1].revents != 0) return;
      drain(watched[0].fd);
      std::lock_guard lock(mutex_);
      if (hint_) hint_();
    }
  }
  static void drain(int fd) {
    std::array<uint8_t, 1 << 15> buffer;
    while (recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0 || errno == ENOBUFS) errno = 0;
  }

  Socket socket_;
  int stop_;
  std::mutex mutex_;
  std::function<void()> hint_;
  std::thread thread_;
};

// The answer to one route question.
struct RouteAnswer {
  RouteObject route;
  int kernel_error = 0;  // errno
};

int take_route(nl_msg* message, void* answer) {
  rtnl_route* route = nullptr;
  if (rtnl_route_parse(nlmsg_hdr(message), &route) == 0) static_cast<RouteAnswer*>(answer)->route.reset(route);
  return NL_OK;
}

// libnl makes many errors of the kernel's into one: the kernel's own number says more.
int take_error(sockaddr_nl*, nlmsgerr* error, void* answer) {
  static_cast<RouteAnswer*>(answer)->kernel_error = -error->error;
  return NL_STOP;
}

Message route_question(const IpAddress& src, const IpAddress& dst) {
  Message message(nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST));
  if (!message) return message;
  rtmsg header{};
  header.rtm_family = dst.is_v4() ? AF_INET : AF_INET6;
  header.rtm_dst_len = header.rtm_src_len = static_cast<unsigned char>(dst.width_bits());
  const int size = address_bytes(dst.family());
  if (nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO) < 0 ||
      nla_put(message.get(), RTA_DST, size, dst.bytes().data()) < 0 ||
      nla_put(message.get(), RTA_SRC, size, src.bytes().data()) < 0) {
    message.reset();
  }
  return message;
}

class Rtnetlink final : public LocalAddresses {
 public:
  explicit Rtnetlink(std::error_code& error) : socket_(connect_socket(error)) {
    if (!error) watch_ = std::make_unique<ChangeWatch>(error);
  }

  std::variant<std::vector<LocalAddress>, std::error_code> addresses() override {
    std::lock_guard lock(mutex_);
    nl_cache* found = nullptr;
    if (int failed = rtnl_link_alloc_cache(socket_.get(), AF_UNSPEC, &found); failed < 0) return code_of(failed);
    const Cache links(found);
    if (int failed = rtnl_addr_alloc_cache(socket_.get(), &found); failed < 0) return code_of(failed);
    const Cache addresses(found);
    std::vector<LocalAddress> out;
    for (nl_object* at = nl_cache_get_first(addresses.get()); at != nullptr; at = nl_cache_get_next(at)) {
      if (auto one = local_address(links.get(), reinterpret_cast<rtnl_addr*>(at))) out.push_back(*std::move(one));
    }
    return out;
  }

  std::variant<std::vector<LocalInterface>, std::error_code> interfaces() override {
    std::lock_guard lock(mutex_);
    nl_cache* found = nullptr;
    if (int failed = rtnl_link_alloc_cache(socket_.get(), AF_UNSPEC, &found); failed < 0) return code_of(failed);
    const Cache links(found);
    if (int failed = rtnl_addr_alloc_cache(socket_.get(), &found); failed < 0) return code_of(failed);
    const Cache addresses(found);
    std::map<int, LocalInterface> out;
    for (nl_object* at = nl_cache_get_first(links.get()); at != nullptr; at = nl_cache_get_next(at)) {
      auto* link = reinterpret_cast<rtnl_link*>(at);
      out.emplace(rtnl_link_get_ifindex(link), local_interface(link));
    }
    for (nl_object* at = nl_cache_get_first(addresses.get()); at != nullptr; at = nl_cache_get_next(at)) {
      auto* one = reinterpret_cast<rtnl_addr*>(at);
      const nl_addr* local = rtnl_addr_get_local(one);
      const auto address = local == nullptr ? std::nullopt : address_of(local);
      const auto of = out.find(rtnl_addr_get_ifindex(one));
      if (address && of != out.end()) of->second.addresses.push_back(*address);
    }
    std::vector<LocalInterface> all;
    for (auto& [index, interface] : out) {
      std::ranges::sort(interface.addresses);
      all.push_back(std::move(interface));
    }
    return all;
  }

  std::variant<UnderlayRoute, std::error_code> route(const IpAddress& src, const IpAddress& dst) override {
    if (src.family() != dst.family()) return std::make_error_code(std::errc::invalid_argument);
    std::lock_guard lock(mutex_);
    const Message question = route_question(src, dst);
    if (!question) return std::make_error_code(std::errc::not_enough_memory);
    RouteAnswer answer;
    if (int failed = ask(question.get(), answer); failed < 0 && answer.kernel_error == 0) return code_of(failed);
    if (answer.kernel_error != 0) return std::error_code(answer.kernel_error, std::generic_category());
    if (!answer.route) return std::make_error_code(std::errc::network_unreachable);
    return describe(answer.route.get(), dst.family());
  }

  void on_change(std::function<void()> hint) override { watch_->on_change(std::move(hint)); }

 private:
  static std::optional<LocalAddress> local_address(nl_cache* links, rtnl_addr* found) {
    constexpr unsigned kNotUsable = IFA_F_TENTATIVE | IFA_F_DADFAILED;
    const nl_addr* local = rtnl_addr_get_local(found);
    const auto address = local == nullptr ? std::nullopt : address_of(local);
    const LinkObject link(rtnl_link_get(links, rtnl_addr_get_ifindex(found)));
    if (!address || !link || (rtnl_addr_get_flags(found) & kNotUsable) != 0) return std::nullopt;
    return LocalAddress{*address, rtnl_link_get_name(link.get()), mtu_of(link.get(), address->family()),
                        is_up(link.get())};
  }

  static LocalInterface local_interface(rtnl_link* link) {
    LocalInterface out;
    out.name = rtnl_link_get_name(link);
    out.mtu = rtnl_link_get_mtu(link);
    const nl_addr* mac = rtnl_link_get_addr(link);
    MacAddress::Bytes bytes;
    if (mac != nullptr && nl_addr_get_len(mac) == bytes.size()) {
      std::copy_n(static_cast<const uint8_t*>(nl_addr_get_binary_addr(mac)), bytes.size(), bytes.begin());
      out.mac = MacAddress(bytes);
    }
    const unsigned flags = rtnl_link_get_flags(link);
    const char* kind = rtnl_link_get_type(link);
    if (kind != nullptr) {
      out.kind = kind;
    } else if ((flags & IFF_LOOPBACK) != 0) {
      out.kind = "loopback";
    }
    out.up = (flags & IFF_UP) != 0;
    out.carrier = (flags & IFF_RUNNING) != 0;
    return out;
  }

  int ask(nl_msg* question, RouteAnswer& answer) {
    using Callbacks = std::unique_ptr<nl_cb, Freed<nl_cb_put>>;
    const Callbacks callbacks(nl_cb_alloc(NL_CB_DEFAULT));
    if (!callbacks) return -NLE_NOMEM;
    nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, take_route, &answer);
    nl_cb_err(callbacks.get(), NL_CB_CUSTOM, take_error, &answer);
    if (int failed = nl_send_auto(socket_.get(), question); failed < 0) return failed;
    return nl_recvmsgs(socket_.get(), callbacks.get());
  }

  std::variant<UnderlayRoute, std::error_code> describe(rtnl_route* route, IpFamily family) {
    rtnl_nexthop* hop = rtnl_route_nexthop_n(route, 0);
    if (rtnl_route_get_type(route) == RTN_UNREACHABLE || hop == nullptr) {
      return std::make_error_code(std::errc::host_unreachable);
    }
    rtnl_link* found = nullptr;
    if (int failed = rtnl_link_get_kernel(socket_.get(), rtnl_route_nh_get_ifindex(hop), nullptr, &found); failed < 0) {
      return code_of(failed);
    }
    const LinkObject link(found);
    UnderlayRoute out{rtnl_link_get_name(link.get()), mtu_of(link.get(), family), false};
    uint32_t value = 0;
    if (rtnl_route_get_metric(route, RTAX_MTU, &value) == 0 && value != 0) out.mtu = std::min(out.mtu, value);
    if (rtnl_route_get_metric(route, RTAX_LOCK, &value) == 0) out.mtu_locked = (value & (1U << RTAX_MTU)) != 0;
    return out;
  }

  std::mutex mutex_;  // of socket_
  Socket socket_;
  std::unique_ptr<ChangeWatch> watch_;
};

}  // namespace

std::unique_ptr<LocalAddresses> open_rtnetlink(std::error_code& error) {
  error.clear();
  auto out = std::make_unique<Rtnetlink>(error);
  return error ? nullptr : std::move(out);
}

}  // namespace viaduct::routing::underlay
