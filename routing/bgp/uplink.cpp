// The links and addresses of namespace.hpp, over rtnetlink through libnl.
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "routing/bgp/namespace.hpp"

namespace viaduct::routing::bgp {

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
using Link = std::unique_ptr<rtnl_link, Freed<rtnl_link_put>>;
using Address = std::unique_ptr<rtnl_addr, Freed<rtnl_addr_put>>;
using Route = std::unique_ptr<rtnl_route, Freed<rtnl_route_put>>;
using NlAddress = std::unique_ptr<nl_addr, Freed<nl_addr_put>>;

Problem failed(const std::string& what, int nl_error) { return what + ": " + nl_geterror(nl_error); }

// Of the calling thread's namespace.
class Kernel {
 public:
  Problem open() {
    socket_.reset(nl_socket_alloc());
    const int result = socket_ ? nl_connect(socket_.get(), NETLINK_ROUTE) : -NLE_NOMEM;
    return result < 0 ? failed("opening a netlink socket", result) : std::nullopt;
  }
  nl_sock* get() const { return socket_.get(); }
  Link find(const std::string& name) const {
    rtnl_link* found = nullptr;
    return Link(rtnl_link_get_kernel(socket_.get(), 0, name.c_str(), &found) < 0 ? nullptr : found);
  }
  Problem remove(const std::string& name) const {
    const Link link = find(name);
    if (!link) return std::nullopt;
    const int result = rtnl_link_delete(socket_.get(), link.get());
    return result < 0 && result != -NLE_NODEV ? failed("removing interface " + name, result) : std::nullopt;
  }
  Problem change(const std::string& name, const Link& wanted) const {
    const Link link = find(name);
    if (!link) return "interface " + name + " is gone";
    const int result = rtnl_link_change(socket_.get(), link.get(), wanted.get(), 0);
    return result < 0 ? failed("changing interface " + name, result) : std::nullopt;
  }
  Problem set_up(const std::string& name, const Link& wanted = Link(rtnl_link_alloc())) const {
    rtnl_link_set_flags(wanted.get(), IFF_UP);
    return change(name, wanted);
  }

 private:
  Socket socket_;
};

// A veth pair whose inner end is made in the namespace at once.
Problem make_pair(const Kernel& outside, const std::string& name, const Uplink& uplink) {
  const int space = open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (space < 0) return "opening network namespace " + name + ": " + std::strerror(errno);
  const Link link(rtnl_link_veth_alloc());
  rtnl_link_set_name(link.get(), uplink.outer.c_str());
  const Link peer(rtnl_link_veth_get_peer(link.get()));
  rtnl_link_set_name(peer.get(), kUplink);
  rtnl_link_set_ns_fd(peer.get(), space);
  const int result = rtnl_link_add(outside.get(), link.get(), NLM_F_CREATE | NLM_F_EXCL);
  close(space);
  return result < 0 ? failed("making the veth pair " + uplink.outer, result) : std::nullopt;
}

// Of the thread's namespace. A kernel without IPv6 has no such file, and nothing to be told.
Problem set_v6(const std::string& interface, const char* key, const char* value) {
  const std::string path = "/proc/sys/net/ipv6/conf/" + interface + "/" + key;
  if (access(path.c_str(), F_OK) != 0) return std::nullopt;
  std::ofstream file(path);
  file << value << std::flush;
  return file ? std::nullopt : Problem("writing " + path + " failed");
}

NlAddress to_nl(const IpPrefix& prefix) {
  const IpAddress& address = prefix.address();
  auto* out = nl_addr_build(address.is_v4() ? AF_INET : AF_INET6, address.bytes().data(), address.bytes().size());
  if (out != nullptr) nl_addr_set_prefixlen(out, prefix.length());
  return NlAddress(out);
}

Problem add_address(const Kernel& inside, int index, const IpPrefix& prefix) {
  const Address address(rtnl_addr_alloc());
  const NlAddress local = to_nl(prefix);
  rtnl_addr_set_ifindex(address.get(), index);
  rtnl_addr_set_local(address.get(), local.get());
  rtnl_addr_set_prefixlen(address.get(), prefix.length());
  if (prefix.address().is_v6()) rtnl_addr_set_flags(address.get(), IFA_F_NODAD);
  const int result = rtnl_addr_add(inside.get(), address.get(), 0);
  return result < 0 && result != -NLE_EXIST ? failed("adding " + prefix.to_string() + " to " + kUplink, result)
                                            : std::nullopt;
}

Problem set_addresses(const Kernel& inside, int index, std::vector<IpPrefix> wanted) {
  nl_cache* found = nullptr;
  if (int result = rtnl_addr_alloc_cache(inside.get(), &found); result < 0) return failed("listing addresses", result);
  const Cache cache(found);
  for (nl_object* at = nl_cache_get_first(cache.get()); at != nullptr; at = nl_cache_get_next(at)) {
    auto* one = reinterpret_cast<rtnl_addr*>(at);
    nl_addr* local = rtnl_addr_get_local(one);
    if (rtnl_addr_get_ifindex(one) != index || local == nullptr) continue;
    const auto is = [&](const IpPrefix& prefix) { return nl_addr_cmp(to_nl(prefix).get(), local) == 0; };
    const auto known = std::find_if(wanted.begin(), wanted.end(), is);
    if (known != wanted.end()) {
      wanted.erase(known);
    } else if (int result = rtnl_addr_delete(inside.get(), one, 0); result < 0 && result != -NLE_OBJ_NOTFOUND) {
      return failed(std::string("removing an address of ") + kUplink, result);
    }
  }
  for (const IpPrefix& prefix : wanted) {
    if (auto problem = add_address(inside, index, prefix)) return problem;
  }
  return std::nullopt;
}

Route make_route(int index, const UplinkRoute& wanted) {
  Route route(rtnl_route_alloc());
  const NlAddress destination = to_nl(wanted.destination), gateway = to_nl(IpPrefix::host(wanted.gateway));
  rtnl_route_set_family(route.get(), wanted.destination.address().is_v4() ? AF_INET : AF_INET6);
  rtnl_route_set_dst(route.get(), destination.get());
  rtnl_route_set_protocol(route.get(), RTPROT_STATIC);  // zebra's have another
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, index);
  rtnl_route_nh_set_gateway(hop, gateway.get());
  rtnl_route_add_nexthop(route.get(), hop);  // owns it now
  return route;
}

std::string to_text(const UplinkRoute& route) {
  return "the route to " + route.destination.to_string() + " by " + route.gateway.to_string();
}

Problem add_route(const Kernel& inside, int index, const UplinkRoute& wanted) {
  const int result = rtnl_route_add(inside.get(), make_route(index, wanted).get(), NLM_F_CREATE | NLM_F_REPLACE);
  return result < 0 ? failed("adding " + to_text(wanted), result) : std::nullopt;
}

Problem remove_route(const Kernel& inside, int index, const UplinkRoute& route) {
  const int result = rtnl_route_delete(inside.get(), make_route(index, route).get(), 0);
  return result < 0 && result != -NLE_OBJ_NOTFOUND ? failed("removing " + to_text(route), result) : std::nullopt;
}

Problem change_routes(const Kernel& inside, const std::vector<UplinkRoute>& added,
                      const std::vector<UplinkRoute>& removed) {
  const Link link = inside.find(kUplink);
  if (!link) return std::string("interface ") + kUplink + " is gone";
  const int index = rtnl_link_get_ifindex(link.get());
  Problem out;
  for (const UplinkRoute& route : added) {
    if (auto problem = add_route(inside, index, route); problem && !out) out = problem;
  }
  for (const UplinkRoute& route : removed) {
    if (auto problem = remove_route(inside, index, route); problem && !out) out = problem;
  }
  return out;
}

Problem set_inner(const Uplink& uplink) {
  Kernel inside;
  if (auto problem = inside.open()) return problem;
  if (auto problem = inside.set_up("lo")) return problem;
  // Link-local addresses are ours as well: bgpd needs one, with or without a carrier.
  for (const auto& [key, value] :
       {std::pair("disable_ipv6", "0"), std::pair("accept_ra", "0"), std::pair("autoconf", "0"),
        std::pair("accept_dad", "0"), std::pair("dad_transmits", "0"), std::pair("addr_gen_mode", "1")}) {
    if (auto problem = set_v6(kUplink, key, value)) return problem;
  }
  const Link wanted(rtnl_link_alloc());
  const NlAddress mac(nl_addr_build(AF_LLC, uplink.mac.bytes().data(), uplink.mac.bytes().size()));
  rtnl_link_set_addr(wanted.get(), mac.get());
  rtnl_link_set_mtu(wanted.get(), uplink.mtu);
  if (auto problem = inside.set_up(kUplink, wanted)) return problem;
  const Link link = inside.find(kUplink);
  if (!link) return std::string("interface ") + kUplink + " is gone";
  std::vector<IpPrefix> addresses = uplink.addresses;
  addresses.emplace_back(IpAddress::link_local_of(uplink.mac), 64);
  if (auto problem = set_addresses(inside, rtnl_link_get_ifindex(link.get()), std::move(addresses))) return problem;
  return change_routes(inside, uplink.routes, {});
}

// The index that the inner end says its peer has; 0: no inner end.
int peer_of_inner(const std::string& name) {
  int out = 0;
  run_in_namespace(name, [&] {
    Kernel inside;
    if (inside.open()) return;
    if (const Link link = inside.find(kUplink)) out = rtnl_link_get_link(link.get());
  });
  return out;
}

}  // namespace

Problem make_uplink(const std::string& name, const Uplink& uplink) {
  if (uplink.outer.empty() || uplink.outer.size() >= IFNAMSIZ)
    return "interface \"" + uplink.outer + "\": not 1 to 15 bytes";
  Kernel outside;
  if (auto problem = outside.open()) return problem;
  const Link outer = outside.find(uplink.outer);
  const bool paired = outer && rtnl_link_get_ifindex(outer.get()) == peer_of_inner(name);
  if (!paired) {
    if (auto problem = outside.remove(uplink.outer)) return problem;
    Problem inner;
    if (auto problem = run_in_namespace(name, [&] {
          Kernel inside;
          inner = inside.open();
          if (!inner) inner = inside.remove(kUplink);
        })) {
      return problem;
    }
    if (inner) return inner;
    if (auto problem = make_pair(outside, name, uplink)) return problem;
  }
  Problem inner;
  if (auto problem = run_in_namespace(name, [&] { inner = set_inner(uplink); })) return problem;
  if (inner) return "network namespace " + name + ": " + *inner;
  const Link wanted(rtnl_link_alloc());
  rtnl_link_set_mtu(wanted.get(), uplink.mtu);
  return outside.set_up(uplink.outer, wanted);
}

Problem change_uplink_routes(const std::string& name, const std::vector<UplinkRoute>& added,
                             const std::vector<UplinkRoute>& removed) {
  Problem inner;
  const auto change = [&] {
    Kernel inside;
    inner = inside.open();
    if (!inner) inner = change_routes(inside, added, removed);
  };
  if (auto problem = run_in_namespace(name, change)) return problem;
  return inner ? Problem("network namespace " + name + ": " + *inner) : std::nullopt;
}

Problem remove_link(const std::string& name) {
  Kernel kernel;
  if (auto problem = kernel.open()) return problem;
  return kernel.remove(name);
}

}  // namespace viaduct::routing::bgp
