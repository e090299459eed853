#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <limits>
#include <map>

#include "observability/port_probe.hpp"
#include "observability/process_probe.hpp"
#include "observability/text_format.hpp"

namespace viaduct::observability {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TextFormat, NumbersAreWhatTheyAre) {
  Registry registry;
  const auto put = [&](const char* name, double value) { registry.gauge(name, "A\nB \\ C.").set(value); };
  put("viaduct_zero", 0);
  put("viaduct_large", 9007199254740991.0);
  put("viaduct_fraction", 0.1);
  put("viaduct_negative", -2);
  put("viaduct_huge", 1e300);
  put("viaduct_infinite", std::numeric_limits<double>::infinity());
  put("viaduct_unknown", std::numeric_limits<double>::quiet_NaN());
  const std::string text = to_text(registry.collect());
  EXPECT_THAT(text, HasSubstr("# HELP viaduct_zero A\\nB \\\\ C.\n# TYPE viaduct_zero gauge\nviaduct_zero 0\n"));
  EXPECT_THAT(text, HasSubstr("\nviaduct_large 9007199254740991\n"));
  EXPECT_THAT(text, HasSubstr("\nviaduct_fraction 0.1\n"));
  EXPECT_THAT(text, HasSubstr("\nviaduct_negative -2\n"));
  EXPECT_THAT(text, HasSubstr("\nviaduct_huge 1e+300\n"));
  EXPECT_THAT(text, HasSubstr("\nviaduct_infinite +Inf\n"));
  EXPECT_THAT(text, HasSubstr("\nviaduct_unknown NaN\n"));
}

TEST(TextFormat, AHistogramsBucketsAddUp) {
  Registry registry;
  auto& waits = registry.histogram("viaduct_wait_seconds", "Waits.", {{"cause", "x"}});
  waits.observe(1us);
  waits.observe(2us);
  waits.observe(1h);
  const std::string text = to_text(registry.collect());
  EXPECT_THAT(text, HasSubstr("viaduct_wait_seconds_bucket{cause=\"x\",le=\"1e-06\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("viaduct_wait_seconds_bucket{cause=\"x\",le=\"2e-06\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("viaduct_wait_seconds_bucket{cause=\"x\",le=\"16.777216\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("viaduct_wait_seconds_bucket{cause=\"x\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("viaduct_wait_seconds_count{cause=\"x\"} 3\n"));
}

TEST(TextFormat, AFamilyWithoutSamplesIsLeftOut) {
  Registry registry;
  const auto none =
      registry.export_callback("viaduct_nothing", "Nothing.", MetricKind::gauge, [] { return std::vector<Sample>(); });
  EXPECT_EQ(to_text(registry.collect()), "");
}

double value_of(const Registry& registry, std::string_view name, const std::string& labels) {
  for (const auto& family : registry.collect()) {
    if (family.name != name) continue;
    for (const auto& sample : family.samples) {
      if (sample.labels.text() == labels) return sample.value;
    }
  }
  return -1;
}

TEST(Ports, CountersAreReadWhenScraped) {
  Registry registry;
  std::map<uint32_t, PortNumbers> kernel{{1, {10, 1000, 20, 2000, 3, 1}}};
  PortProbe ports(registry, [&](uint32_t number) -> std::optional<PortNumbers> {
    const auto found = kernel.find(number);
    return found == kernel.end() ? std::nullopt : std::optional(found->second);
  });
  const PortProbe::Port one{{"p1", "tap1", "b1"}, 1, true}, absent{{"p2", "tap2", "b1"}, 0, false};
  ports.observed({one, absent});
  const std::string labels = R"(port="p1",interface="tap1",device="b1")";
  const std::string others = R"(port="p2",interface="tap2",device="b1")";
  EXPECT_EQ(value_of(registry, "viaduct_port_active", labels), 1);
  EXPECT_EQ(value_of(registry, "viaduct_port_active", others), 0);
  EXPECT_EQ(value_of(registry, "viaduct_port_received_packets_total", labels), 10);
  EXPECT_EQ(value_of(registry, "viaduct_port_received_bytes_total", labels), 1000);
  EXPECT_EQ(value_of(registry, "viaduct_port_sent_packets_total", labels), 20);
  EXPECT_EQ(value_of(registry, "viaduct_port_sent_bytes_total", labels), 2000);
  EXPECT_EQ(value_of(registry, "viaduct_port_upcalls_total", labels), 3);
  EXPECT_EQ(value_of(registry, "viaduct_port_upcalls_lost_total", labels), 1);
  EXPECT_EQ(value_of(registry, "viaduct_port_upcalls_lost_total", others), -1) << "it is not in the datapath";
  kernel[1].received_packets = 11;
  EXPECT_EQ(value_of(registry, "viaduct_port_received_packets_total", labels), 11);
  PortProbe::Port moved = one;
  moved.name.device = "b2";
  ports.observed({moved});
  EXPECT_EQ(value_of(registry, "viaduct_port_active", labels), -1);
  EXPECT_EQ(value_of(registry, "viaduct_port_active", R"(port="p1",interface="tap1",device="b2")"), 1);
}

TEST(Ports, TenThousandAreShown) {
  Registry registry;
  PortProbe ports(registry, [](uint32_t) { return PortNumbers{}; });
  std::vector<PortProbe::Port> all;
  for (uint32_t i = 1; i <= 10'000; ++i) all.push_back({{std::to_string(i), "tap", "b"}, i, true});
  ports.observed(all);
  for (const auto& family : registry.collect()) {
    EXPECT_EQ(family.samples.size(), 10'000u) << family.name;
    EXPECT_NE(family.name, "viaduct_metrics_overflow_total");
  }
}

TEST(Registry, MoreThanTheLimitOfAnExportedFamilyIsCounted) {
  Registry registry;
  const auto many = registry.export_callback("viaduct_many", "Many.", MetricKind::gauge,
                                             [] { return std::vector<Sample>(kMaxExported + 5); });
  EXPECT_EQ(value_of(registry, "viaduct_metrics_overflow_total", R"(family="viaduct_many")"), 5);
}

TEST(Process, ShowsWhatTheKernelSaysOfIt) {
  Registry registry;
  const ProcessProbe process(registry, "1.2.3", "agent");
  EXPECT_EQ(value_of(registry, "viaduct_build_info", R"(version="1.2.3",roles="agent")"), 1);
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(value_of(registry, "process_start_time_seconds", ""), now, 3600);
  EXPECT_GT(value_of(registry, "process_resident_memory_bytes", ""), 1e6);
  EXPECT_GT(value_of(registry, "process_virtual_memory_bytes", ""), 1e6);
  EXPECT_GE(value_of(registry, "process_threads", ""), 1);
  EXPECT_GE(value_of(registry, "process_cpu_seconds_total", ""), 0);
  EXPECT_GE(value_of(registry, "process_max_fds", ""), 64);
  const double before = value_of(registry, "process_open_fds", "");
  const int another = dup(0);
  EXPECT_EQ(value_of(registry, "process_open_fds", ""), before + 1);
  close(another);
}

}  // namespace
}  // namespace viaduct::observability
