#include <algorithm>
#include <utility>

#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

constexpr size_t kMaxNameBytes = 255;
constexpr size_t kMaxInterfaceBytes = 15;  // IFNAMSIZ less the terminator

// Length of the sequence that starts with this byte; 0: none does (RFC 3629, 3).
size_t sequence_length(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

// The code point at the front of `text`, which it removes; nullopt when that is not UTF-8.
std::optional<uint32_t> take_code_point(std::string_view& text) {
  const size_t length = sequence_length(static_cast<uint8_t>(text[0]));
  if (length == 0 || length > text.size()) return std::nullopt;
  uint32_t point = static_cast<uint8_t>(text[0]) & (length == 1 ? 0x7f : 0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    point = point << 6 | (byte & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x1'0000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < kLeast[length] || point > 0x10'ffff || surrogate) return std::nullopt;
  text.remove_prefix(length);
  return point;
}

bool is_printable_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto point = take_code_point(text);
    if (!point || *point < 0x20 || (*point >= 0x7f && *point <= 0x9f)) return false;
  }
  return true;
}

}  // namespace

void Inspection::report(BrokenRule rule, const ObjectRef& object, std::string_view field, std::string message,
                        std::string cure) {
  auto found = next_.find(object);
  if (!found) found = current_.find(object);
  Violation violation{rule,
                      object,
                      found ? name_of(*found) : std::string(),
                      std::string(field),
                      std::move(message),
                      std::move(cure),
                      std::exchange(mentions_, {})};
  // Two objects that clash are often both touched; what was said about one is not repeated. Nearby entries suffice.
  const auto recent = violations_.end() - std::min<ptrdiff_t>(std::ssize(violations_), 64);
  if (std::find(recent, violations_.end(), violation) == violations_.end()) violations_.push_back(std::move(violation));
}

std::string Inspection::label(const ObjectRef& ref) {
  const auto object = next_.find(ref);
  mentions_.push_back({ref, label_of(ref, object ? name_of(*object) : std::string())});
  return mentions_.back().label;
}
std::string Inspection::label(const Object& object) {
  mentions_.push_back({ref_of(object), label_of(object)});
  return mentions_.back().label;
}

void check_name(std::string_view text, std::string_view field, const ObjectRef& object, Inspection& inspection) {
  if (text.size() > kMaxNameBytes) {
    inspection.report(BrokenRule::name_invalid, object, field, "It has " + std::to_string(text.size()) + " bytes.",
                      "Use at most 255.");
  } else if (!is_printable_utf8(text)) {
    inspection.report(BrokenRule::name_invalid, object, field, "It is not printable UTF-8 text.",
                      "Leave out control characters and write it in UTF-8.");
  }
}

bool is_interface_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxInterfaceBytes || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ':'; });
}

}  // namespace viaduct::topology::rules
