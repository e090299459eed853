// Where zebra connects to, inside the speaker's namespace. One connection counts: a new one replaces the old.
#pragma once

#include <poll.h>

#include <cstdint>
#include <string>
#include <vector>

#include "routing/bgp/fpm.hpp"
#include "routing/bgp/namespace.hpp"

namespace viaduct::routing::bgp {

class FpmLink {
 public:
  enum class Event : uint8_t { nothing, lost };  // lost: everything will be told again

  FpmLink() = default;
  ~FpmLink() { close(); }
  FpmLink(const FpmLink&) = delete;
  FpmLink& operator=(const FpmLink&) = delete;

  Problem listen(const std::string& network_namespace);
  void close();
  uint16_t port() const { return listener_.port; }
  bool connected() const { return connection_ >= 0; }
  void add_descriptors(std::vector<pollfd>& out) const;
  // What has come. After `lost` the news that follow are of a new stream.
  Event read(std::vector<RouteNews>& out);
  const FpmCounters& counters() const { return decoder_.counters(); }

 private:
  Event accept_new();
  void disconnect();

  Listener listener_;
  int connection_ = -1;
  FpmDecoder decoder_;
};

}  // namespace viaduct::routing::bgp
