// A stranger on the admin port: sends what it likes, sees what comes back.
#pragma once

#include <capnp/message.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schema/admin.capnp.h"
#include "schema/frame.hpp"

namespace viaduct::actors {

class AdminClient {
 public:
  explicit AdminClient(uint16_t port);
  ~AdminClient();
  AdminClient(const AdminClient&) = delete;
  AdminClient& operator=(const AdminClient&) = delete;

  bool send(std::span<const uint8_t> bytes);
  bool send(const schema::Frame& frame);
  // Nothing when the daemon closed the connection, or (a failure) did not answer.
  std::optional<schema::Frame> receive();
  // The daemon has closed it.
  bool closed();
  std::string receive_all();  // text until the end

 private:
  int fd_;
  std::vector<uint8_t> received_;  // and not yet read
  schema::FrameReader reader_;
};

template <class Fill>
schema::Frame admin_request(const std::string& token, Fill fill) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::AdminRequest>();
  root.setMajor(schema::PROTOCOL_MAJOR);
  root.setToken(kj::ArrayPtr<const uint8_t>(reinterpret_cast<const uint8_t*>(token.data()), token.size()));
  root.setId(1);
  fill(root);
  return schema::Frame::of(message);
}

}  // namespace viaduct::actors
