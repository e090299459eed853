#include "api/cli/export_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "api/cli/export_choice.hpp"

namespace viaduct::api::cli {
namespace {

// Words that some reader of YAML takes for something else than text.
constexpr std::array<std::string_view, 11> kWords = {"null", "true", "false", "yes", "no", "on",
                                                     "off",  "y",    "n",     "inf", "nan"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return std::ranges::find(kWords, lower) != kWords.end();
}

bool has_only(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

// "10.0.0.0/8", "10.0.0.1-10.0.0.9" and "1024-65535" are no numbers to anybody; "1e9", "10.1" and "0x88cc" are to some.
bool is_plain_number_like(std::string_view text) {
  const auto dashes = std::ranges::count(text, '-'), dots = std::ranges::count(text, '.');
  return has_only(text, "0123456789./-") && (dots >= 3 || (dots == 0 && dashes == 1 && has_only(text, "0123456789-")));
}

bool is_plain(std::string_view text) {
  if (text.empty() || is_word(text)) return false;
  if (Uuid::parse(text)) return true;
  if (is_digit(text.front())) return is_digit(text.back()) && is_plain_number_like(text);
  const bool harmless = std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("-_./ ").find(c) != std::string_view::npos;
  });
  return harmless && (is_letter(text.front()) || text.front() == '_') && text.back() != ' ';
}

std::string scalar(const Json& value) {
  return value.is_string() ? yaml_text(value.get_ref<const std::string&>()) : value.dump();
}

std::string text_of(const Json& value) {
  if (!value.is_array()) return scalar(value);
  std::string all = "[";
  for (const Json& entry : value) all += (all.size() == 1 ? "" : ", ") + scalar(entry);
  return all + "]";
}

std::string comment_of(const ExportedObject& object) {
  std::string all;
  for (const std::string& comment : object.comments) all += (all.empty() ? "  # " : "; ") + comment;
  return all;
}

void put(const ExportedSection& section, const std::string& indent, std::string& out);

void put_block(const ExportedObject& object, const std::string& indent, std::string& out) {
  std::string lead = indent + "- ";
  std::string comment = comment_of(object);
  for (const auto& [key, value] : object.fields) {
    out += lead + key + ": " + text_of(value) + comment + '\n';
    lead = indent + "  ";
    comment.clear();
  }
  for (const ExportedSection& section : object.sections) put(section, indent + "  ", out);
}

void put_line(const ExportedObject& object, const std::string& indent, std::string& out) {
  out += indent + "- {";
  for (size_t i = 0; i < object.fields.size(); ++i)
    out += (i == 0 ? "" : ", ") + object.fields[i].first + ": " + text_of(object.fields[i].second);
  out += "}" + comment_of(object) + '\n';
}

void put(const ExportedSection& section, const std::string& indent, std::string& out) {
  out += indent + std::string(section.kind->plural) + ":\n";
  for (const ExportedObject& object : section.objects)
    is_parent(*section.kind) ? put_block(object, indent + "  ", out) : put_line(object, indent + "  ", out);
}

}  // namespace

std::string yaml_text(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      quoted += c;
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(c));
    quoted += escape;
  }
  return quoted + '"';
}

std::string yaml_of(const ExportedDocument& document) {
  std::string out = "# Made by viaduct export; viaduct apply -f makes the topology what this file says.\n";
  for (const std::string& note : document.notes) out += "# " + note + '\n';
  if (document.sections.empty()) return out + "{}\n";
  for (const ExportedSection& section : document.sections) put(section, "", out);
  return out;
}

}  // namespace viaduct::api::cli
