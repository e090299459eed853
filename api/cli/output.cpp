#include "api/cli/output.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace viaduct::api::cli {
namespace {

constexpr size_t kGap = 2;  // blanks between columns

size_t width(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::ranges::count(text, '.') <= 1;
}

struct ColumnLayout {
  size_t width = 0;
  bool numeric = true;
  bool used = false;
};

void put(std::string& line, std::string_view text, const ColumnLayout& column) {
  std::string padding(column.width - width(text), ' ');
  line += column.numeric ? padding + std::string(text) : std::string(text) + padding;
  line.append(kGap, ' ');
}

void put_line(std::ostream& out, const std::vector<std::string>& cells, const std::vector<ColumnLayout>& layout) {
  std::string line;
  for (size_t i = 0; i < layout.size(); ++i)
    if (layout[i].used) put(line, i < cells.size() ? cells[i] : "", layout[i]);
  line.erase(line.find_last_not_of(' ') + 1);
  out << line << '\n';
}

Json violation_json(const Violation& violation) {
  return {{"rule", violation.rule},   {"kind", violation.kind},       {"id", violation.id},    {"name", violation.name},
          {"field", violation.field}, {"message", violation.message}, {"cure", violation.cure}};
}

Json failure_json(const Failure& failure) {
  Json violations = Json::array();
  for (const Violation& violation : failure.violations) violations.push_back(violation_json(violation));
  return {{"error",
           {{"code", failure.code},
            {"message", failure.message},
            {"cure", failure.cure},
            {"violations", violations},
            {"exit_code", static_cast<int>(failure.exit)}}}};
}

void print_violation(const Violation& violation, std::ostream& err) {
  err << "  " << violation.kind << ' ' << (violation.name.empty() ? violation.id : violation.name) << ": "
      << violation.message << " [" << violation.rule;
  if (!violation.field.empty()) err << ", field " << violation.field;
  err << "]\n";
  if (!violation.cure.empty()) err << "    cure: " << violation.cure << '\n';
}

}  // namespace

void Table::print(std::ostream& out) const {
  std::vector<ColumnLayout> layout(headings_.size());
  for (size_t i = 0; i < headings_.size(); ++i) layout[i].width = width(headings_[i]);
  for (const auto& cells : rows_) {
    for (size_t i = 0; i < std::min(cells.size(), layout.size()); ++i) {
      if (cells[i].empty()) continue;
      layout[i].width = std::max(layout[i].width, width(cells[i]));
      layout[i].used = true;
      if (!is_number(cells[i])) layout[i].numeric = false;
    }
  }
  put_line(out, headings_, layout);
  for (const auto& cells : rows_) put_line(out, cells, layout);
}

std::string printable(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    // C1 controls are two bytes in UTF-8.
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xa0;
    if (byte >= 0x20 && byte != 0x7f && !c1) {
      out += text[i];
    } else {
      const uint8_t code = c1 ? static_cast<uint8_t>(text[++i]) : byte;
      out += {'\\', 'x', kHex[code >> 4], kHex[code & 15]};
    }
  }
  return out;
}

Table table_of(const Json& rows, const std::vector<std::string>& headings, const std::vector<std::string>& keys) {
  Table table(headings);
  for (const Json& row : rows) {
    std::vector<std::string> cells;
    for (const std::string& key : keys) cells.push_back(text_at(row, key.c_str()));
    table.row(std::move(cells));
  }
  return table;
}

std::string cell(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.dump();
}

std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

std::string duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e12) return "?";
  char text[64];
  auto whole = static_cast<unsigned long long>(seconds);
  if (seconds < 60) {
    std::snprintf(text, sizeof text, "%.1fs", seconds);
  } else if (whole < 3600) {
    std::snprintf(text, sizeof text, "%llum %llus", whole / 60, whole % 60);
  } else if (whole < 86'400) {
    std::snprintf(text, sizeof text, "%lluh %llum", whole / 3600, whole % 3600 / 60);
  } else {
    std::snprintf(text, sizeof text, "%llud %lluh", whole / 86'400, whole % 86'400 / 3600);
  }
  return text;
}

std::string text_at(const Json& object, const char* key) {
  auto at = object.find(key);
  return at == object.end() ? std::string() : cell(*at);
}

std::string printable_at(const Json& object, const char* key) { return printable(text_at(object, key)); }

void print_failure(const Failure& failure, Form form, std::ostream& err) {
  if (form == Form::json) {
    err << dump(failure_json(failure)) << '\n';
    return;
  }
  err << "viaduct: " << failure.message << '\n';
  for (const Violation& violation : failure.violations) print_violation(violation, err);
  if (!failure.cure.empty()) err << "  cure: " << failure.cure << '\n';
}

}  // namespace viaduct::api::cli
