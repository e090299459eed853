#include "api/web/console.hpp"

#include <algorithm>

#include "api/rest/compression.hpp"
#include "api/rest/etag.hpp"

namespace viaduct::api::web {
namespace {

using rest::Method;
using rest::Request;
using rest::Response;

constexpr std::string_view kRoot = "/console/";
constexpr std::string_view kFirst = "index.html";

// What the page may do: run and show what comes from here, and ask this server. No text becomes markup or a program
// (Trusted Types), no other page frames it.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

void protect(Response& response) {
  auto& headers = response.headers;
  headers.emplace_back("Content-Security-Policy", kPolicy);
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  headers.emplace_back("Referrer-Policy", "no-referrer");
  headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
}

Response plain(int status, std::string text) {
  Response response{.status = status};
  response.body = std::move(text) + "\n";
  response.media_type = "text/plain; charset=utf-8";
  return response;
}

// RFC 9110, 13.1.2: a list of tags, compared weakly, or "*".
bool holds(std::string_view header, std::string_view etag) {
  while (!header.empty()) {
    std::string_view tag = header.substr(0, header.find(','));
    header.remove_prefix(std::min(tag.size() + 1, header.size()));
    while (!tag.empty() && tag.front() == ' ') tag.remove_prefix(1);
    while (!tag.empty() && tag.back() == ' ') tag.remove_suffix(1);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == "*" || tag == etag || tag == rest::compressed_etag(etag)) return true;
  }
  return false;
}

Response file_answer(const Request& request, const PageFile& file) {
  Response response;
  response.headers = {{"ETag", std::string(file.etag)}, {"Cache-Control", "no-cache"}};
  if (holds(request.header("if-none-match"), file.etag)) {
    response.status = 304;
  } else {
    response.body = file.content;
    response.media_type = file.media_type;
  }
  rest::compress(request, response);
  return response;
}

Response route(const Request& request) {
  if (request.method != Method::get) {
    Response refused = plain(405, "The console is only read: GET or HEAD.");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return refused;
  }
  // Relative, for proxies that serve this below a path of theirs.
  if (!request.path.starts_with(kRoot)) {
    Response elsewhere = plain(302, "The console is at console/.");
    elsewhere.headers.emplace_back("Location", kRoot.substr(1));
    return elsewhere;
  }
  std::string_view name = std::string_view(request.path).substr(kRoot.size());
  if (name.empty()) name = kFirst;
  const auto files = page_files();
  const auto file = std::ranges::find(files, name, &PageFile::name);
  if (file == files.end()) return plain(404, "The console has no such file; its page is console/.");
  return file_answer(request, *file);
}

}  // namespace

bool is_console(std::string_view path) {
  return path == "/" || path == kRoot.substr(0, kRoot.size() - 1) || path.starts_with(kRoot);
}

Response answer(const Request& request) {
  Response response = route(request);
  protect(response);
  return response;
}

}  // namespace viaduct::api::web
