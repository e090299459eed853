#include "observability/flow_log/writer.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "literals.hpp"
#include "observability/text_format.hpp"

namespace viaduct::observability::flow_log::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    char name[] = "/tmp/viaduct-flow-log-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Directory() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::vector<nlohmann::json> lines_of(const fs::path& path) {
  std::ifstream in(path);
  std::vector<nlohmann::json> out;
  for (std::string line; std::getline(in, line);) out.push_back(nlohmann::json::parse(line));
  return out;
}

std::vector<std::string> events_of(const fs::path& path) {
  std::vector<std::string> out;
  for (const auto& line : lines_of(path)) out.push_back(line["event"]);
  return out;
}

struct Scene {
  explicit Scene(WriterOptions options) : writer(options, {"h1", {}, {}}, sources(), probe) {}
  Sources sources() {
    Sources out;
    out.records.push_back([this](std::span<Record> to) {
      size_t count = 0;
      for (; count < to.size() && !records.empty(); ++count) {
        to[count] = records.front();
        records.pop_front();
      }
      return count;
    });
    out.ends = [this] { return std::exchange(ends, {}); };
    return out;
  }
  void round(std::chrono::milliseconds after = 0ms) {
    Clocks clocks = noon();
    clocks.steady += after;
    clocks.system += after;
    writer.round(clocks);
  }
  Record flow(uint64_t serial) {
    Record record = v4();
    record.serial = serial;
    records.push_back(record);
    return record;
  }
  std::string metrics() { return to_text(registry.collect()); }

  Registry registry;
  Probe probe{registry};
  std::deque<Record> records;
  std::vector<Ended> ends;
  Writer writer;
};

WriterOptions to_file(const fs::path& path) {
  WriterOptions options;
  options.file = path;
  return options;
}

TEST(FlowLogWriter, BothRecordsOfAFlowInTheirOrder) {
  const Directory at;
  Scene scene(to_file(at / "flows"));
  const Record one = scene.flow(1), two = scene.flow(2);
  scene.ends = {end_of(two, 3, 300, 10ms), end_of(v6_dropped(), 1, 1, 1ms)};  // the last: of nobody
  scene.round();
  scene.ends = {end_of(one, 5, 500, 20ms, EndReason::changed)};
  scene.round();
  const auto lines = lines_of(at / "flows");
  EXPECT_THAT(events_of(at / "flows"), ElementsAre("start", "start", "end", "end"));
  EXPECT_EQ(lines[2]["id"], "0000000000000002");
  EXPECT_EQ(lines[3]["packets"], 1 + 5) << "with the packet that it was made for";
  EXPECT_EQ(lines[3]["bytes"], 74 + 500);
  EXPECT_EQ(lines[3]["end_reason"], "changed");
  EXPECT_EQ(scene.writer.tracked(), 0U);
  EXPECT_THAT(scene.metrics(), HasSubstr("viaduct_flow_log_records_total{output=\"file\"} 4\n"));
}

TEST(FlowLogWriter, AMergedFlowIsNotTold) {
  const Directory at;
  Scene scene(to_file(at / "flows"));
  const Record first = scene.flow(1);
  Ended merged = end_of(scene.flow(2), 0, 0, 0ms, EndReason::merged);
  merged.into = first.serial;
  scene.ends = {merged, end_of(first, 10, 1'000, 5ms)};
  scene.round();
  EXPECT_THAT(events_of(at / "flows"), ElementsAre("start", "start", "end"));
  EXPECT_EQ(lines_of(at / "flows")[2]["packets"], 2 + 10);
  EXPECT_EQ(scene.writer.tracked(), 0U);
}

TEST(FlowLogWriter, MoreThanTheRateIsCountedAndHasNoEnd) {
  const Directory at;
  auto options = to_file(at / "flows");
  options.max_rate = 3;
  Scene scene(options);
  for (uint64_t i = 0; i < 10; ++i) scene.flow(i);
  scene.round();
  EXPECT_EQ(lines_of(at / "flows").size(), 3U);
  EXPECT_THAT(scene.metrics(), HasSubstr("viaduct_flow_log_lost_records_total{cause=\"rate\"} 7\n"));
  scene.ends = {Ended{9, 1, 100, noon().steady, EndReason::idle, 0},
                Ended{1, 1, 100, noon().steady, EndReason::idle, 0}};
  scene.round(1s);
  EXPECT_THAT(events_of(at / "flows"), ElementsAre("start", "start", "start", "end"));
}

TEST(FlowLogWriter, RemembersSoManyFlows) {
  const Directory at;
  auto options = to_file(at / "flows");
  options.max_tracked = 2;
  Scene scene(options);
  for (uint64_t i = 1; i <= 3; ++i) scene.flow(i);
  scene.round();
  EXPECT_EQ(scene.writer.tracked(), 2U);
  EXPECT_THAT(scene.metrics(), HasSubstr("viaduct_flow_log_lost_records_total{cause=\"untracked\"} 1\n"));
}

TEST(FlowLogFile, IsReadableByItsOwnerAndGroupOnly) {
  const Directory at;
  const mode_t before = umask(0);
  Scene scene(to_file(at / "flows"));
  scene.flow(1);
  scene.round();
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat((at / "flows").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST(FlowLogFile, IsMadeAnewWhenItWasRenamed) {
  const Directory at;
  Scene scene(to_file(at / "flows"));
  scene.flow(1);
  scene.round();
  fs::rename(at / "flows", at / "flows.1");
  scene.flow(2);
  scene.round(100ms);  // not looked at yet
  EXPECT_EQ(lines_of(at / "flows.1").size(), 2U);
  scene.flow(3);
  scene.round(1200ms);
  EXPECT_EQ(lines_of(at / "flows.1").size(), 2U);
  EXPECT_EQ(lines_of(at / "flows").size(), 1U);
  fs::rename(at / "flows", at / "flows.2");
  scene.writer.reopen();  // SIGHUP
  scene.flow(4);
  scene.round(1300ms);
  EXPECT_EQ(lines_of(at / "flows").size(), 1U);
}

TEST(FlowLogFile, ThatCannotBeWrittenIsCountedAndTriedAgain) {
  const Directory at;
  Scene scene(to_file(at / "folder/flows"));
  scene.flow(1);
  scene.round();
  EXPECT_THAT(scene.metrics(), HasSubstr("viaduct_flow_log_file_errors_total 1\n"));
  EXPECT_THAT(scene.metrics(), HasSubstr("viaduct_flow_log_lost_records_total{cause=\"file\"} 1\n"));
  fs::create_directory(at / "folder");
  scene.flow(2);
  scene.round();
  EXPECT_EQ(lines_of(at / "folder/flows").size(), 1U);
}

TEST(FlowLogFile, ThatCannotBeWrittenIsToldAtTheStart) {
  const Directory at;
  std::vector<std::string> said;
  log::set_sink([&](std::string_view line) { said.emplace_back(line); });
  Scene missing(to_file(at / "folder/flows")), there(to_file(at / "flows"));
  missing.writer.start();
  there.writer.start();
  missing.writer.stop();
  there.writer.stop();
  log::set_sink({});
  EXPECT_THAT(said, ElementsAre(AllOf(HasSubstr("folder/flows: cannot open"), HasSubstr("make its directory"))));
  EXPECT_THAT(missing.metrics(), HasSubstr("viaduct_flow_log_file_errors_total 1\n"));
  EXPECT_TRUE(fs::exists(at / "flows")) << "with nothing in it yet";
}

TEST(FlowLogFile, IsNoPipe) {
  const Directory at;
  ASSERT_EQ(mkfifo((at / "pipe").c_str(), 0600), 0);
  LogFile file(at / "pipe");
  EXPECT_FALSE(file.append("line\n", noon().steady));
  EXPECT_NE(file.error(), "");
}

// The disk has room for one line and a half.
TEST(FlowLogFile, WhatFindsNoRoomLeavesNoHalfLine) {
  const Directory at;
  LogFile file(at / "flows");
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{15, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_TRUE(file.append("{\"one\":1}\n", noon().steady));
  EXPECT_FALSE(file.append("{\"two\":2}\n", noon().steady));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(file.error(), HasSubstr("cannot write"));
  EXPECT_TRUE(file.append("{\"three\":3}\n", noon().steady));
  EXPECT_EQ(lines_of(at / "flows"), (std::vector<nlohmann::json>{{{"one", 1}}, {{"three", 3}}}));
}

// A socket of loopback, on any port.
class Listener {
 public:
  Listener() : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t length = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { stop(); }
  void stop() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  CollectorAddress address() const { return {ip("127.0.0.1"), port_}; }
  ssize_t receive() {
    char buffer[2'000];
    return recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
  }

 private:
  int socket_;
  uint16_t port_ = 0;
};

TEST(FlowLogCollector, IsSentMessagesAndMayBeAway) {
  Listener listener;
  WriterOptions options;
  options.collector = listener.address();
  Scene scene(options);
  scene.flow(1);
  scene.round();
  EXPECT_GT(listener.receive(), 16);
  EXPECT_THAT(scene.metrics(), HasSubstr("viaduct_flow_log_records_total{output=\"ipfix\"} 1\n"));
  listener.stop();
  for (uint64_t i = 2; i < 12; ++i) {
    scene.flow(i);
    scene.round();
  }
  // Each answer of the kernel that nobody listens is of the message before it.
  EXPECT_THAT(scene.metrics(), Not(HasSubstr("viaduct_flow_log_ipfix_errors_total 0\n")));
}

TEST(FlowLogWriter, ItsThreadWritesWhatIsThereAtTheEnd) {
  const Directory at;
  {
    Scene scene(to_file(at / "flows"));
    for (uint64_t i = 1; i <= 1'000; ++i) scene.flow(i);
    scene.writer.start();
    scene.writer.stop();
  }
  EXPECT_EQ(lines_of(at / "flows").size(), 1'000U);
}

}  // namespace
}  // namespace viaduct::observability::flow_log::testing
