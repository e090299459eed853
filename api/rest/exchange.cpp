#include "api/rest/exchange.hpp"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include <cctype>
#include <cstdlib>

#include "api/client/value.hpp"
#include "api/rest/request_id.hpp"

namespace viaduct::api::rest {
namespace {

Method method_of(std::string_view name) {
  if (name == "GET" || name == "HEAD") return Method::get;
  if (name == "POST") return Method::post;
  if (name == "PUT") return Method::put;
  if (name == "DELETE") return Method::remove;
  if (name == "OPTIONS") return Method::options;
  return Method::other;
}

MHD_Result take_header(void* to, MHD_ValueKind, const char* name, const char* value) {
  std::string key(name);
  for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  auto& headers = *static_cast<Headers*>(to);
  auto [at, is_new] = headers.try_emplace(std::move(key), value == nullptr ? "" : value);
  if (!is_new) at->second += std::string(", ") + (value == nullptr ? "" : value);
  return MHD_YES;
}
MHD_Result take_parameter(void* to, MHD_ValueKind, const char* name, const char* value) {
  static_cast<Request*>(to)->query.emplace_back(name, value == nullptr ? "" : value);
  return MHD_YES;
}

std::string address_text(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace

int descriptor_of(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

void read_head(MHD_Connection* connection, const char* method, Request& request) {
  request.method = method_of(method);
  MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, &request.headers);
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_parameter, &request);
  request.id = request_id(request.header("x-request-id"));
  if (const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)) {
    request.peer = address_text(info->client_addr);
  }
}

uint64_t announced_bytes(const Request& request) {
  const std::string_view length = request.header("content-length");
  return length.empty() ? 0 : std::strtoull(length.data(), nullptr, 10);
}

bool send(MHD_Connection* connection, const Exchange& exchange, Body body, Streams& streams) {
  const Response& from = exchange.response;
  MHD_Response* out = from.stream != nullptr ? streams.response_of(connection, from.stream)
                                             : MHD_create_response_from_buffer(
                                                   from.body.size(), const_cast<char*>(from.body.data()),
                                                   body == Body::held ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
  if (!from.media_type.empty()) MHD_add_response_header(out, "Content-Type", from.media_type.c_str());
  for (const auto& [name, value] : from.headers) MHD_add_response_header(out, name.c_str(), value.c_str());
  MHD_add_response_header(out, "X-Request-Id", exchange.request.id.c_str());
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(from.status), out);
  MHD_destroy_response(out);
  return queued == MHD_YES;
}

Response refusal(const Request& request, int status, std::string message) {
  Response response{.status = status};
  response.media_type = "application/json";
  response.body = Json({{"message", std::move(message)}, {"code", status}, {"requestId", request.id}}).dump();
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace viaduct::api::rest
