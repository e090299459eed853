// Sends a frame whose sender left work to the network card (a super-packet, a partial checksum) straight to a port's
// interface. The module's EXECUTE has no words for that work; a packet socket with a virtio-net header has.
#pragma once

#include <span>
#include <system_error>

#include "flows/datapath/ovs/netlink_socket.hpp"
#include "flows/packet/packet.hpp"

namespace viaduct::flows::ovs {

class RawSender {
 public:
  // Opens its socket when it is first needed: upcalls of this module never bring such packets.
  std::error_code send(int interface_index, std::span<uint8_t> frame, const Offload& offload);

 private:
  Fd socket_;
};

}  // namespace viaduct::flows::ovs
