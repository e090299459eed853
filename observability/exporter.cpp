#include "observability/exporter.hpp"

#include <arpa/inet.h>
#include <civetweb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "observability/text_format.hpp"

namespace viaduct::observability {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  bool parse(const std::string& address, uint16_t port) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      size = sizeof *v4;
    } else if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      size = sizeof *v6;
    }
    return size != 0;
  }
};

// The HTTP library only says that it failed; asking the kernel for the same tells why.
std::string why_not_bound(const SocketAddress& address) {
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::generic_category().message(errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int error = 0;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 || listen(fd, 1) != 0) {
    error = errno;
  }
  close(fd);
  if (error == EADDRINUSE) return "another process uses it already; choose another metrics port, or 0 for any free one";
  if (error == EADDRNOTAVAIL) return "this host does not have that address";
  if (error == EACCES) return "ports below 1024 need privileges";
  return error != 0 ? std::generic_category().message(error) : "the HTTP server did not start";
}

void knock(const SocketAddress& address) {
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  // Refused or under way: either is as good, the caller tries again.
  [[maybe_unused]] const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  close(fd);
}

std::string bracketed(const ExporterOptions& options, uint16_t port) {
  const bool v6 = options.address.find(':') != std::string::npos;
  return (v6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(port);
}

}  // namespace

struct Exporter::Server {
  const Registry& registry;
  Histogram& scrapes;
  ExporterOptions options;
  mg_context* http = nullptr;
  uint16_t port = 0;

  Server(Registry& counted, const ExporterOptions& wanted)
      : registry(counted),
        scrapes(counted.histogram("viaduct_scrape_seconds", "Gathering and writing down all metrics for one scrape.")),
        options(wanted) {
    mg_init_library(MG_FEATURES_DEFAULT);
    const std::string listen = bracketed(wanted, wanted.port);
    const char* settings[] = {"listening_ports",   listen.c_str(), "num_threads", "2", "request_timeout_ms", "5000",
                              "enable_keep_alive", "no",           nullptr};
    const mg_callbacks callbacks{};
    http = mg_start(&callbacks, nullptr, settings);
    if (http == nullptr) return;
    mg_server_port bound{};
    if (mg_get_server_ports(http, 1, &bound) == 1) port = static_cast<uint16_t>(bound.port);
    mg_set_request_handler(http, "/metrics$", answer, this);
  }

  // Returns the status. Everything else than /metrics is the library's 404.
  static int answer(mg_connection* connection, void* self) {
    const std::string_view method = mg_get_request_info(connection)->request_method;
    if (method != "GET" && method != "HEAD") {
      mg_printf(connection, "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nContent-Length: 0\r\n\r\n");
      return 405;
    }
    const auto& server = *static_cast<const Server*>(self);
    const auto begin = std::chrono::steady_clock::now();
    const std::string text = to_text(server.registry.collect());
    server.scrapes.observe(std::chrono::steady_clock::now() - begin);
    mg_printf(connection, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
              kTextFormat.data(), text.size());
    if (method == "GET") mg_write(connection, text.data(), text.size());
    return 200;
  }

  // The HTTP server looks for its end only every two seconds, or when somebody connects.
  ~Server() {
    if (http != nullptr) stop();
    mg_exit_library();
  }
  void stop() {
    const std::jthread waker([this](const std::stop_token& stop) {
      SocketAddress own;
      own.parse(options.address, port);
      while (!stop.stop_requested()) {
        knock(own);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
    mg_stop(http);
  }
};

Exporter::Exporter(std::unique_ptr<Server> server) : server_(std::move(server)) {}
Exporter::~Exporter() = default;

ExporterStart Exporter::start(Registry& registry, const ExporterOptions& options) {
  SocketAddress address;
  if (!address.parse(options.address, options.port)) {
    return {nullptr, "metrics address '" + options.address + "' is neither an IPv4 nor an IPv6 address"};
  }
  auto server = std::make_unique<Server>(registry, options);
  if (server->http == nullptr || server->port == 0) {
    return {nullptr, "cannot serve metrics at " + bracketed(options, options.port) + ": " + why_not_bound(address)};
  }
  return {std::unique_ptr<Exporter>(new Exporter(std::move(server))), {}};
}

uint16_t Exporter::port() const { return server_->port; }
std::string Exporter::url() const { return "http://" + bracketed(server_->options, server_->port) + "/metrics"; }

}  // namespace viaduct::observability
