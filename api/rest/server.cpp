#include "api/rest/server.hpp"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <unordered_map>

#include "api/rest/problem.hpp"
#include "api/rest/worker_pool.hpp"

namespace viaduct::api::rest {
namespace {

using Clock = std::chrono::steady_clock;

// A body that is too big is read to its end, so that the client hears why it is refused; not one that is so many times as big.
constexpr uint64_t kMostDiscarded = 16;

Method method_of(std::string_view name) {
  if (name == "GET" || name == "HEAD") return Method::get;
  if (name == "POST") return Method::post;
  if (name == "PUT") return Method::put;
  if (name == "DELETE") return Method::remove;
  if (name == "OPTIONS") return Method::options;
  return Method::other;
}

// One request from its first line to its answer. libmicrohttpd holds it for its connection, and one of its threads or one
// worker touches it at a time.
struct Exchange {
  Request request;
  bool begun = false;     // its header has been read
  bool refused = false;   // and is answered already
  bool too_big = false;   // its body is read, and thrown away
  uint64_t received = 0;  // bytes of the body
  Clock::time_point arrived;
  Response response;
  bool answered = false;
};

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

struct Server::Parts {
  Parts(Handler to_handle, ServerEvents to_tell, ServerOptions given)
      : handler(std::move(to_handle)),
        events(std::move(to_tell)),
        options(std::move(given)),
        pool(options.workers, options.max_waiting) {}

  const Handler handler;
  const ServerEvents events;
  const ServerOptions options;
  WorkerPool pool;
  MHD_Daemon* daemon = nullptr;
  // Connections that are to send a request, since when.
  std::mutex arrivals_mutex;
  std::unordered_map<int, Clock::time_point> arrivals;
  std::condition_variable stopping;
  bool stopped = false;
  std::thread sweeper;

  void refuse(std::string_view reason) const {
    if (events.refused) events.refused(reason);
  }
  void expect(int fd) {
    std::lock_guard lock(arrivals_mutex);
    arrivals[fd] = Clock::now();
  }
  void forget(int fd) {
    std::lock_guard lock(arrivals_mutex);
    arrivals.erase(fd);
  }
  bool is_expected(int fd) {
    std::lock_guard lock(arrivals_mutex);
    return arrivals.contains(fd);
  }
  void sweep();
  MHD_Result read(MHD_Connection* connection, const char* method, const char* data, size_t* size, Exchange& exchange);
  MHD_Result reply(MHD_Connection* connection, const Exchange& exchange, MHD_ResponseMemoryMode memory) const;
  MHD_Result reply_at_once(MHD_Connection* connection, Exchange& exchange, int status, std::string_view reason,
                           std::string message);
};

namespace {

int descriptor_of(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

}  // namespace

// Whoever sends a byte now and then is never idle, and never done.
void Server::Parts::sweep() {
  std::unique_lock lock(arrivals_mutex);
  while (!stopping.wait_for(lock, std::chrono::seconds(1), [this] { return stopped; })) {
    const auto oldest = Clock::now() - options.arrival_timeout;
    for (auto at = arrivals.begin(); at != arrivals.end();) {
      if (at->second > oldest) {
        ++at;
        continue;
      }
      ::shutdown(at->first, SHUT_RDWR);  // its loop sees the end, and closes
      refuse("too_slow");
      at = arrivals.erase(at);
    }
  }
}

MHD_Result Server::Parts::reply(MHD_Connection* connection, const Exchange& exchange,
                                MHD_ResponseMemoryMode memory) const {
  const Response& from = exchange.response;
  MHD_Response* out = MHD_create_response_from_buffer(from.body.size(), const_cast<char*>(from.body.data()), memory);
  if (!from.media_type.empty()) MHD_add_response_header(out, "Content-Type", from.media_type.c_str());
  for (const auto& [name, value] : from.headers) MHD_add_response_header(out, name.c_str(), value.c_str());
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(from.status), out);
  MHD_destroy_response(out);
  return queued;
}

MHD_Result Server::Parts::reply_at_once(MHD_Connection* connection, Exchange& exchange, int status,
                                        std::string_view reason, std::string message) {
  refuse(reason);
  exchange.refused = true;
  exchange.response.status = status;
  exchange.response.media_type = "application/json";
  exchange.response.body = Json({{"message", std::move(message)}, {"code", status}}).dump();
  if (status == 503) exchange.response.headers.emplace_back("Retry-After", "1");
  return reply(connection, exchange, MHD_RESPMEM_MUST_COPY);
}

MHD_Result Server::Parts::read(MHD_Connection* connection, const char* method, const char* data, size_t* size,
                               Exchange& exchange) {
  Request& request = exchange.request;
  if (!exchange.begun) {
    exchange.begun = true;
    request.method = method_of(method);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, &request.headers);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_parameter, &request);
    request.encrypted = !options.certificate.empty();
    if (const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)) {
      request.peer = address_text(info->client_addr);
    }
    const std::string_view length = request.header("content-length");
    const uint64_t announced = length.empty() ? 0 : std::strtoull(length.data(), nullptr, 10);
    exchange.too_big = announced > options.max_body_bytes;
    if (announced > kMostDiscarded * options.max_body_bytes) {
      return reply_at_once(connection, exchange, 413, "too_big",
                           "the body is larger than " + std::to_string(options.max_body_bytes) + " bytes");
    }
    return MHD_YES;
  }
  if (exchange.refused) {
    *size = 0;
    return MHD_YES;
  }
  if (*size > 0) {
    exchange.received += *size;
    exchange.too_big = exchange.too_big || exchange.received > options.max_body_bytes;
    if (exchange.received > kMostDiscarded * options.max_body_bytes) {
      refuse("too_big");
      return MHD_NO;  // chunked: there was no length to refuse by
    }
    if (exchange.too_big) {
      request.body.clear();
    } else {
      request.body.append(data, *size);
    }
    *size = 0;
    return MHD_YES;
  }
  if (exchange.too_big) {
    return reply_at_once(connection, exchange, 413, "too_big",
                         "the body is larger than " + std::to_string(options.max_body_bytes) + " bytes");
  }
  if (exchange.answered) return reply(connection, exchange, MHD_RESPMEM_PERSISTENT);
  exchange.arrived = Clock::now();
  forget(descriptor_of(connection));
  MHD_suspend_connection(connection);
  const bool taken = pool.submit([this, connection, &exchange] {
    exchange.response = handler(exchange.request);
    if (events.answered) events.answered(exchange.request, exchange.response, Clock::now() - exchange.arrived);
    exchange.answered = true;
    MHD_resume_connection(connection);
  });
  if (taken) return MHD_YES;
  exchange.answered = true;
  refuse("busy");
  exchange.response.status = 503;
  exchange.response.media_type = "application/json";
  exchange.response.headers = {{"Retry-After", "1"}};
  exchange.response.body = R"({"message":"too many requests wait already; try again in a moment","code":503})";
  MHD_resume_connection(connection);
  return MHD_YES;
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::Started Server::start(Handler handler, ServerEvents events, const ServerOptions& options) {
  auto parts = std::make_unique<Parts>(std::move(handler), std::move(events), options);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(options.address.c_str(), std::to_string(options.port).c_str(), &hints, &found) != 0) {
    return {nullptr, options.address + " is no address of IPv4 or IPv6"};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> address(found, freeaddrinfo);
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
  if (address->ai_family == AF_INET6) flags |= MHD_USE_IPv6;
  std::vector<MHD_OptionItem> more = {
      {MHD_OPTION_SOCK_ADDR, 0, address->ai_addr},
      {MHD_OPTION_CONNECTION_LIMIT, options.max_connections, nullptr},
      {MHD_OPTION_PER_IP_CONNECTION_LIMIT, options.max_connections_of_address, nullptr},
      {MHD_OPTION_CONNECTION_TIMEOUT, static_cast<intptr_t>(options.idle_timeout.count()), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<intptr_t>(options.max_header_bytes), nullptr},
      {MHD_OPTION_THREAD_POOL_SIZE, 2, nullptr},
      {MHD_OPTION_LISTENING_ADDRESS_REUSE, 1, nullptr}};
  if (!options.certificate.empty()) {
    flags |= MHD_USE_TLS;
    more.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(parts->options.certificate.c_str())});
    more.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(parts->options.key.c_str())});
  }
  more.push_back({MHD_OPTION_END, 0, nullptr});

  auto handle = [](void* self, MHD_Connection* connection, const char*, const char* method, const char*,
                   const char* data, size_t* size, void** exchange) -> MHD_Result {
    return static_cast<Parts*>(self)->read(connection, method, data, size, *static_cast<Exchange*>(*exchange));
  };
  // The path as it was sent: libmicrohttpd would hand over one that is decoded as a whole.
  auto first_line = [](void*, const char* uri, MHD_Connection*) -> void* {
    auto exchange = std::make_unique<Exchange>();
    exchange->request.path.assign(uri, std::strcspn(uri, "?"));
    return exchange.release();
  };
  auto completed = [](void* self, MHD_Connection* connection, void** exchange, MHD_RequestTerminationCode code) {
    const std::unique_ptr<Exchange> ended(static_cast<Exchange*>(*exchange));
    *exchange = nullptr;
    auto* parts_of = static_cast<Parts*>(self);
    const bool swept = !parts_of->is_expected(descriptor_of(connection));
    const bool unheard =
        ended != nullptr && !ended->begun && !swept;  // libmicrohttpd has answered by itself, if at all
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK) parts_of->expect(descriptor_of(connection));
    if (code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED) {
      parts_of->refuse("too_slow");
    } else if (unheard) {
      parts_of->refuse("bad_request");
    }
  };
  auto connected = [](void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode code) {
    auto* parts_of = static_cast<Parts*>(self);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      parts_of->expect(descriptor_of(connection));
    } else {
      parts_of->forget(descriptor_of(connection));
    }
  };
  using UriLog = void* (*)(void*, const char*, MHD_Connection*);
  parts->daemon = MHD_start_daemon(
      flags, options.port, nullptr, nullptr, static_cast<MHD_AccessHandlerCallback>(handle), parts.get(),
      MHD_OPTION_URI_LOG_CALLBACK, static_cast<UriLog>(first_line), nullptr, MHD_OPTION_NOTIFY_COMPLETED,
      static_cast<MHD_RequestCompletedCallback>(completed), parts.get(), MHD_OPTION_NOTIFY_CONNECTION,
      static_cast<MHD_NotifyConnectionCallback>(connected), parts.get(), MHD_OPTION_ARRAY, more.data(), MHD_OPTION_END);
  if (parts->daemon == nullptr) {
    return {nullptr, "cannot listen on " + options.address + " port " + std::to_string(options.port) + " (" +
                         std::strerror(errno) + "): is the port in use, or the certificate none that fits the key?"};
  }
  parts->sweeper = std::thread([all = parts.get()] { all->sweep(); });
  return {std::unique_ptr<Server>(new Server(std::move(parts))), {}};
}

Server::~Server() {
  const MHD_socket listener = MHD_quiesce_daemon(parts_->daemon);
  parts_->pool.finish();  // every connection that was suspended has been resumed
  {
    std::lock_guard lock(parts_->arrivals_mutex);
    parts_->stopped = true;
  }
  parts_->stopping.notify_all();
  parts_->sweeper.join();
  MHD_stop_daemon(parts_->daemon);
  if (listener != MHD_INVALID_SOCKET) ::close(listener);
}

uint16_t Server::port() const {
  const MHD_DaemonInfo* info = MHD_get_daemon_info(parts_->daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info == nullptr ? 0 : info->port;
}

}  // namespace viaduct::api::rest
