// The REST API inside of this process, over the admin socket of a daemon: whoever may use the tool may do everything.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "api/client/client.hpp"
#include "api/midonet_cli/rest_source.hpp"
#include "api/rest/gateway.hpp"

namespace viaduct::api::midonet_cli {

class GatewaySource final : public RestSource {
 public:
  using Connect = std::function<Result<std::unique_ptr<Client>>()>;

  // `connect` is called for each request. `name`: of the daemon.
  GatewaySource(Connect connect, std::string name, std::chrono::milliseconds timeout);

  Result<rest::Response> answer(const rest::Request& request) override;
  const std::string& root() const override { return options_.root; }
  const std::string& name() const override { return name_; }

 private:
  const std::string name_;
  const rest::GatewayOptions options_;
  std::optional<Failure> unreachable_;  // of the last request
  const rest::Gateway gateway_;
};

}  // namespace viaduct::api::midonet_cli
