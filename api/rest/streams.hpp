// Bodies that are made while they are sent, for libmicrohttpd: a connection whose body has nothing to say now rests, and takes no
// thread. Internal to the server.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>

#include "api/rest/http.hpp"

struct MHD_Connection;  // of microhttpd.h, which stays in .cpp files
struct MHD_Response;

namespace viaduct::api::rest {

// Thread-safe.
class Streams {
 public:
  // For this connection only. The stream is closed when libmicrohttpd is done with the response.
  MHD_Response* response_of(MHD_Connection* connection, const std::shared_ptr<BodyStream>& stream);
  // Ends all, and those that come later; when it returns no connection rests.
  void finish();

 private:
  struct Running;
  void rest(Running& running);

  std::mutex mutex_;
  std::condition_variable woken_;
  std::set<Running*> running_;
  size_t resting_ = 0;
  bool finished_ = false;
};

}  // namespace viaduct::api::rest
