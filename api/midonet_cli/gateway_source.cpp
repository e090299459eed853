#include "api/midonet_cli/gateway_source.hpp"

namespace viaduct::api::midonet_cli {

GatewaySource::GatewaySource(Connect connect, std::string name, std::chrono::milliseconds timeout)
    : name_(std::move(name)),
      options_{.timeout = timeout},
      gateway_({.connect =
                    [this, connect = std::move(connect)](std::chrono::milliseconds) -> Result<std::unique_ptr<Client>> {
                  auto client = connect();
                  if (!client) unreachable_ = client.failure();
                  return client;
                },
                .access = std::make_shared<rest::OpenAccess>()},
               options_) {}

Result<rest::Response> GatewaySource::answer(const rest::Request& request) {
  unreachable_.reset();
  rest::Request inside = request;
  inside.path = options_.root + "/" + request.path;
  rest::Response response = gateway_.answer(inside);
  if (unreachable_) return *unreachable_;
  return response;
}

}  // namespace viaduct::api::midonet_cli
