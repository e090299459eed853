// A speaker whose outer veth end lies in a namespace of other people's routers:
//
//   vtb-N-s (FRR)            vtb-N-p
//   uplink  ===============  vtbN     10.9.0.2, .3; 2001:db8:9::2, ::3
//   10.9.0.1/24, 2001:db8:9::1/64, AS 65001
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <map>
#include <memory>

#include "bgp_peers.hpp"
#include "observability/log.hpp"
#include "routing/bgp/frr_speaker.hpp"

namespace viaduct::routing::bgp {

using namespace std::chrono_literals;

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }
inline IpPrefix net(const char* text) { return *IpPrefix::parse(text); }

class BgpSpeakerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to make network namespaces";
    if (const char* levels = std::getenv("VIADUCT_LOG")) observability::log::set_levels(levels);
    directory_ = "/tmp/" + stem_;
    std::filesystem::create_directories(directory_);
    ASSERT_EQ(make_namespace(peers_), std::nullopt);
    options_.name = stem_ + "-s";
    options_.run_directory = directory_ + "/frr";
    options_.uplink = {"vtb" + std::to_string(getpid()),
                       *MacAddress::parse("02:00:00:00:09:01"),
                       {net("10.9.0.1/24"), net("2001:db8:9::1/64")},
                       1500};
    config_ = {
        .as_number = 65001, .router_id = ip("10.9.0.1"), .networks = {net("203.0.113.0/24"), net("2001:db8:100::/48")}};
    config_.peers = {peer("10.9.0.2"), peer("2001:db8:9::2")};
  }
  void TearDown() override {
    if (geteuid() != 0) return;
    if (speaker_ && HasFailure()) {
      for (const FrrDaemon one : {FrrDaemon::zebra, FrrDaemon::bfdd, FrrDaemon::bgpd}) {
        std::cerr << to_string(one) << ": starts " << speaker_->daemon(one).starts << ", "
                  << speaker_->daemon(one).last_end << "\n";
      }
      for (const PeerStatus& one : speaker_->peers()) {
        std::cerr << one.address.to_string() << " " << to_string(one.state) << " " << one.last_error << "\n";
      }
      std::cerr << bird_.ask("show protocols all") << bird_.output();
    }
    if (speaker_) {
      EXPECT_EQ(speaker_->stop(), std::nullopt);
    }
    bird_.stop();
    second_.stop();
    EXPECT_EQ(remove_namespace(peers_, ""), std::nullopt);
    std::filesystem::remove_all(directory_);
  }

  static SpeakerPeer peer(const char* address, uint32_t as = 65002) {
    return {.address = ip(address), .as_number = as, .connect_retry = 1s};
  }

  void start_speaker() {
    speaker_ = std::make_unique<FrrSpeaker>(options_, config_);
    ASSERT_EQ(speaker_->start(), std::nullopt);
    const std::string in = "ip -n " + peers_ + " ", link = options_.uplink.outer;
    must_run("ip link set " + link + " netns " + peers_);
    must_run(in + "link set lo up && " + in + "link set " + link + " up");
    for (const char* one : {"10.9.0.2/24", "10.9.0.3/24", "2001:db8:9::2/64", "2001:db8:9::3/64"}) {
      must_run(in + "addr add " + one + " dev " + link +
               (std::string(one).find(':') != std::string::npos ? " nodad" : ""));
    }
  }

  // Lets the speaker work until it holds; false when it did not in time.
  template <class Condition>
  bool until(Condition condition, std::chrono::milliseconds patience = 30s) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
      speaker_->run_for(10ms);
      for (const RouteChange& one : speaker_->take_route_changes()) {
        if (one.gateways.empty()) {
          ++removals_;
          routes_.erase(one.prefix);
        } else {
          routes_[one.prefix] = one.gateways;
        }
      }
      if (condition()) return true;
      if (std::chrono::steady_clock::now() > deadline) return false;
    }
  }
  const PeerStatus* status(const char* address) const {
    for (const PeerStatus& one : speaker_->peers()) {
      if (one.address == ip(address)) return &one;
    }
    return nullptr;
  }
  bool established(const char* address) const {
    const PeerStatus* one = status(address);
    return one != nullptr && one->state == PeerState::established;
  }
  bool has(const char* prefix, std::vector<IpAddress> gateways) const {
    const auto found = routes_.find(net(prefix));
    return found != routes_.end() && found->second == gateways;
  }
  bool has_both() const {
    return has("192.0.2.0/24", {ip("10.9.0.2")}) && has("2001:db8:200::/48", {ip("2001:db8:9::2")});
  }
  // A route that BIRD has from us; `stale` ones of a session that is away count.
  static bool knows(const PeerRouter& bird, const std::string& prefix) {
    return bird.ask("show route " + prefix).find("AS65001") != std::string::npos;
  }
  void kill_daemon(FrrDaemon which) { ASSERT_EQ(::kill(speaker_->daemon(which).pid, SIGKILL), 0); }

  const std::string stem_ = "vtb-" + std::to_string(getpid());
  const std::string peers_ = stem_ + "-p";
  std::string directory_;
  SpeakerOptions options_;
  SpeakerConfig config_;
  std::unique_ptr<FrrSpeaker> speaker_;
  PeerRouter bird_{"/usr/sbin/bird", peers_, "/tmp/" + stem_, "bird"};
  PeerRouter second_{"/usr/sbin/bird", peers_, "/tmp/" + stem_, "second"};
  std::map<IpPrefix, std::vector<IpAddress>> routes_;
  int removals_ = 0;
};

}  // namespace viaduct::routing::bgp
