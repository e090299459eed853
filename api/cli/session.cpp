#include "api/cli/session.hpp"

#include "api/cli/output.hpp"
#include "api/client/token.hpp"

namespace viaduct::api::cli {

std::string Session::setting(const std::string& given, const char* variable, const char* otherwise) const {
  if (!given.empty()) return given;
  auto value = environment_.variable(variable);
  return value && !value->empty() ? *value : otherwise;
}

std::string Session::token_file() const {
  return setting(settings_.token_file, "VIADUCT_TOKEN_FILE", kDefaultTokenFile);
}

Result<ClientOptions> Session::client_options() const {
  ClientOptions options;
  auto endpoint = Endpoint::parse(address());
  if (!endpoint) return endpoint.failure();
  options.endpoint = *endpoint;
  options.token_file = token_file();
  options.timeout = std::chrono::milliseconds(static_cast<int64_t>(settings_.timeout_seconds * 1000));
  return options;
}

std::string Session::address() const { return setting(settings_.address, "VIADUCT_ADDRESS", kDefaultAddress); }

Result<std::unique_ptr<Client>> Session::another_client() const {
  auto options = client_options();
  if (!options) return options.failure();
  return Client::open(*options);
}

Result<Client*> Session::client() {
  if (!client_) {
    auto client = another_client();
    if (!client) return client.failure();
    client_ = std::move(*client);
    auto user = environment_.variable("SUDO_USER");
    if (!user) user = environment_.variable("USER");
    if (!user) user = environment_.variable("LOGNAME");
    client_->set_cause(request_, user.value_or(""));
  }
  return client_.get();
}

Result<Directory*> Session::directory() {
  auto connected = client();
  if (!connected) return connected.failure();
  if (!directory_) directory_ = std::make_unique<Directory>(**connected);
  return directory_.get();
}

void Session::disconnect() {
  directory_.reset();
  client_.reset();
}

void Session::print(const Json& json) { out() << dump(json) << '\n'; }

}  // namespace viaduct::api::cli
