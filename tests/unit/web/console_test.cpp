// How the console's files are served. tests/system/console_test.py has what becomes of them in a browser.
#include "api/web/console.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

namespace viaduct::api::web {
namespace {

using rest::Method;
using ::testing::HasSubstr;
using ::testing::Not;

rest::Response ask(std::string path, rest::Headers headers = {}, Method method = Method::get) {
  return answer({.method = method, .path = std::move(path), .headers = std::move(headers)});
}

std::string header(const rest::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

TEST(Console, OnlyItsPathsAreItsOwn) {
  for (const char* own : {"/", "/console", "/console/", "/console/main.js", "/console/nothing"})
    EXPECT_TRUE(is_console(own)) << own;
  for (const char* other : {"", "/midonet-api", "/midonet-api/bridges", "/consoles", "//", "/console.js"})
    EXPECT_FALSE(is_console(other)) << other;
}

TEST(Console, LeadsToThePage) {
  for (const char* from : {"/", "/console"}) {
    const auto response = ask(from);
    EXPECT_EQ(response.status, 302);
    EXPECT_EQ(header(response, "Location"), "console/");
  }
  const auto page = ask("/console/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.media_type, "text/html; charset=utf-8");
  EXPECT_EQ(page.body, ask("/console/index.html").body);
  EXPECT_THAT(page.body, HasSubstr("<title>"));
}

TEST(Console, TypesAndProtectionOfEveryFile) {
  for (const PageFile& file : page_files()) {
    const auto response = ask("/console/" + std::string(file.name));
    EXPECT_EQ(response.status, 200) << file.name;
    EXPECT_EQ(response.body, file.content);
    const std::string_view expected = file.name.ends_with(".js")    ? "text/javascript; charset=utf-8"
                                      : file.name.ends_with(".css") ? "text/css; charset=utf-8"
                                      : file.name.ends_with(".svg") ? "image/svg+xml; charset=utf-8"
                                                                    : "text/html; charset=utf-8";
    EXPECT_EQ(response.media_type, expected) << file.name;
    EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
    const std::string policy = header(response, "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  }
}

TEST(Console, ProtectsWhatIsNoFileToo) {
  for (const char* path : {"/", "/console/nothing"}) {
    EXPECT_THAT(header(ask(path), "Content-Security-Policy"), HasSubstr("frame-ancestors 'none'"));
  }
}

TEST(Console, WhatIsHeldIsNotSentAgain) {
  const std::string tag = header(ask("/console/main.js"), "ETag");
  ASSERT_GT(tag.size(), 10u);
  for (const std::string& held : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const auto response = ask("/console/main.js", {{"if-none-match", held}});
    EXPECT_EQ(response.status, 304) << held;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(header(response, "ETag"), tag);
  }
  EXPECT_EQ(ask("/console/main.js", {{"if-none-match", "\"other\""}}).status, 200);
  EXPECT_NE(header(ask("/console/style.css"), "ETag"), tag);
}

TEST(Console, CompressedForWhoUnderstands) {
  const auto response = ask("/console/main.js", {{"accept-encoding", "gzip"}});
  EXPECT_EQ(header(response, "Content-Encoding"), "gzip");
  EXPECT_LT(response.body.size(), ask("/console/main.js").body.size());
  const std::string tag = header(response, "ETag");
  EXPECT_EQ(ask("/console/main.js", {{"accept-encoding", "gzip"}, {"if-none-match", tag}}).status, 304);
}

TEST(Console, NothingElseIsThere) {
  for (const char* path :
       {"/console/nothing", "/console/../etc/passwd", "/console/%2e%2e/etc/passwd", "/console//etc/passwd",
        "/console/main.js/", "/console/MAIN.JS", "/console/main%2ejs", "/console/./main.js", "/console/\\main.js"}) {
    const auto response = ask(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_THAT(response.body, Not(HasSubstr("passwd"))) << path;
  }
}

TEST(Console, IsOnlyRead) {
  for (Method method : {Method::post, Method::put, Method::remove, Method::options, Method::other}) {
    const auto response = ask("/console/", {}, method);
    EXPECT_EQ(response.status, 405);
    EXPECT_EQ(header(response, "Allow"), "GET, HEAD");
  }
}

// What the policy would refuse, and what a browser would ask another server for, is not written in the first place.
TEST(Console, NamesOnlyFilesThatAreThere) {
  std::set<std::string> names;
  for (const PageFile& file : page_files()) names.insert(std::string(file.name));
  const std::regex local(R"re((?:from |import |src=|href=|import\()"(\./)?([A-Za-z0-9_.]+\.(?:js|css|svg))")re");
  size_t seen = 0;
  for (const PageFile& file : page_files()) {
    const std::string text(file.content);
    for (std::sregex_iterator at(text.begin(), text.end(), local), end; at != end; ++at, ++seen) {
      EXPECT_TRUE(names.contains((*at)[2].str())) << file.name << " names " << (*at)[2].str();
    }
    for (const char* wrong : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage",
                              " style=\"", "onclick=", "https://"}) {
      EXPECT_THAT(text, Not(HasSubstr(wrong))) << file.name;
    }
  }
  EXPECT_GT(seen, 5u);
}

}  // namespace
}  // namespace viaduct::api::web
