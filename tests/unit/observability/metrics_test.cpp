#include "observability/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <vector>

namespace viaduct::observability {
namespace {

using namespace std::chrono_literals;

const FamilySample* find(const std::vector<FamilySample>& families, std::string_view name) {
  auto found = std::find_if(families.begin(), families.end(), [&](const auto& f) { return f.name == name; });
  return found == families.end() ? nullptr : &*found;
}

double value_of(const Registry& registry, std::string_view name, const Labels& labels = {}) {
  const auto families = registry.collect();
  const auto* family = find(families, name);
  if (family == nullptr) return -1;
  for (const auto& sample : family->samples) {
    if (sample.labels == labels) return sample.value;
  }
  return -1;
}

TEST(Registry, TheSameNameAndLabelsAreTheSameMetric) {
  Registry registry;
  Counter& a = registry.counter("viaduct_things_total", "Things.", {{"kind", "a"}});
  EXPECT_EQ(&a, &registry.counter("viaduct_things_total", "Things.", {{"kind", "a"}}));
  EXPECT_NE(&a, &registry.counter("viaduct_things_total", "Things.", {{"kind", "b"}}));
  a.add(3);
  registry.gauge("viaduct_level", "Level.").set(2.5);
  EXPECT_EQ(value_of(registry, "viaduct_things_total", {{"kind", "a"}}), 3);
  EXPECT_EQ(value_of(registry, "viaduct_things_total", {{"kind", "b"}}), 0);
  EXPECT_EQ(value_of(registry, "viaduct_level"), 2.5);
}

TEST(Registry, NamesAgainstTheConventionsAreBugs) {
  Registry registry;
  EXPECT_THROW(registry.counter("viaduct_things", "No _total."), std::invalid_argument);
  EXPECT_THROW(registry.gauge("viaduct_things_total", "A gauge."), std::invalid_argument);
  EXPECT_THROW(registry.histogram("viaduct_latency_ms", "Not seconds."), std::invalid_argument);
  EXPECT_THROW(registry.counter("things_total", "No prefix."), std::invalid_argument);
  EXPECT_THROW(registry.counter("viaduct_a\nb_total", "Newline."), std::invalid_argument);
  EXPECT_THROW(registry.counter("viaduct_x_total", "Label.", {{"a b", "c"}}), std::invalid_argument);
  registry.gauge("viaduct_level", "Level.");
  EXPECT_THROW(registry.counter("viaduct_level", "Two kinds."), std::logic_error);
}

TEST(Registry, LabelSetsAreBounded) {
  Registry registry;
  for (size_t i = 0; i < kMaxSeries + 10; ++i) {
    registry.counter("viaduct_ports_total", "Ports.", {{"port", std::to_string(i)}}).add();
  }
  EXPECT_EQ(value_of(registry, "viaduct_ports_total", {{"port", "other"}}), 10);
  EXPECT_EQ(value_of(registry, "viaduct_metrics_overflow_total", {{"family", "viaduct_ports_total"}}), 10);
  EXPECT_EQ(find(registry.collect(), "viaduct_ports_total")->samples.size(), kMaxSeries + 1);
}

TEST(Registry, CellsOfManyThreadsAddUp) {
  Registry registry;
  const std::vector<std::string> values = {"hit", "miss"};
  std::atomic<bool> stop{false};
  std::thread scraper([&] {
    while (!stop) registry.collect();
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      auto cell = registry.packet_cell("viaduct_lookups_total", "Look-ups.", "result", values);
      auto latency = registry.histogram("viaduct_lookup_seconds", "Time.").claim_cell();
      Counter& shared = registry.counter("viaduct_rounds_total", "Rounds.");
      for (int i = 0; i < 10'000; ++i) {
        cell->add(i % 10 == 0 ? 1 : 0);
        latency->observe(std::chrono::microseconds(i));
        shared.add();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  stop = true;
  scraper.join();
  EXPECT_EQ(value_of(registry, "viaduct_lookups_total", {{"result", "hit"}}), 36'000);
  EXPECT_EQ(value_of(registry, "viaduct_lookups_total", {{"result", "miss"}}), 4'000);
  EXPECT_EQ(value_of(registry, "viaduct_rounds_total"), 40'000);
  EXPECT_EQ(registry.histogram("viaduct_lookup_seconds", "").value().count, 40'000u);
}

TEST(Registry, ACellGivenBackKeepsItsCountAndIsUsedAgain) {
  Registry registry;
  const std::vector<std::string> values = {"a"};
  auto first = registry.packet_cell("viaduct_cells_total", "Cells.", "x", values);
  first->add(0, 5);
  const PacketCell* address = first.get();
  first.reset();
  auto second = registry.packet_cell("viaduct_cells_total", "Cells.", "x", values);
  EXPECT_EQ(second.get(), address);
  second->add(0);
  EXPECT_EQ(value_of(registry, "viaduct_cells_total", {{"x", "a"}}), 6);
  EXPECT_THROW(registry.packet_cell("viaduct_cells_total", "Cells.", "y", values), std::logic_error);
}

TEST(PacketCell, IsACacheLineOfItsOwn) {
  EXPECT_EQ(alignof(PacketCell), 64u);
  EXPECT_EQ(sizeof(PacketCell) % 64, 0u);
  auto cell = std::make_shared<PacketCell>();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(cell.get()) % 64, 0u);
}

TEST(Histogram, BoundsAreInclusivePowersOfTwo) {
  EXPECT_EQ(bucket_of(0ns), 0u);
  EXPECT_EQ(bucket_of(-5ns), 0u);
  EXPECT_EQ(bucket_of(1us), 0u);
  EXPECT_EQ(bucket_of(1001ns), 1u);
  EXPECT_EQ(bucket_of(2us), 1u);
  EXPECT_EQ(bucket_of(4us), 2u);
  EXPECT_EQ(bucket_of(4001ns), 3u);
  EXPECT_EQ(bucket_of(24h), kFiniteBuckets);
  for (size_t i = 0; i < kFiniteBuckets; ++i) {
    EXPECT_EQ(bucket_of(1us * (int64_t{1} << i)), i);
    EXPECT_DOUBLE_EQ(bucket_upper_bound_seconds(i), 1e-6 * static_cast<double>(int64_t{1} << i));
  }
}

TEST(Histogram, SumsCellsAndSharedObservations) {
  Histogram histogram;
  auto cell = histogram.claim_cell();
  cell->observe(1ms);
  histogram.observe(3ms);
  histogram.observe(1h);
  const auto value = histogram.value();
  EXPECT_EQ(value.count, 3u);
  EXPECT_EQ(value.buckets[kFiniteBuckets], 1u);
  EXPECT_NEAR(value.sum_seconds, 3600.004, 1e-9);
}

TEST(ExportedCallback, IsReadWhenScrapedUntilDropped) {
  Registry registry;
  double flows = 1;
  auto a = registry.export_callback("viaduct_kernel_flows", "Flows.", MetricKind::gauge, {{"dp", "a"}},
                                    [&] { return flows; });
  {
    auto b = registry.export_callback("viaduct_kernel_flows", "Flows.", MetricKind::gauge, {{"dp", "b"}},
                                      [&] { return 10 * flows; });
    flows = 2;
    EXPECT_EQ(value_of(registry, "viaduct_kernel_flows", {{"dp", "a"}}), 2);
    EXPECT_EQ(value_of(registry, "viaduct_kernel_flows", {{"dp", "b"}}), 20);
    EXPECT_EQ(find(registry.collect(), "viaduct_kernel_flows")->samples.size(), 2u);
  }
  EXPECT_EQ(value_of(registry, "viaduct_kernel_flows", {{"dp", "b"}}), -1);
  EXPECT_THROW((void)registry.export_callback("viaduct_kernel_flows", "", MetricKind::histogram, {}, [] { return 0.; }),
               std::invalid_argument);
  a = {};
  EXPECT_EQ(value_of(registry, "viaduct_kernel_flows", {{"dp", "a"}}), -1);
}

}  // namespace
}  // namespace viaduct::observability
