#include "observability/metrics.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace viaduct::observability {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

bool is_name(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void check_name(std::string_view name, MetricKind kind) {
  const bool right_end = kind == MetricKind::counter     ? name.ends_with("_total")
                         : kind == MetricKind::histogram ? name.ends_with("_seconds")
                                                         : !name.ends_with("_total");
  const bool known_start = name.starts_with("viaduct_") || name.starts_with("process_");
  if (!is_name(name) || !known_start || !right_end) {
    throw std::invalid_argument("metric name against the conventions: " + std::string(name));
  }
}

void check_labels(const Labels& labels) {
  for (const auto& [name, value] : labels) {
    if (!is_name(name) || name == "le") throw std::invalid_argument("label name against the conventions: " + name);
  }
}

// A cell that nobody holds any more, or a new one. What the previous holder wrote is seen by the next.
template <class Cell>
std::shared_ptr<Cell> claim(std::vector<std::shared_ptr<Cell>>& cells) {
  const auto hand_out = [](const std::shared_ptr<Cell>& cell) {
    return std::shared_ptr<Cell>(cell.get(), [cell](Cell* c) { c->held.store(false, std::memory_order_release); });
  };
  for (const auto& cell : cells) {
    if (!cell->held.exchange(true, std::memory_order_acquire)) return hand_out(cell);
  }
  const auto& cell = cells.emplace_back(std::make_shared<Cell>());
  cell->held.store(true, kRelaxed);
  return hand_out(cell);
}

}  // namespace

// --- histograms -----------------------------------------------------------------------------------

size_t bucket_of(std::chrono::nanoseconds duration) {
  if (duration.count() <= 1000) return 0;
  const auto microseconds = static_cast<uint64_t>((duration.count() + 999) / 1000);  // bounds are inclusive
  return std::min<size_t>(std::bit_width(microseconds - 1), kFiniteBuckets);
}

double bucket_upper_bound_seconds(size_t bucket) { return static_cast<double>(uint64_t{1} << bucket) * 1e-6; }

void HistogramCell::observe(std::chrono::nanoseconds duration) {
  auto& bucket = buckets_[bucket_of(duration)];
  bucket.store(bucket.load(kRelaxed) + 1, kRelaxed);
  const auto ns = static_cast<uint64_t>(std::max<int64_t>(duration.count(), 0));
  sum_ns_.store(sum_ns_.load(kRelaxed) + ns, kRelaxed);
}

void Histogram::observe(std::chrono::nanoseconds duration) {
  shared_.buckets_[bucket_of(duration)].fetch_add(1, kRelaxed);
  shared_.sum_ns_.fetch_add(static_cast<uint64_t>(std::max<int64_t>(duration.count(), 0)), kRelaxed);
}

std::shared_ptr<HistogramCell> Histogram::claim_cell() {
  std::lock_guard lock(mutex_);
  return claim(cells_);
}

HistogramValue Histogram::value() const {
  HistogramValue value;
  const auto add = [&value](const HistogramCell& cell) {
    for (size_t i = 0; i < value.buckets.size(); ++i) {
      const uint64_t count = cell.buckets_[i].load(kRelaxed);
      value.buckets[i] += count;
      value.count += count;
    }
    value.sum_seconds += static_cast<double>(cell.sum_ns_.load(kRelaxed)) * 1e-9;
  };
  add(shared_);
  std::lock_guard lock(mutex_);
  for (const auto& cell : cells_) add(*cell);
  return value;
}

// --- samples ---------------------------------------------------------------------------------------

struct SampleLabels::Rendered {
  Labels labels;
  std::string text;
};

namespace {
std::string text_of(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out += name;
    out += "=\"";
    for (const char c : value) {
      if (c == '\n') {
        out += "\\n";
        continue;
      }
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out;
}
}  // namespace

SampleLabels::SampleLabels(Labels labels) {
  if (labels.empty()) return;
  std::string text = text_of(labels);
  rendered_ = std::make_shared<const Rendered>(Rendered{std::move(labels), std::move(text)});
}

const Labels& SampleLabels::all() const {
  static const Labels kNone;
  return rendered_ ? rendered_->labels : kNone;
}

const std::string& SampleLabels::text() const {
  static const std::string kNone;
  return rendered_ ? rendered_->text : kNone;
}

// --- callbacks ------------------------------------------------------------------------------------

class CallbackTable {
 public:
  struct Entry {
    std::vector<FamilyDescription> families;
    Registry::ReadFamilies read;
  };

  uint64_t add(Entry entry) {
    std::lock_guard lock(mutex_);
    entries_.emplace(++last_id_, std::move(entry));
    return last_id_;
  }

  void remove(uint64_t id) {
    std::lock_guard lock(mutex_);
    entries_.erase(id);
  }

  std::optional<MetricKind> kind_of(std::string_view name) {
    std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) {
      for (const FamilyDescription& family : entry.families) {
        if (family.name == name) return family.kind;
      }
    }
    return std::nullopt;
  }

  // Runs with the table locked, so that remove() waits for a callback under way.
  template <class F>
  void each(F&& f) {
    std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) f(entry.families, entry.read());
  }

 private:
  std::mutex mutex_;
  uint64_t last_id_ = 0;
  std::map<uint64_t, Entry> entries_;
};

ExportedCallback& ExportedCallback::operator=(ExportedCallback&& other) noexcept {
  std::swap(table_, other.table_);
  std::swap(id_, other.id_);
  return *this;
}

ExportedCallback::~ExportedCallback() {
  if (table_) table_->remove(id_);
}

// --- the registry ---------------------------------------------------------------------------------

struct Registry::Series {
  std::unique_ptr<Counter> counter;
  std::unique_ptr<Gauge> gauge;
  std::unique_ptr<Histogram> histogram;

  explicit Series(MetricKind kind) {
    if (kind == MetricKind::counter) counter = std::make_unique<Counter>();
    if (kind == MetricKind::gauge) gauge = std::make_unique<Gauge>();
    if (kind == MetricKind::histogram) histogram = std::make_unique<Histogram>();
  }
};

struct Registry::Family {
  std::string help;
  MetricKind kind;
  std::map<Labels, Series> series;
  uint64_t overflows = 0;
  // Slots of packet cells.
  std::string label;
  std::vector<std::string> values;
  std::vector<std::shared_ptr<PacketCell>> cells;

  FamilySample sample(const std::string& name) const {
    FamilySample out{name, help, kind, {}};
    for (const auto& [labels, one] : series) {
      Sample& sample = out.samples.emplace_back();
      sample.labels = SampleLabels(labels);
      if (one.counter) sample.value = static_cast<double>(one.counter->value());
      if (one.gauge) sample.value = one.gauge->value();
      if (one.histogram) sample.histogram = std::make_shared<const HistogramValue>(one.histogram->value());
    }
    for (size_t i = 0; i < values.size(); ++i) {
      uint64_t sum = 0;
      for (const auto& cell : cells) sum += cell->value(i);
      SampleLabels labels = label.empty() ? Labels{} : Labels{{label, values[i]}};
      out.samples.push_back({std::move(labels), static_cast<double>(sum)});
    }
    return out;
  }
};

Registry::Registry() : callbacks_(std::make_shared<CallbackTable>()) {}
Registry::~Registry() = default;

Registry::Family& Registry::family(std::string_view name, std::string_view help, MetricKind kind) {
  auto found = families_.find(name);
  if (found == families_.end()) {
    check_name(name, kind);
    found = families_.emplace(name, Family{std::string(help), kind, {}, 0, {}, {}, {}}).first;
  }
  if (found->second.kind != kind) throw std::logic_error("metric of two kinds: " + std::string(name));
  return found->second;
}

Registry::Series& Registry::series(std::string_view name, std::string_view help, MetricKind kind,
                                   const Labels& labels) {
  Family& owner = family(name, help, kind);
  if (auto found = owner.series.find(labels); found != owner.series.end()) return found->second;
  check_labels(labels);
  if (owner.series.size() < kMaxSeries) return owner.series.try_emplace(labels, kind).first->second;
  ++owner.overflows;
  Labels other = labels;
  for (auto& [label, value] : other) value = "other";
  return owner.series.try_emplace(other, kind).first->second;
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  return *series(name, help, MetricKind::counter, labels).counter;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  return *series(name, help, MetricKind::gauge, labels).gauge;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, const Labels& labels) {
  std::lock_guard lock(mutex_);
  return *series(name, help, MetricKind::histogram, labels).histogram;
}

std::shared_ptr<PacketCell> Registry::packet_cell(std::string_view name, std::string_view help, std::string_view label,
                                                  std::span<const std::string> values) {
  std::lock_guard lock(mutex_);
  Family& owner = family(name, help, MetricKind::counter);
  if (owner.values.empty()) {
    if (values.empty() || values.size() > kCellSlots) throw std::invalid_argument("slots of " + std::string(name));
    if (!label.empty()) check_labels({{std::string(label), ""}});
    owner.label = label;
    owner.values.assign(values.begin(), values.end());
  } else if (owner.label != label ||
             !std::equal(values.begin(), values.end(), owner.values.begin(), owner.values.end())) {
    throw std::logic_error("cells of different labels: " + std::string(name));
  }
  return claim(owner.cells);
}

ExportedCallback Registry::export_callback(std::string_view name, std::string_view help, MetricKind kind,
                                           const Labels& labels, std::function<double()> read) {
  check_labels(labels);
  return export_callback(name, help, kind, [labels = SampleLabels(labels), read = std::move(read)] {
    return std::vector<Sample>{{labels, read()}};
  });
}

ExportedCallback Registry::export_callback(std::string_view name, std::string_view help, MetricKind kind,
                                           std::function<std::vector<Sample>()> read) {
  return export_families({{std::string(name), std::string(help), kind}},
                         [read = std::move(read)] { return std::vector<std::vector<Sample>>{read()}; });
}

ExportedCallback Registry::export_families(std::vector<FamilyDescription> families, ReadFamilies read) {
  for (const auto& [name, help, kind] : families) {
    check_name(name, kind);
    std::lock_guard lock(mutex_);
    const auto found = families_.find(name);
    const auto other = found != families_.end() ? std::optional(found->second.kind) : callbacks_->kind_of(name);
    if (other.value_or(kind) != kind) throw std::logic_error("metric of two kinds: " + name);
  }
  const uint64_t id = callbacks_->add({std::move(families), std::move(read)});
  return ExportedCallback(callbacks_, id);
}

std::vector<FamilySample> Registry::collect() const {
  std::map<std::string, FamilySample> by_name;
  FamilySample overflow{"viaduct_metrics_overflow_total",
                        "Look-ups of a label set beyond the limit of its metric, counted under \"other\" instead.",
                        MetricKind::counter,
                        {}};
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, family] : families_) {
      by_name.emplace(name, family.sample(name));
      if (family.overflows == 0) continue;
      overflow.samples.push_back({{{"family", name}}, static_cast<double>(family.overflows)});
    }
  }
  const auto add = [&](const FamilyDescription& of, std::vector<Sample> samples) {
    auto& family = by_name.try_emplace(of.name, FamilySample{of.name, of.help, of.kind, {}}).first->second;
    const size_t kept = std::min(samples.size(), kMaxExported);
    if (kept < samples.size()) {
      overflow.samples.push_back({{{"family", of.name}}, static_cast<double>(samples.size() - kept)});
      samples.resize(kept);
    }
    if (family.samples.empty()) {
      family.samples = std::move(samples);
    } else {
      std::move(samples.begin(), samples.end(), std::back_inserter(family.samples));
    }
  };
  callbacks_->each([&](const std::vector<FamilyDescription>& families, std::vector<std::vector<Sample>> read) {
    for (size_t i = 0; i < families.size() && i < read.size(); ++i) add(families[i], std::move(read[i]));
  });
  if (!overflow.samples.empty()) by_name.emplace(overflow.name, std::move(overflow));
  std::vector<FamilySample> out;
  for (auto& [name, family] : by_name) out.push_back(std::move(family));
  return out;
}

}  // namespace viaduct::observability
