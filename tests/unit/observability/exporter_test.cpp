#include "observability/exporter.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <sstream>
#include <string>

namespace viaduct::observability {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string http_get(uint16_t port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::string response;
  char buffer[4096];
  for (ssize_t n; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) response.append(buffer, static_cast<size_t>(n));
  close(fd);
  return response;
}

// The text format: "name{labels} value" lines, comments left out.
std::map<std::string, double> parse(const std::string& response) {
  std::map<std::string, double> values;
  const size_t body = response.find("\r\n\r\n");
  std::istringstream lines(body == std::string::npos ? "" : response.substr(body + 4));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.rfind(' ');
    if (space == std::string::npos) ADD_FAILURE() << "not a sample: " << line;
    values[line.substr(0, space)] = std::stod(line.substr(space + 1));
  }
  return values;
}

TEST(Exporter, ServesWhatTheRegistryHolds) {
  Registry registry;
  registry.counter("viaduct_things_total", "Things.", {{"kind", "a"}}).add(3);
  registry.gauge("viaduct_level", "Level.").set(2.5);
  auto& latency = registry.histogram("viaduct_latency_seconds", "Latency.");
  latency.observe(1us);
  latency.observe(3us);
  latency.observe(1h);
  auto [exporter, error] = Exporter::start(registry, {"127.0.0.1", 0});
  ASSERT_TRUE(exporter) << error;
  EXPECT_NE(exporter->port(), 0);
  EXPECT_EQ(exporter->url(), "http://127.0.0.1:" + std::to_string(exporter->port()) + "/metrics");

  const std::string response = http_get(exporter->port(), "/metrics");
  EXPECT_THAT(response, HasSubstr("# HELP viaduct_things_total Things.\n# TYPE viaduct_things_total counter\n"));
  EXPECT_THAT(response, HasSubstr("# TYPE viaduct_latency_seconds histogram\n"));
  auto values = parse(response);
  EXPECT_EQ(values["viaduct_things_total{kind=\"a\"}"], 3);
  EXPECT_EQ(values["viaduct_level"], 2.5);
  EXPECT_EQ(values["viaduct_latency_seconds_count"], 3);
  EXPECT_NEAR(values["viaduct_latency_seconds_sum"], 3600.000004, 1e-6);
  EXPECT_EQ(values["viaduct_latency_seconds_bucket{le=\"+Inf\"}"], 3);
  registry.counter("viaduct_things_total", "Things.", {{"kind", "a"}}).add();
  EXPECT_EQ(parse(http_get(exporter->port(), "/metrics"))["viaduct_things_total{kind=\"a\"}"], 4);
}

TEST(Exporter, LabelValuesCannotForgeSamples) {
  Registry registry;
  registry.counter("viaduct_ports_total", "Ports.", {{"port", "x\"} 1\nviaduct_forged_total 9\n\\"}}).add();
  auto [exporter, error] = Exporter::start(registry, {"127.0.0.1", 0});
  ASSERT_TRUE(exporter) << error;
  auto values = parse(http_get(exporter->port(), "/metrics"));
  EXPECT_EQ(values.count("viaduct_forged_total"), 0u);
  EXPECT_EQ(values[R"(viaduct_ports_total{port="x\"} 1\nviaduct_forged_total 9\n\\"})"], 1);
}

TEST(Exporter, SaysThatThePortIsTaken) {
  Registry registry;
  auto first = Exporter::start(registry, {"127.0.0.1", 0});
  ASSERT_TRUE(first.exporter) << first.error;
  auto second = Exporter::start(registry, {"127.0.0.1", first.exporter->port()});
  EXPECT_FALSE(second.exporter);
  EXPECT_THAT(second.error, HasSubstr("127.0.0.1:" + std::to_string(first.exporter->port())));
  EXPECT_THAT(second.error, HasSubstr("another process uses it already; choose another metrics port"));
}

TEST(Exporter, SaysThatTheAddressIsWrong) {
  Registry registry;
  EXPECT_THAT(Exporter::start(registry, {"localhost!", 0}).error, HasSubstr("neither an IPv4 nor an IPv6 address"));
  EXPECT_THAT(Exporter::start(registry, {"192.0.2.1", 0}).error, HasSubstr("does not have that address"));
}

}  // namespace
}  // namespace viaduct::observability
