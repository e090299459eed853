// A network with an authority and hosts with certificates, in a directory that goes with it. Time stands still at kNow.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "actors/identity/handshake.hpp"
#include "api/certificates/authority.hpp"
#include "api/certificates/key_file.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::identity::testing {

using actors::Identity;
using certificates::Authority;
using certificates::Existing;
using certificates::HostRequest;
using certificates::Issued;
using certificates::Validity;
using std::chrono::hours;

inline const TimePoint kNow = std::chrono::system_clock::from_time_t(1'800'000'000);
inline constexpr Roles kAgent{true, false}, kCluster{false, true}, kBoth{true, true};

class TestNetwork {
 public:
  TestNetwork() : authority(make_authority("one")) {}

  Authority make_authority(const std::string& name) {
    std::string error;
    auto issued = Authority::make(name, {kNow - hours(24), kNow + hours(24 * 365)}, error);
    EXPECT_TRUE(issued) << error;
    write(name + ".ca.pem", issued->certificate);
    auto loaded = Authority::load(issued->certificate, issued->key, error);
    EXPECT_TRUE(loaded) << error;
    return std::move(*loaded);
  }
  std::string path(const std::string& name) const { return (directory.path() / name).string(); }
  void write(const std::string& name, std::string_view text) {
    EXPECT_EQ(certificates::write_private(path(name), text, Existing::replace), "");
  }

  HostRequest request(const std::string& name, Roles roles) const {
    return {name, std::nullopt, roles, {}, {kNow - hours(1), kNow + hours(24)}};
  }
  // The files of a host with this certificate, signed by `by`, or by the network's authority.
  CredentialFiles files(const HostRequest& request, const Authority* by = nullptr) {
    std::string error;
    auto issued = (by == nullptr ? authority : *by).issue(request, error);
    EXPECT_TRUE(issued) << error;
    std::string name = request.name + std::to_string(++made_);
    write(name + ".pem", issued->certificate);
    write(name + ".key", issued->key);
    return {path("one.ca.pem"), path(name + ".pem"), path(name + ".key"), ""};
  }
  CredentialFiles files(const std::string& name, Roles roles) { return files(request(name, roles)); }

  std::unique_ptr<Identity> identity(const CredentialFiles& files, TimePoint now = kNow) {
    std::vector<CredentialProblem> problems;
    auto loaded = Identity::load(files, {}, now, problems);
    for (const auto& problem : problems) ADD_FAILURE() << problem.text;
    return loaded;
  }
  std::unique_ptr<Identity> identity(const std::string& name, Roles roles) { return identity(files(name, roles)); }

  topology::store::testing::TemporaryDirectory directory;
  Authority authority;

 private:
  int made_ = 0;
};

// The problems of loading, one text each.
inline std::vector<std::string> problems_of(const CredentialFiles& files, Roles needed = {}, TimePoint now = kNow) {
  std::vector<CredentialProblem> problems;
  auto loaded = Credentials::load(files, needed, now, problems);
  EXPECT_EQ(loaded == nullptr, !problems.empty());
  std::vector<std::string> out;
  for (const auto& problem : problems) out.push_back(problem.text + "; " + problem.cure);
  return out;
}

}  // namespace viaduct::identity::testing
