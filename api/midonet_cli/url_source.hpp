// A REST server of Viaduct's by its URL.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "api/midonet_cli/rest_source.hpp"

namespace viaduct::api::midonet_cli {

struct UrlOptions {
  std::string url;  // "http://host:8181/midonet-api"
  // Who logs in; empty: nobody does, and the token, if there is one, is sent.
  std::string user, password, project;
  std::string token = {};
  std::string ca_file = {};  // PEM; empty: the authorities that the host trusts
  enum class Certificates : uint8_t { checked, taken } certificates = Certificates::checked;
  std::chrono::milliseconds timeout{10'000};
};

class UrlSource final : public RestSource {
 public:
  // The failure says what is wrong with the URL.
  static Result<std::unique_ptr<UrlSource>> open(UrlOptions options);

  // Logs in before the first request, and again when the token is not valid any longer.
  Result<rest::Response> answer(const rest::Request& request) override;
  const std::string& root() const override { return root_; }
  const std::string& name() const override { return options_.url; }

 private:
  UrlSource(UrlOptions options, std::string root) : options_(std::move(options)), root_(std::move(root)) {}
  Result<Done> log_in();
  Result<rest::Response> ask(const rest::Request& request) const;

  UrlOptions options_;
  const std::string root_;
};

}  // namespace viaduct::api::midonet_cli
