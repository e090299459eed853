// gzip, and the tags of what is compressed.
#include "api/rest/compression.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "api/rest/etag.hpp"

namespace viaduct::api::rest {
namespace {

std::string unpacked(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

std::string header_of(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

Response compressed(const std::string& accepts, std::string body, int status = 200, Headers more = {}) {
  more["accept-encoding"] = accepts;
  Request request{.method = Method::get, .path = "/", .headers = std::move(more)};
  Response response{.status = status, .headers = {{"ETag", "\"42\""}}, .body = std::move(body)};
  compress(request, response);
  return response;
}

TEST(RestCompression, WeightsDecide) {
  for (const char* yes : {"gzip", "GZIP", "x-gzip", "deflate, gzip", "*", "gzip;q=0.1", "identity;q=0.5, gzip;q=0.5",
                          "br;q=1.0, gzip ; q=0.8, *;q=0.1", "identity;q=0, *"}) {
    EXPECT_TRUE(prefers_gzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "*, gzip;q=0",
                         "identity;q=1, gzip;q=0.5", "gzip;q=x", "gzip;q=2", "gzip;level=9", "notgzip", ",;,"}) {
    EXPECT_FALSE(prefers_gzip(no)) << no;
  }
}

TEST(RestCompression, WhatIsPackedComesBack) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5'000}, size_t{900'000}}) {
    std::string text;
    for (size_t i = 0; text.size() < size; ++i) text += std::to_string(i * 2'654'435'761U);
    text.resize(size);
    EXPECT_EQ(unpacked(gzip(text)), text);
  }
}

TEST(RestCompression, LargeBodiesForWhoWantsThem) {
  const std::string large(kLeastCompressed, 'x'), small(kLeastCompressed - 1, 'x');
  const Response packed = compressed("gzip", large);
  EXPECT_EQ(unpacked(packed.body), large);
  EXPECT_EQ(header_of(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(header_of(packed, "ETag"), "\"42-gzip\"");
  for (const Response& plain : {compressed("", large), compressed("gzip", small), compressed("gzip;q=0", large)}) {
    EXPECT_EQ(header_of(plain, "Content-Encoding"), "");
    EXPECT_EQ(header_of(plain, "ETag"), "\"42\"");
    EXPECT_EQ(header_of(plain, "Vary"), "Accept-Encoding");
  }
}

TEST(RestCompression, WhatHasNotChangedKeepsTheTagThatTheClientHas) {
  EXPECT_EQ(header_of(compressed("gzip", "", 304, {{"if-none-match", "\"42-gzip\""}}), "ETag"), "\"42-gzip\"");
  EXPECT_EQ(header_of(compressed("gzip", "", 304, {{"if-none-match", "\"42\""}}), "ETag"), "\"42\"");
}

TEST(RestCompression, RequestsComeWithoutCoding) {
  EXPECT_TRUE(check_content_encoding({.headers = {}}));
  EXPECT_TRUE(check_content_encoding({.headers = {{"content-encoding", "Identity"}}}));
  for (const char* coding : {"gzip", "deflate", "br", "identity, gzip"}) {
    EXPECT_FALSE(check_content_encoding({.headers = {{"content-encoding", coding}}})) << coding;
  }
}

TEST(RestEtag, NamesTheVersionInEachForm) {
  using enum TagComparison;
  for (const char* header : {"\"42\"", "*", "\"42-gzip\"", "\"1\", \"42\"", "\"1\",\"42-gzip\" "}) {
    EXPECT_TRUE(names_version(header, 42, strong)) << header;
    EXPECT_TRUE(names_version(header, 42, weak)) << header;
  }
  EXPECT_TRUE(names_version("W/\"42\"", 42, weak));
  EXPECT_FALSE(names_version("W/\"42\"", 42, strong));
  for (const char* header : {"", "42", "\"4\"", "\"142\"", "\"1\"42\"", "\"42", "x\"42\"", "W/42", "\"-gzip\""}) {
    EXPECT_FALSE(names_version(header, 42, weak)) << header;
  }
}

}  // namespace
}  // namespace viaduct::api::rest
