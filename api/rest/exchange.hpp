// One request and its answer between libmicrohttpd's types and http.hpp's. Internal to the server.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/rest/http.hpp"
#include "api/rest/streams.hpp"

struct MHD_Connection;  // of microhttpd.h, which stays in .cpp files

namespace viaduct::api::rest {

// One request from its first line to its answer. libmicrohttpd holds it for its connection, and one of its threads or one
// worker touches it at a time.
struct Exchange {
  Request request = {};
  bool begun = false;     // its header has been read
  bool refused = false;   // and is answered already
  bool too_big = false;   // its body is read, and thrown away
  uint64_t received = 0;  // bytes of the body
  std::chrono::steady_clock::time_point arrived = {};
  Response response = {};
  bool answered = false;
};

int descriptor_of(MHD_Connection* connection);

// The request of which the first line is known: method, header, query, who sends it, what it is called.
void read_head(MHD_Connection* connection, const char* method, Request& request);
// Bytes of the body that its header announces; 0: none, or it does not say.
uint64_t announced_bytes(const Request& request);

// The exchange's answer. `held`: it lives until the exchange ends. False: it could not be queued, and the connection has to be closed.
enum class Body : uint8_t { copied, held };
bool send(MHD_Connection* connection, const Exchange& exchange, Body body, Streams& streams);
// An answer of the server's own.
Response refusal(const Request& request, int status, std::string message);

}  // namespace viaduct::api::rest
