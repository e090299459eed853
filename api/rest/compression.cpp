#include "api/rest/compression.hpp"

#include <strings.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>

#include "api/rest/etag.hpp"

namespace viaduct::api::rest {
namespace {

constexpr int kLevel = 4;             // JSON is a fifth of its size with it, and a third more work gains little
constexpr int kWindowBits = 15 + 16;  // 16: gzip instead of zlib
constexpr int kMemoryLevel = 8;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is(std::string_view text, std::string_view word) {
  return text.size() == word.size() && strncasecmp(text.data(), word.data(), word.size()) == 0;
}

// "gzip;q=0.5" of 0 to 1; what makes no sense is 0, so that nobody gets what they may not understand.
double weight_of(std::string_view parameters) {
  const size_t equals = parameters.find('=');
  if (parameters.empty()) return 1;
  if (equals == parameters.npos || !is(trimmed(parameters.substr(0, equals)), "q")) return 0;
  const std::string number(trimmed(parameters.substr(equals + 1)));
  char* end = nullptr;
  const double weight = std::strtod(number.c_str(), &end);
  return end != number.c_str() && *end == '\0' && weight >= 0 && weight <= 1 ? weight : 0;
}

}  // namespace

bool prefers_gzip(std::string_view accept_encoding) {
  std::optional<double> gzip, identity, others;
  while (!accept_encoding.empty()) {
    const std::string_view entry = accept_encoding.substr(0, accept_encoding.find(','));
    accept_encoding.remove_prefix(std::min(entry.size() + 1, accept_encoding.size()));
    const size_t semicolon = std::min(entry.find(';'), entry.size());
    const std::string_view coding = trimmed(entry.substr(0, semicolon));
    const double weight = weight_of(trimmed(entry.substr(std::min(semicolon + 1, entry.size()))));
    if (is(coding, "gzip") || is(coding, "x-gzip")) gzip = weight;
    if (is(coding, "identity")) identity = weight;
    if (coding == "*") others = weight;
  }
  const double wanted = gzip ? *gzip : others.value_or(0);
  return wanted > 0 && wanted >= identity.value_or(0);
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, deflateEnd);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("zlib does not compress");
  out.resize(stream.total_out);
  return out;
}

void compress(const Request& request, Response& response) {
  const bool unchanged = response.status == 304;
  if (response.body.empty() && !unchanged) return;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (!prefers_gzip(request.header("accept-encoding"))) return;
  if (!unchanged) {
    const bool fits = response.body.size() >= kLeastCompressed && response.body.size() < UINT32_MAX;
    if (!fits) return;
    response.body = gzip(response.body);
    response.headers.emplace_back("Content-Encoding", "gzip");
  }
  for (auto& [name, value] : response.headers) {
    if (name != "ETag") continue;
    const std::string compressed = compressed_etag(value);
    const bool held = request.header("if-none-match").find(compressed) != std::string_view::npos;
    if (!unchanged || held) value = compressed;  // of what the client holds it is still the tag
  }
}

Result<Done> check_content_encoding(const Request& request) {
  const std::string_view coding = request.header("content-encoding");
  if (coding.empty() || is(trimmed(coding), "identity")) return Done{};
  return Failure{ExitCode::refused,
                 "content_coding",
                 "a body with the coding " + std::string(coding) + " is not taken",
                 "send it as it is, without Content-Encoding",
                 {}};
}

}  // namespace viaduct::api::rest
