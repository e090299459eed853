#include "api/midonet_cli/url_source.hpp"

#include <algorithm>

#include "api/client/value.hpp"
#include "api/rest/fetch.hpp"

namespace viaduct::api::midonet_cli {
namespace {

constexpr size_t kMostAnswered = size_t{256} << 20;

Failure refused(std::string code, std::string message, std::string cure) {
  return {ExitCode::refused, std::move(code), std::move(message), std::move(cure), {}};
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) bits = bits << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0U);
    for (size_t j = 0; j < 4; ++j) out += i + j > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * j) & 63];
  }
  return out;
}

// A header's value cannot hold a line's end: it would begin another header.
bool is_header_text(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

std::string query_of(const rest::Request& request) {
  std::string out;
  for (const auto& [name, value] : request.query)
    out += (out.empty() ? "?" : "&") + rest::encode_segment(name) + "=" + rest::encode_segment(value);
  return out;
}

Failure no_answer(const rest::Fetched& fetched, const std::string& url) {
  const bool late = fetched.error.find("timed out") != std::string::npos;
  return {late ? ExitCode::timeout : ExitCode::unreachable,
          late ? "timeout" : "unreachable",
          "no answer from " + url + ": " + fetched.error,
          "is the URL right, and does the server run?",
          {}};
}

// Of a Token document, or of the cookie, which is all that MidoNet's own client reads.
std::string token_of(const rest::Fetched& fetched) {
  const Json body = Json::parse(fetched.body, nullptr, false);
  if (body.is_object() && body.contains("key") && body["key"].is_string()) return body["key"].get<std::string>();
  auto cookie = fetched.headers.find("set-cookie");
  if (cookie == fetched.headers.end()) return {};
  const std::string text = cookie->second.substr(0, cookie->second.find(';'));
  return text.find('=') == std::string::npos ? std::string() : text.substr(text.find('=') + 1);
}

}  // namespace

Result<std::unique_ptr<UrlSource>> UrlSource::open(UrlOptions options) {
  while (options.url.ends_with('/')) options.url.pop_back();
  const size_t scheme = options.url.find("://");
  const bool known = options.url.starts_with("http://") || options.url.starts_with("https://");
  const bool plain = options.url.find_first_of(" \t\r\n?#") == std::string::npos;
  if (!known || !plain || options.url.size() <= scheme + 3)
    return usage_error("'" + options.url + "' is no URL of a REST API",
                       "give one like http://127.0.0.1:8181/midonet-api");
  const size_t slash = options.url.find('/', scheme + 3);
  std::string root = slash == std::string::npos ? std::string() : options.url.substr(slash);
  for (const std::string* each : {&options.user, &options.password, &options.project, &options.token})
    if (!is_header_text(*each))
      return usage_error("a user, password, project or token may not hold control characters");
  if (options.user.find(':') != std::string::npos)
    return usage_error("user '" + options.user + "' has a colon, which HTTP Basic does not allow");
  return std::unique_ptr<UrlSource>(new UrlSource(std::move(options), std::move(root)));
}

Result<rest::Response> UrlSource::ask(const rest::Request& request) const {
  rest::Fetch wanted{.method = std::string(rest::to_string(request.method)),
                     .url = options_.url + "/" + request.path + query_of(request),
                     .ca_file = options_.ca_file,
                     .timeout = options_.timeout,
                     .max_answer_bytes = kMostAnswered,
                     .certificates = options_.certificates == UrlOptions::Certificates::taken
                                         ? rest::Fetch::Certificates::taken
                                         : rest::Fetch::Certificates::checked};
  wanted.body = request.body;
  for (const auto& [name, value] : request.headers) wanted.headers.emplace_back(name, value);
  if (!options_.token.empty()) wanted.headers.emplace_back("X-Auth-Token", options_.token);
  const rest::Fetched fetched = rest::fetch(wanted);
  if (!fetched.error.empty()) return no_answer(fetched, options_.url);
  rest::Response out{.status = fetched.status, .body = fetched.body};
  for (const auto& [name, value] : fetched.headers) out.headers.emplace_back(name, value);
  return out;
}

Result<Done> UrlSource::log_in() {
  rest::Fetch wanted{.method = "POST",
                     .url = options_.url + "/login",
                     .ca_file = options_.ca_file,
                     .timeout = options_.timeout,
                     .certificates = options_.certificates == UrlOptions::Certificates::taken
                                         ? rest::Fetch::Certificates::taken
                                         : rest::Fetch::Certificates::checked};
  wanted.body = "{}";
  wanted.headers.emplace_back("Authorization", "Basic " + base64(options_.user + ":" + options_.password));
  if (!options_.project.empty()) wanted.headers.emplace_back("X-Auth-Project", options_.project);
  const rest::Fetched fetched = rest::fetch(wanted);
  if (!fetched.error.empty()) return no_answer(fetched, options_.url);
  if (fetched.status != 200) {
    const Json body = Json::parse(fetched.body, nullptr, false);
    std::string why = "status " + std::to_string(fetched.status);
    if (body.is_object() && body.contains("message") && body["message"].is_string())
      why = body["message"].get<std::string>();
    return refused("unauthorized", "user " + options_.user + " cannot log in at " + options_.url + ": " + why,
                   "are the user, the password and the project right?");
  }
  options_.token = token_of(fetched);
  if (options_.token.empty() || !is_header_text(options_.token))
    return refused("protocol", options_.url + " has answered the login without a token",
                   "is it a REST API of MidoNet's?");
  return Done{};
}

Result<rest::Response> UrlSource::answer(const rest::Request& request) {
  const bool logs_in = !options_.user.empty();
  if (logs_in && options_.token.empty()) {
    if (auto done = log_in(); !done) return done.failure();
    return ask(request);
  }
  auto response = ask(request);
  if (!logs_in || !response || response->status != 401) return response;
  if (auto done = log_in(); !done) return done.failure();
  return ask(request);
}

}  // namespace viaduct::api::midonet_cli
