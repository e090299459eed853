// The way to an IPFIX collector: a UDP socket (RFC 7011 10.3) that never blocks. Threads: one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "observability/flow_log/record.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::observability::flow_log {

struct CollectorAddress {
  IpAddress address;
  uint16_t port = 0;
};

class Collector {
 public:
  explicit Collector(const CollectorAddress& to) : to_(to) {}
  ~Collector() { close(); }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // When there was an error, error() says which: perhaps only of an earlier message, and this one has gone. The next call tries again,
  // with a new socket where that may help.
  struct Result {
    bool sent = false;
    unsigned errors = 0;
  };
  Result send(std::span<const uint8_t> message);
  // So large a message may be for the path, as far as the kernel knows; 0: it does not.
  size_t message_limit();
  const std::string& error() const { return error_; }

 private:
  bool open();
  void close();
  void fail(const char* what, int problem);

  const CollectorAddress to_;
  int socket_ = -1;
  std::string error_;
};

}  // namespace viaduct::observability::flow_log
