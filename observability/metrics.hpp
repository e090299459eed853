// Metrics: numbers that are cheap to write and are gathered when somebody asks.
//
// A Registry belongs to the daemon and is handed to whoever counts. It gives out Counters, Gauges and Histograms by
// reference; they live as long as the registry, so holders look them up once. Code does not touch them in its logic: it
// calls verbs of a probe (probes.hpp), which does.
//
// Three ways to count, by price:
//   Counter, Gauge, Histogram::observe  any thread, one atomic read-modify-write (5 ns)
//   PacketCell, HistogramCell           one writing thread each, a relaxed load and store (below 1 ns); the registry sums
//   export_callback, export_families    free until scraped: a function reads what the kernel or a table counts anyway
//
// Names follow the Prometheus conventions and are checked when registered: viaduct_*, or process_* for what every program
// has; counters end in _total, times are seconds and end in _seconds. A name used twice must be of one kind. Breaking this
// is a bug and throws.
//
// Label sets are bounded: beyond kMaxSeries of one family, further label values are counted under "other", and
// viaduct_metrics_overflow_total{family} says how often that happened. Of exported families kMaxExported are shown.
//
// Threads: the registry and all it hands out may be used by any thread, cells by one each.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace viaduct::observability {

using Labels = std::vector<std::pair<std::string, std::string>>;
inline constexpr size_t kMaxSeries = 1024;
inline constexpr size_t kMaxExported = 16'384;
inline constexpr size_t kCellSlots = 128;

class Counter {
 public:
  void add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double value) { value_.fetch_add(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// A position in an array of label values: an enumerator or its number.
struct LabelIndex {
  size_t value;
  template <class T>
  requires(std::is_enum_v<T> || std::is_integral_v<T>) constexpr LabelIndex(T at) : value(static_cast<size_t>(at)) {}
};

// One thread's counters of one family, a slot for each label value.
class alignas(64) PacketCell {
 public:
  void add(LabelIndex at, uint64_t count = 1) {
    auto& slot = slots_[at.value < kCellSlots ? at.value : kCellSlots - 1];
    slot.store(slot.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  uint64_t value(LabelIndex at) const { return slots_[at.value].load(std::memory_order_relaxed); }

  std::atomic<bool> held{false};  // by a thread; the registry's business

 private:
  std::array<std::atomic<uint64_t>, kCellSlots> slots_{};
};

// Bucket i holds durations up to 2^i microseconds, the last one everything above 16.8 seconds.
inline constexpr size_t kFiniteBuckets = 25;
size_t bucket_of(std::chrono::nanoseconds duration);
double bucket_upper_bound_seconds(size_t bucket);

// One thread's part of a histogram.
class alignas(64) HistogramCell {
 public:
  void observe(std::chrono::nanoseconds duration);

  std::atomic<bool> held{false};  // by a thread; the histogram's business

 private:
  friend class Histogram;
  std::array<std::atomic<uint64_t>, kFiniteBuckets + 1> buckets_{};
  std::atomic<uint64_t> sum_ns_{0};
};

struct HistogramValue {
  std::array<uint64_t, kFiniteBuckets + 1> buckets{};  // not cumulative
  uint64_t count = 0;
  double sum_seconds = 0;
};

class Histogram {
 public:
  void observe(std::chrono::nanoseconds duration);
  // A part of its own for the calling thread. Given back by dropping it, and then handed to the next who asks.
  std::shared_ptr<HistogramCell> claim_cell();
  HistogramValue value() const;

 private:
  HistogramCell shared_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<HistogramCell>> cells_;
};

enum class MetricKind : uint8_t { counter, gauge, histogram };

// Labels of a sample, with their text. A copy costs nothing: samples of several metrics, scrape after scrape, may share it.
class SampleLabels {
 public:
  SampleLabels() = default;
  SampleLabels(Labels labels);  // NOLINT(google-explicit-constructor): a sample is written as {labels, value}
  SampleLabels(std::initializer_list<Labels::value_type> labels) : SampleLabels(Labels(labels)) {}

  const Labels& all() const;
  Labels::const_iterator begin() const { return all().begin(); }
  Labels::const_iterator end() const { return all().end(); }
  // As Prometheus' text format has them, without braces: `port="1",state="up"`; values are escaped.
  const std::string& text() const;
  friend bool operator==(const SampleLabels& a, const SampleLabels& b) { return a.all() == b.all(); }

 private:
  struct Rendered;
  std::shared_ptr<const Rendered> rendered_;  // null: none
};

struct Sample {
  SampleLabels labels;
  double value = 0;
  std::shared_ptr<const HistogramValue> histogram = {};  // for families of that kind
};

// What one scrape sees of one name.
struct FamilySample {
  std::string name;
  std::string help;
  MetricKind kind = MetricKind::gauge;
  std::vector<Sample> samples;
};

struct FamilyDescription {
  std::string name;
  std::string help;
  MetricKind kind = MetricKind::gauge;
};

class CallbackTable;

// Keeps an exported function registered. Once it is gone the function is not running and will not be called again.
class ExportedCallback {
 public:
  ExportedCallback() = default;
  ExportedCallback(std::shared_ptr<CallbackTable> table, uint64_t id) : table_(std::move(table)), id_(id) {}
  ExportedCallback(ExportedCallback&& other) noexcept : table_(std::move(other.table_)), id_(other.id_) {}
  ExportedCallback& operator=(ExportedCallback&& other) noexcept;
  ~ExportedCallback();

 private:
  std::shared_ptr<CallbackTable> table_;
  uint64_t id_ = 0;
};

class Registry {
 public:
  Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels = {});

  // A cell of the counter family `name`, whose slots are the values of one label (at most kCellSlots, the same for every
  // claimant). For the calling thread alone; given back by dropping it, its counts stay.
  std::shared_ptr<PacketCell> packet_cell(std::string_view name, std::string_view help, std::string_view label,
                                          std::span<const std::string> values);

  // Values read at scrape time, in the scraper's thread: `read` must be thread-safe, quick, and not call the registry.
  // Several callbacks may share a name with different labels.
  [[nodiscard]] ExportedCallback export_callback(std::string_view name, std::string_view help, MetricKind kind,
                                                 const Labels& labels, std::function<double()> read);
  [[nodiscard]] ExportedCallback export_callback(std::string_view name, std::string_view help, MetricKind kind,
                                                 std::function<std::vector<Sample>()> read);
  // Several families that one reading fills, in the order of their descriptions: what is read once for all of them.
  using ReadFamilies = std::function<std::vector<std::vector<Sample>>()>;
  [[nodiscard]] ExportedCallback export_families(std::vector<FamilyDescription> families, ReadFamilies read);

  std::vector<FamilySample> collect() const;  // by name, each name once

 private:
  struct Series;
  struct Family;
  Family& family(std::string_view name, std::string_view help, MetricKind kind);
  Series& series(std::string_view name, std::string_view help, MetricKind kind, const Labels& labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
  std::shared_ptr<CallbackTable> callbacks_;
};

// The names of an enum's first `count` values, for packet_cell and WorkerLabels: label_values<DropReason>(kDropReasons).
template <class Enum>
std::vector<std::string> label_values(size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.emplace_back(to_string(static_cast<Enum>(i)));
  return names;
}

}  // namespace viaduct::observability
