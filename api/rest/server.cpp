#include "api/rest/server.hpp"

#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "api/rest/arrivals.hpp"
#include "api/rest/exchange.hpp"
#include "api/rest/worker_pool.hpp"

namespace viaduct::api::rest {
namespace {

using Clock = std::chrono::steady_clock;

// A body that is too big is read to its end, so that the client hears why it is refused; not one that is so many times as big.
constexpr uint64_t kMostDiscarded = 16;

MHD_Result result_of(bool done) { return done ? MHD_YES : MHD_NO; }

}  // namespace

struct Server::Parts {
  Parts(Handler to_handle, ServerEvents to_tell, ServerOptions given)
      : handler(std::move(to_handle)),
        events(std::move(to_tell)),
        options(std::move(given)),
        pool(options.workers, options.max_waiting),
        arrivals(options.arrival_timeout, [this] { refuse("too_slow"); }) {}

  const Handler handler;
  const ServerEvents events;
  const ServerOptions options;
  WorkerPool pool;
  Arrivals arrivals;
  Streams streams;
  MHD_Daemon* daemon = nullptr;

  void refuse(std::string_view reason) const {
    if (events.refused) events.refused(reason);
  }
  MHD_Result read(MHD_Connection* connection, const char* method, const char* data, size_t* size, Exchange& exchange);
  MHD_Result begin(MHD_Connection* connection, const char* method, Exchange& exchange);
  MHD_Result take_bytes(std::string_view bytes, Exchange& exchange) const;
  MHD_Result refuse_size(MHD_Connection* connection, Exchange& exchange);
  MHD_Result hand_over(MHD_Connection* connection, Exchange& exchange);
};

MHD_Result Server::Parts::refuse_size(MHD_Connection* connection, Exchange& exchange) {
  refuse("too_big");
  exchange.refused = true;
  exchange.response =
      refusal(exchange.request, 413, "the body is larger than " + std::to_string(options.max_body_bytes) + " bytes");
  return result_of(send(connection, exchange, Body::copied, streams));
}

MHD_Result Server::Parts::begin(MHD_Connection* connection, const char* method, Exchange& exchange) {
  exchange.begun = true;
  read_head(connection, method, exchange.request);
  exchange.request.encrypted = !options.certificate.empty();
  const uint64_t announced = announced_bytes(exchange.request);
  exchange.too_big = announced > options.max_body_bytes;
  return announced > kMostDiscarded * options.max_body_bytes ? refuse_size(connection, exchange) : MHD_YES;
}

MHD_Result Server::Parts::take_bytes(std::string_view bytes, Exchange& exchange) const {
  exchange.received += bytes.size();
  exchange.too_big = exchange.too_big || exchange.received > options.max_body_bytes;
  if (exchange.received > kMostDiscarded * options.max_body_bytes) {
    refuse("too_big");
    return MHD_NO;  // chunked: there was no length to refuse by
  }
  if (exchange.too_big) {
    exchange.request.body.clear();
  } else {
    exchange.request.body.append(bytes);
  }
  return MHD_YES;
}

// To a worker; the connection rests until it has an answer.
MHD_Result Server::Parts::hand_over(MHD_Connection* connection, Exchange& exchange) {
  exchange.arrived = Clock::now();
  arrivals.forget(descriptor_of(connection));
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
  exchange.response = refusal(exchange.request, 503, "too many requests wait already; try again in a moment");
  MHD_resume_connection(connection);
  return MHD_YES;
}

// Called with the header, then with each piece of the body, then with nothing; and again once it is answered.
MHD_Result Server::Parts::read(MHD_Connection* connection, const char* method, const char* data, size_t* size,
                               Exchange& exchange) {
  if (!exchange.begun) return begin(connection, method, exchange);
  const std::string_view bytes(data, *size);
  *size = 0;
  if (exchange.refused) return MHD_YES;
  if (!bytes.empty()) return take_bytes(bytes, exchange);
  if (exchange.too_big) return refuse_size(connection, exchange);
  if (exchange.answered) return result_of(send(connection, exchange, Body::held, streams));
  return hand_over(connection, exchange);
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
    const bool swept = !parts_of->arrivals.is_expected(descriptor_of(connection));
    const bool unheard =
        ended != nullptr && !ended->begun && !swept;  // libmicrohttpd has answered by itself, if at all
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK) parts_of->arrivals.expect(descriptor_of(connection));
    if (code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED) {
      parts_of->refuse("too_slow");
    } else if (unheard) {
      parts_of->refuse("bad_request");
    }
  };
  auto connected = [](void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode code) {
    auto* parts_of = static_cast<Parts*>(self);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      parts_of->arrivals.expect(descriptor_of(connection));
    } else {
      parts_of->arrivals.forget(descriptor_of(connection));
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
  parts->arrivals.start();
  return {std::unique_ptr<Server>(new Server(std::move(parts))), {}};
}

Server::~Server() {
  const MHD_socket listener = MHD_quiesce_daemon(parts_->daemon);
  parts_->pool.finish();     // every connection that was suspended has been resumed,
  parts_->streams.finish();  // those of streams, too
  parts_->arrivals.finish();
  MHD_stop_daemon(parts_->daemon);
  if (listener != MHD_INVALID_SOCKET) ::close(listener);
}

uint16_t Server::port() const {
  const MHD_DaemonInfo* info = MHD_get_daemon_info(parts_->daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info == nullptr ? 0 : info->port;
}

}  // namespace viaduct::api::rest
