// One request of HTTP to another service, and its answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "api/rest/http.hpp"

namespace viaduct::api::rest {

struct Fetch {
  std::string method = "GET";
  std::string url;  // http or https; redirections are not followed, and no proxy is used
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::string ca_file = {};  // PEM; empty: the authorities that the host trusts
  std::chrono::milliseconds timeout{5'000};
  size_t max_answer_bytes = size_t{1} << 20;
  enum class Certificates : uint8_t {
    checked,
    taken
  };  // taken: whoever answers is believed, as somebody has asked for
  Certificates certificates = Certificates::checked;
};

struct Fetched {
  int status = 0;
  Headers headers = {};
  std::string body = {};
  std::string error = {};  // not empty: there was no whole answer, and why
};

// Blocks until there is an answer, at most for the timeout. Any thread.
Fetched fetch(const Fetch& wanted);

}  // namespace viaduct::api::rest
