// Answers requests of HTTP: MidoNet's REST API, from the table of resources, by admin requests to a daemon.
//
// Blocking, and without state of its own: any number of threads may call answer(). Everything that it asks of the daemon has
// the request's deadline.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/rest/access.hpp"
#include "api/rest/document.hpp"
#include "api/rest/http.hpp"

namespace viaduct::api::rest {

struct GatewayLinks {
  // A client of the daemon for one request; never shared between threads.
  std::function<Result<std::unique_ptr<Client>>(std::chrono::milliseconds timeout)> connect;
  std::shared_ptr<const Access> access;
  // Of every request that was to change something, and of every login: who, from where, what, and how it ended.
  std::function<void(const Request&, const User&, const Response&)> audit = {};
};

struct GatewayOptions {
  std::string root = "/midonet-api";
  std::chrono::milliseconds timeout{30'000};  // of one request; MidoNet: cluster.rest_api.request_timeout
};

class Gateway {
 public:
  explicit Gateway(GatewayLinks links, GatewayOptions options = {})
      : links_(std::move(links)), options_(std::move(options)) {}

  Response answer(const Request& request) const;

 private:
  Result<Response> route(const Request& request, User& user) const;
  Result<Response> log_in(const Request& request, User& user) const;

  const GatewayLinks links_;
  const GatewayOptions options_;
};

}  // namespace viaduct::api::rest
