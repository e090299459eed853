#include "api/midonet_cli/aliases.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace viaduct::api::midonet_cli {
namespace {

constexpr std::string_view kDigits = "0123456789";

// The words of a line of the file; false: it is none of ours.
bool words_of(std::string_view line, std::array<std::string, 4>& words) {
  size_t count = 0;
  while (!line.empty()) {
    const size_t space = std::min(line.find(' '), line.size());
    if (count == words.size()) return false;
    words[count++] = line.substr(0, space);
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return count == words.size();
}

template <class Use>
void each_line(std::string_view text, Use use) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

void Aliases::add(Space& space, const std::string& alias, const std::string& uuid) {
  space.uuids[alias] = uuid;
  space.names[uuid] = alias;
  const size_t digits = alias.find_last_not_of(kDigits) + 1;
  uint64_t number = 0;
  std::from_chars(alias.data() + digits, alias.data() + alias.size(), number);
  uint64_t& next = space.next[alias.substr(0, digits)];
  next = std::max(next, number + 1);
}

std::string Aliases::give(const std::string& parent, std::string_view prefix, const std::string& uuid) {
  Space& space = spaces_[parent];
  if (auto known = space.names.find(uuid); known != space.names.end()) return known->second;
  auto next = space.next.find(prefix);
  const uint64_t number = next == space.next.end() ? 0 : next->second;
  std::string alias = std::string(prefix) + std::to_string(number);
  add(space, alias, uuid);
  changed_ = true;
  return alias;
}

std::optional<std::string> Aliases::find(const std::string& parent, std::string_view alias) const {
  if (!understands()) return std::nullopt;
  std::string at = parent;
  while (!alias.empty()) {
    const size_t colon = std::min(alias.find(':'), alias.size());
    auto space = spaces_.find(at);
    if (space == spaces_.end()) return std::nullopt;
    auto found = space->second.uuids.find(alias.substr(0, colon));
    if (found == space->second.uuids.end()) return std::nullopt;
    at = found->second;
    alias.remove_prefix(std::min(colon + 1, alias.size()));
  }
  return at == parent ? std::nullopt : std::optional<std::string>(at);
}

void Aliases::forget(const std::string& uuid) {
  for (auto& [parent, space] : spaces_) {
    auto known = space.names.find(uuid);
    if (known == space.names.end()) continue;
    space.uuids.erase(known->second);
    space.names.erase(known);
    changed_ = true;
  }
  if (spaces_.erase(uuid) != 0) changed_ = true;
}

std::vector<std::string> Aliases::all() const {
  std::vector<std::string> out;
  auto top = spaces_.find(std::string_view());
  if (top == spaces_.end()) return out;
  for (const auto& [alias, uuid] : top->second.uuids) {
    out.push_back(alias);
    auto below = spaces_.find(uuid);
    if (below == spaces_.end()) continue;
    for (const auto& entry : below->second.uuids) out.push_back(alias + ":" + entry.first);
  }
  return out;
}

void Aliases::load(std::string_view text, const std::string& topology) {
  each_line(text, [&](std::string_view line) {
    std::array<std::string, 4> words;
    if (!words_of(line, words) || words[0] != topology) return;
    const size_t digits = words[2].find_last_not_of(kDigits) + 1;
    const bool plain = digits > 0 && digits < words[2].size() && words[2].find(':') == std::string::npos;
    if (plain) add(spaces_[words[1] == "-" ? std::string() : words[1]], words[2], words[3]);
  });
}

std::string Aliases::save(std::string_view text, const std::string& topology) const {
  std::string out;
  each_line(text, [&](std::string_view line) {
    std::array<std::string, 4> words;
    if (!words_of(line, words) || words[0] != topology) out += std::string(line) + "\n";
  });
  for (const auto& [parent, space] : spaces_) {
    for (const auto& [alias, uuid] : space.uuids)
      out += topology + " " + (parent.empty() ? "-" : parent) + " " + alias + " " + uuid + "\n";
  }
  return out;
}

}  // namespace viaduct::api::midonet_cli
