#include "observability/text_format.hpp"

#include <charconv>
#include <cmath>

namespace viaduct::observability {
namespace {

// Above it a double is not every integer any more.
constexpr double kExact = 9e15;

void append(std::string& out, uint64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

void append(std::string& out, double value) {
  if (value >= 0 && value < kExact && value == std::floor(value)) return append(out, static_cast<uint64_t>(value));
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, static_cast<size_t>(end - digits));
  }
}

void append_help(std::string& out, std::string_view help) {
  for (const char c : help) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\') out += '\\';
      out += c;
    }
  }
}

std::string_view to_string(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return "counter";
    case MetricKind::gauge:
      return "gauge";
    case MetricKind::histogram:
      return "histogram";
  }
  return "untyped";
}

// `more`: labels beside the sample's own, as text.
template <class Value>
void append_line(std::string& out, std::string_view name, std::string_view suffix, const SampleLabels& labels,
                 std::string_view more, Value value) {
  out += name;
  out += suffix;
  const std::string& text = labels.text();
  if (!text.empty() || !more.empty()) {
    out += '{';
    out += text;
    if (!text.empty() && !more.empty()) out += ',';
    out += more;
    out += '}';
  }
  out += ' ';
  append(out, value);
  out += '\n';
}

void append_histogram(std::string& out, std::string_view name, const Sample& sample) {
  static const HistogramValue kEmpty;
  const HistogramValue& value = sample.histogram ? *sample.histogram : kEmpty;
  uint64_t cumulative = 0;
  std::string bound;
  for (size_t i = 0; i < value.buckets.size(); ++i) {
    cumulative += value.buckets[i];
    bound = "le=\"";
    if (i < kFiniteBuckets) {
      append(bound, bucket_upper_bound_seconds(i));
    } else {
      bound += "+Inf";
    }
    bound += '"';
    append_line(out, name, "_bucket", sample.labels, bound, cumulative);
  }
  append_line(out, name, "_sum", sample.labels, {}, value.sum_seconds);
  append_line(out, name, "_count", sample.labels, {}, cumulative);
}

}  // namespace

std::string to_text(const std::vector<FamilySample>& families) {
  std::string out;
  size_t lines = 0;
  for (const FamilySample& family : families) {
    lines += family.samples.size() * (family.kind == MetricKind::histogram ? kFiniteBuckets + 3 : 1);
  }
  out.reserve(lines * 160);  // a guess: most lines are shorter
  for (const FamilySample& family : families) {
    if (family.samples.empty()) continue;
    out += "# HELP " + family.name + " ";
    append_help(out, family.help);
    out += "\n# TYPE " + family.name + " ";
    out += to_string(family.kind);
    out += '\n';
    for (const Sample& sample : family.samples) {
      if (family.kind == MetricKind::histogram) {
        append_histogram(out, family.name, sample);
      } else {
        append_line(out, family.name, {}, sample.labels, {}, sample.value);
      }
    }
  }
  return out;
}

}  // namespace viaduct::observability
