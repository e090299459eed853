#include "routing/bgp/namespace.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "literals.hpp"
#include "routing/bgp/child_process.hpp"

namespace viaduct::routing::bgp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class Namespaces : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to make network namespaces";
    uplink_ = {"vtbu" + std::to_string(getpid()),
               *MacAddress::parse("02:00:00:00:09:01"),
               {net("10.9.0.1/24"), net("2001:db8:9::1/64")},
               1400};
    ASSERT_EQ(make_namespace(name_), std::nullopt);
  }
  void TearDown() override {
    if (geteuid() != 0) return;
    EXPECT_EQ(remove_namespace(name_, uplink_.outer), std::nullopt);
  }
  // The lines that a program says in there.
  std::vector<std::string> inside(const std::vector<std::string>& command) {
    ChildProcess child;
    std::string what;
    ChildOptions options{command.front(), {command.begin() + 1, command.end()}, name_, {}, {}};
    EXPECT_FALSE(child.start(options, what)) << what;
    std::vector<std::string> out;
    while (child.output_fd() >= 0) {
      for (std::string& line : child.read_output()) out.push_back(std::move(line));
    }
    child.reap();
    return out;
  }
  std::string addresses() {
    std::string out;
    for (const std::string& line : inside({"/sbin/ip", "-o", "addr", "show", "dev", kUplink})) {
      const size_t at = line.find("inet"), end = line.find(' ', line.find(' ', at) + 1);
      out += line.substr(at, end - at) + (line.find("tentative") == std::string::npos ? ";" : " tentative;");
    }
    return out;
  }

  const std::string name_ = "vtb-u" + std::to_string(getpid());
  Uplink uplink_;
};

TEST_F(Namespaces, MadeTwiceIsMadeOnce) {
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(make_namespace(name_), std::nullopt);
    EXPECT_EQ(make_uplink(name_, uplink_), std::nullopt);
    EXPECT_EQ(addresses(), "inet 10.9.0.1/24;inet6 2001:db8:9::1/64;inet6 fe80::ff:fe00:901/64;");
  }
  EXPECT_THAT(inside({"/bin/cat", "/sys/class/net/uplink/address"}).size(), 1U);
  EXPECT_THAT(inside({"/bin/sh", "-c",
                      "cat /proc/sys/net/ipv6/conf/uplink/accept_ra /proc/sys/net/ipv6/conf/uplink/accept_dad"}),
              ElementsAre("0", "0"));
  const std::vector<std::string> link = inside({"/sbin/ip", "-o", "link", "show", "dev", kUplink});
  ASSERT_EQ(link.size(), 1U);
  EXPECT_THAT(link[0], testing::AllOf(testing::HasSubstr("mtu 1400"), testing::HasSubstr("02:00:00:00:09:01"),
                                      testing::HasSubstr("LOWER_UP")));
  EXPECT_THAT(leftovers(name_).namespaces, ElementsAre(name_));
  EXPECT_THAT(leftovers(uplink_.outer).links, ElementsAre(uplink_.outer));
}

TEST_F(Namespaces, AddressesAndMacFollowWhatIsWanted) {
  ASSERT_EQ(make_uplink(name_, uplink_), std::nullopt);
  const unsigned index = if_nametoindex(uplink_.outer.c_str());
  uplink_.addresses = {net("10.9.1.1/24")};
  uplink_.mac = *MacAddress::parse("02:00:00:00:09:02");
  ASSERT_EQ(make_uplink(name_, uplink_), std::nullopt);
  EXPECT_EQ(addresses(), "inet 10.9.1.1/24;inet6 fe80::ff:fe00:902/64;");
  EXPECT_EQ(if_nametoindex(uplink_.outer.c_str()), index);  // the pair is the same
}

TEST_F(Namespaces, PeersBeyondTheLinkHaveTheirRoutes) {
  uplink_.routes = {{net("192.0.2.2/32"), ip("10.9.0.254")}, {net("2001:db8:77::2/128"), ip("2001:db8:9::fe")}};
  ASSERT_EQ(make_uplink(name_, uplink_), std::nullopt);
  ASSERT_EQ(make_uplink(name_, uplink_), std::nullopt) << "twice is once";
  EXPECT_THAT(inside({"/sbin/ip", "route", "show", "192.0.2.2"}),
              ElementsAre(testing::HasSubstr("via 10.9.0.254 dev uplink")));
  EXPECT_THAT(inside({"/sbin/ip", "-6", "route", "show", "2001:db8:77::2"}),
              ElementsAre(testing::HasSubstr("via 2001:db8:9::fe dev uplink")));
  const UplinkRoute stays{net("2001:db8:77::2/128"), ip("2001:db8:9::fe")};
  const UplinkRoute gone{net("192.0.2.2/32"), ip("10.9.0.254")}, other{net("192.0.2.3/32"), ip("10.9.0.254")};
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_EQ(change_uplink_routes(name_, {stays, other}, {gone}), std::nullopt);
    EXPECT_THAT(inside({"/sbin/ip", "route", "show", "192.0.2.2"}), IsEmpty());
    EXPECT_EQ(inside({"/sbin/ip", "route", "show", "192.0.2.3"}).size(), 1U);
    EXPECT_EQ(inside({"/sbin/ip", "-6", "route", "show", "2001:db8:77::2"}).size(), 1U);
  }
  const UplinkRoute moved{stays.destination, ip("2001:db8:9::fd")};
  ASSERT_EQ(change_uplink_routes(name_, {moved}, {stays}), std::nullopt);
  EXPECT_THAT(inside({"/sbin/ip", "-6", "route", "show", "2001:db8:77::2"}),
              ElementsAre(testing::HasSubstr("via 2001:db8:9::fd dev uplink")));
  const UplinkRoute moved4{other.destination, ip("10.9.0.253")};
  ASSERT_EQ(change_uplink_routes(name_, {moved4}, {other}), std::nullopt);
  EXPECT_THAT(inside({"/sbin/ip", "route", "show", "192.0.2.3"}),
              ElementsAre(testing::HasSubstr("via 10.9.0.253 dev uplink")));
  uplink_.routes = {{net("192.0.2.2/32"), ip("172.16.0.1")}};
  const Problem problem = make_uplink(name_, uplink_);
  ASSERT_TRUE(problem) << "the gateway is on no link";
  EXPECT_THAT(*problem, testing::HasSubstr("192.0.2.2/32 by 172.16.0.1"));
}

TEST_F(Namespaces, RemovalTakesProcessesAndLinksAlong) {
  ASSERT_EQ(make_uplink(name_, uplink_), std::nullopt);
  ChildProcess child;
  std::string what;
  ASSERT_FALSE(child.start({"/bin/sleep", {"1000"}, name_, {}, {}}, what)) << what;
  EXPECT_THAT(processes_in(name_), ElementsAre(child.pid()));
  EXPECT_EQ(remove_namespace(name_, uplink_.outer), std::nullopt);
  EXPECT_TRUE(child.reap());
  EXPECT_THAT(leftovers(name_).namespaces, IsEmpty());
  EXPECT_EQ(if_nametoindex(uplink_.outer.c_str()), 0U);
  EXPECT_EQ(remove_namespace(name_, uplink_.outer), std::nullopt);  // nothing there is no error
}

TEST_F(Namespaces, ListensInside) {
  Listener listener;
  ASSERT_EQ(listen_in_namespace(name_, listener), std::nullopt);
  EXPECT_NE(listener.port, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool connected = false;
  ASSERT_EQ(make_uplink(name_, uplink_), std::nullopt);  // brings lo up
  EXPECT_EQ(run_in_namespace(name_,
                             [&] {
                               const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                               connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
                               close(fd);
                             }),
            std::nullopt);
  EXPECT_TRUE(connected);
  close(listener.fd);
}

TEST_F(Namespaces, ErrorsNameTheObject) {
  Listener listener;
  EXPECT_EQ(listen_in_namespace("vtb-none", listener), "opening network namespace vtb-none: No such file or directory");
  EXPECT_EQ(make_namespace("../x"), "network namespace \"../x\": not a file name");
  uplink_.outer = "a-name-of-sixteen";
  EXPECT_EQ(make_uplink(name_, uplink_), "interface \"a-name-of-sixteen\": not 1 to 15 bytes");
  uplink_.outer.clear();
}

}  // namespace
}  // namespace viaduct::routing::bgp
