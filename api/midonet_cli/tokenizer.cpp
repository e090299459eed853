#include "api/midonet_cli/tokenizer.hpp"

namespace viaduct::api::midonet_cli {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The quoted part that begins at `at`; afterwards `at` is behind its end. False: it has none.
bool take_quoted(std::string_view line, size_t& at, std::string& word) {
  const char quote = line[at++];
  for (; at < line.size(); ++at) {
    if (line[at] == quote) {
      ++at;
      return true;
    }
    const bool escape = quote == '"' && line[at] == '\\' && at + 1 < line.size();
    if (escape && (line[at + 1] == '"' || line[at + 1] == '\\')) ++at;
    word += line[at];
  }
  return false;
}

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  for (size_t at = 0; at < line.size();) {
    if (is_space(line[at])) {
      ++at;
      continue;
    }
    std::string word;
    while (at < line.size() && !is_space(line[at])) {
      const size_t begin = at;
      if (line[at] == '\'' || line[at] == '"') {
        if (take_quoted(line, at, word)) continue;
        return usage_error("the quote at column " + std::to_string(begin + 1) + " is not closed",
                           "close it, or write \\" + std::string(1, line[begin]) + " for the character itself");
      }
      if (line[at] == '\\') {
        if (++at == line.size()) return usage_error("there is nothing behind the backslash at the end of the line");
      }
      word += line[at++];
    }
    words.push_back(std::move(word));
  }
  return words;
}

std::string quote_word(std::string_view word) {
  const bool plain = !word.empty() && word.find_first_of(" \t\r\n'\"\\") == word.npos;
  if (plain) return std::string(word);
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace viaduct::api::midonet_cli
