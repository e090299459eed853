#include "topology/store/etcd/options.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

namespace viaduct::topology::store {
namespace {

constexpr size_t kMaxNamespaceBytes = 128;

Error bad_option(std::string text) { return {ErrorCode::invalid, "etcd: " + std::move(text)}; }

bool is_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

// "host:port" or "[address]:port".
bool is_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || !is_port(text.substr(colon + 1))) return false;
  const std::string_view host = text.substr(0, colon);
  if (host.front() == '[') return host.size() > 2 && host.back() == ']';
  return host.find_first_of(":/ ") == std::string_view::npos;
}

bool is_namespace(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNamespaceBytes && text.back() != '/' &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<std::string> read_pem(const std::filesystem::path& path, std::string_view holds) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return bad_option("the file " + path.string() + " cannot be read: " + std::strerror(errno));
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad() || text.find(holds) == std::string::npos) {
    return bad_option("the file " + path.string() + " holds no '" + std::string(holds) + "'; a PEM file is needed");
  }
  return text;
}

}  // namespace

std::optional<Error> validate(const EtcdOptions& options) {
  if (options.endpoints.empty()) return bad_option("no endpoint is given");
  for (const std::string& endpoint : options.endpoints) {
    if (is_endpoint(endpoint)) continue;
    return bad_option("the endpoint '" + endpoint + "' is not 'host:port' or '[address]:port', without a scheme");
  }
  if (!is_namespace(options.name_space)) {
    return bad_option("the namespace '" + options.name_space + "' must be 1 to " + std::to_string(kMaxNamespaceBytes) +
                      " visible ASCII characters, without a slash at its end");
  }
  if (options.user.empty() != options.password.empty())
    return bad_option("user and password are given both or neither");
  if (options.tls && options.tls->certificate.empty() != options.tls->key.empty()) {
    return bad_option("the client's certificate and its key are given both or neither");
  }
  for (const auto time : {options.connect_timeout, options.attempt_timeout, options.call_timeout,
                          options.keepalive_interval, options.keepalive_timeout}) {
    if (time <= time.zero() || time > std::chrono::hours(1)) {
      return bad_option("a time-out of " + std::to_string(time.count()) + " ms is not between 1 ms and one hour");
    }
  }
  return std::nullopt;
}

namespace etcd {

Result<std::shared_ptr<grpc::ChannelCredentials>> credentials_of(const EtcdOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  const auto load = [](const std::filesystem::path& path, std::string_view holds,
                       std::string& into) -> std::optional<Error> {
    auto text = read_pem(path, holds);
    if (!text) return text.error();
    into = std::move(*text);
    return std::nullopt;
  };
  if (auto error = load(options.tls->authority, "BEGIN CERTIFICATE", ssl.pem_root_certs)) return *error;
  if (!options.tls->certificate.empty()) {
    if (auto error = load(options.tls->certificate, "BEGIN CERTIFICATE", ssl.pem_cert_chain)) return *error;
    if (auto error = load(options.tls->key, "PRIVATE KEY", ssl.pem_private_key)) return *error;
  }
  return grpc::SslCredentials(ssl);
}

}  // namespace etcd
}  // namespace viaduct::topology::store
