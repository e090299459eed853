// Answers requests of HTTP: MidoNet's REST API, from the table of resources, by admin requests to a daemon.
//
// Blocking: any number of threads may call answer(). Everything that it asks of the daemon has the request's deadline. Its only
// state is who has asked how often.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/rest/access.hpp"
#include "api/rest/document.hpp"
#include "api/rest/event_feed.hpp"
#include "api/rest/http.hpp"
#include "api/rest/rate_limit.hpp"

namespace viaduct::api::rest {

struct GatewayLinks {
  // A client of the daemon for one request; never shared between threads.
  std::function<Result<std::unique_ptr<Client>>(std::chrono::milliseconds timeout)> connect;
  std::shared_ptr<const Access> access;
  // Of every request that was to change something, and of every login: who, from where, what, and how it ended.
  std::function<void(const Request&, const User&, const Response&)> audit = {};
  // A request beyond the limit: of a user ("rate_user"), of an address that is not known ("rate_address").
  std::function<void(std::string_view reason)> refused = {};
  std::shared_ptr<EventFeed> events = {};  // null: nobody can watch
};

struct GatewayOptions {
  std::string root = "/midonet-api";
  std::chrono::milliseconds timeout{30'000};  // of one request; MidoNet: cluster.rest_api.request_timeout
  RateOptions rate = {};
};

class Gateway {
 public:
  explicit Gateway(GatewayLinks links, GatewayOptions options = {})
      : links_(std::move(links)), options_(std::move(options)), limits_(options_.rate) {}

  Response answer(const Request& request) const;

 private:
  struct Asked {
    User user = {};
    RateLimits::Grant grant = {};
  };
  Result<Response> route(const Request& request, Asked& asked) const;
  Result<Response> watch(const Request& request, const User& user) const;
  Result<Response> log_in(const Request& request, User& user) const;
  Result<Done> count(const Request& request, const User* known, Asked& asked) const;

  const GatewayLinks links_;
  const GatewayOptions options_;
  mutable RateLimits limits_;
};

}  // namespace viaduct::api::rest
