// Sockets of generic netlink. The kernel works a request off inside of sendmsg(): when it returns, every error and
// reply lies already in the socket's receive buffer. So nothing here waits for an acknowledgement, and requests that
// succeed need none.
#pragma once

#include <cstdint>
#include <system_error>

#include "flows/datapath/ovs/netlink_message.hpp"
#include "flows/packet/function_ref.hpp"

namespace viaduct::flows::ovs {

// A file descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    int out = fd_;
    fd_ = -1;
    return out;
  }

 private:
  int fd_ = -1;
};

class NetlinkSocket {
 public:
  // Opens a socket of generic netlink. `wanted` is the port id to bind, 0 lets the kernel choose; when it is in use the
  // error is address_in_use. `receive_bytes` is the whole receive buffer as the kernel counts it.
  static NetlinkSocket open(uint32_t wanted, size_t receive_bytes, std::error_code& error);
  // A socket of the routing family, in the group that tells of interfaces.
  static NetlinkSocket open_link_watch(std::error_code& error);

  int fd() const { return fd_.get(); }
  uint32_t id() const { return id_; }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  std::error_code join(uint32_t group);

  // Sends the batch and gives every reply and refusal to `visit`. The returned error is of the transport only.
  using Visitor = FunctionRef<void(const Message&)>;
  std::error_code transact(const MessageBatch& batch, Visitor visit);
  // Sends the batch's one request and gives every object of the answer to `visit`. An error of the kernel is returned.
  std::error_code dump(const MessageBatch& batch, Visitor visit);
  // To another socket and not to the kernel; never waits for room.
  std::error_code send_to(uint32_t id, const MessageBatch& batch);
  // Messages that this socket's full buffer cost, since it was opened (SO_MEMINFO).
  uint32_t lost() const;
  // What the messages that wait to be received take of the buffer.
  uint32_t waiting_bytes() const;

 private:
  std::error_code send(uint32_t id, const MessageBatch& batch, int flags);
  std::error_code receive(int flags, Visitor visit, bool& more);

  Fd fd_;
  uint32_t id_ = 0;
  std::vector<uint8_t> buffer_;
};

}  // namespace viaduct::flows::ovs
