#include "flows/datapath/ovs/families.hpp"

#include <linux/openvswitch.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>

#include <memory>

namespace viaduct::flows::ovs {

std::optional<Families> resolve_families(std::string& why_not) {
  std::unique_ptr<nl_sock, void (*)(nl_sock*)> socket(nl_socket_alloc(), nl_socket_free);
  if (!socket) {
    why_not = "no memory for a netlink socket";
    return std::nullopt;
  }
  if (int error = genl_connect(socket.get()); error < 0) {
    why_not = std::string("generic netlink: ") + nl_geterror(error);
    return std::nullopt;
  }
  Families out;
  for (auto [number, name] : {std::pair{&out.datapath, OVS_DATAPATH_FAMILY},
                              {&out.vport, OVS_VPORT_FAMILY},
                              {&out.flow, OVS_FLOW_FAMILY},
                              {&out.packet, OVS_PACKET_FAMILY}}) {
    int found = genl_ctrl_resolve(socket.get(), name);
    if (found < 0) {
      why_not = std::string("the kernel has no Open vSwitch module (generic netlink family ") + name + ": " +
                nl_geterror(found) + "); load it with `modprobe openvswitch`, as root";
      return std::nullopt;
    }
    *number = static_cast<uint16_t>(found);
  }
  int group = genl_ctrl_resolve_grp(socket.get(), OVS_VPORT_FAMILY, OVS_VPORT_MCGROUP);
  if (group < 0) {
    why_not = std::string("no multicast group " OVS_VPORT_MCGROUP ": ") + nl_geterror(group);
    return std::nullopt;
  }
  out.vport_group = static_cast<uint32_t>(group);
  return out;
}

}  // namespace viaduct::flows::ovs
