#include "api/midonet_cli/line_editor.hpp"

#include <editline/readline.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "api/midonet_cli/tokenizer.hpp"

namespace viaduct::api::midonet_cli {
namespace {

// libedit calls functions, and no objects.
Suggest current_suggest;
std::vector<std::string> found;

std::vector<std::string> words_before(int end) {
  const std::string line(rl_line_buffer, rl_line_buffer + end);
  auto words = split_words(line);
  std::vector<std::string> out = words ? *words : std::vector<std::string>();
  if (out.empty() || line.back() == ' ') out.emplace_back();
  return out;
}

char* next_of_found(const char*, int state) {
  static size_t at;
  if (state == 0) at = 0;
  return at < found.size() ? strdup(found[at++].c_str()) : nullptr;
}

char** complete(const char* text, int, int end) {
  rl_attempted_completion_over = 1;  // no names of files
  found = current_suggest(words_before(end));
  return rl_completion_matches(text, next_of_found);
}

}  // namespace

LineEditor::LineEditor(Suggest suggest) {
  current_suggest = std::move(suggest);
  rl_initialize();
  rl_attempted_completion_function = complete;
  static char kBreaks[] = " \t\n";  // ':' and '-' are parts of words
  rl_basic_word_break_characters = kBreaks;
  using_history();
}

LineEditor::~LineEditor() {
  rl_attempted_completion_function = nullptr;
  current_suggest = {};
}

std::optional<std::string> LineEditor::read(const char* prompt) {
  char* line = readline(prompt);
  if (line == nullptr) return std::nullopt;
  std::string out = line;
  std::free(line);
  if (out.find_first_not_of(" \t") != std::string::npos) add_history(out.c_str());
  return out;
}

}  // namespace viaduct::api::midonet_cli
