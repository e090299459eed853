#include "api/cli/completion_script.hpp"

#include <algorithm>

namespace viaduct::api::cli {
namespace {

// One command, as scripts need it.
struct Entry {
  std::string path;  // "port create"; empty for the tool itself
  std::string help;
  std::vector<std::string> commands;
  std::vector<std::string> options;                         // flags of every spelling
  std::vector<std::pair<std::string, std::string>> values;  // option -> generator, for those that take a value
  std::vector<std::string> positionals;                     // generators, in order; the last repeats when it may
};

// How a script makes suggestions: "object:port", "object:bridge,router", "words:a b", "file", "none".
std::string generator(const Tree& tree, const CLI::Option* option) {
  const Hint* hint = tree.hint_of(option);
  if (hint == nullptr || hint->source == Hint::Source::nothing) return "none";
  if (hint->source == Hint::Source::file) return "file";
  std::string out;
  if (hint->source == Hint::Source::words) {
    for (const std::string& word : hint->words) out += (out.empty() ? "" : " ") + word;
    return "words:" + out;
  }
  for (Kind kind : hint->objects) out += (out.empty() ? "" : ",") + std::string(info(kind).name);
  return "object:" + out;
}

void add_option(Entry& entry, const Tree& tree, const CLI::Option* option) {
  if (option->get_positional()) {
    entry.positionals.push_back(generator(tree, option));
    return;
  }
  std::vector<std::string> spellings;
  for (const std::string& name : option->get_lnames()) spellings.push_back("--" + name);
  for (const std::string& name : option->get_snames()) spellings.push_back("-" + name);
  for (const std::string& spelling : spellings) {
    entry.options.push_back(spelling);
    if (option->get_expected_min() > 0) entry.values.emplace_back(spelling, generator(tree, option));
  }
}

void collect(const Tree& tree, CLI::App& command, std::vector<Entry>& entries) {
  Entry entry{path_of(command), command.get_description(), {}, {}, {}, {}};
  for (const CLI::Option* option : command.get_options()) add_option(entry, tree, option);
  auto below = visible_commands(command);
  for (const CLI::App* child : below) entry.commands.push_back(child->get_name());
  entries.push_back(std::move(entry));
  for (CLI::App* child : below) collect(tree, *child, entries);
}

std::string join(const std::vector<std::string>& words, const std::string& between = " ") {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

// Our words have no quotes; this keeps it so if one ever has.
std::string quoted(std::string text) {
  std::erase(text, '\'');
  return "'" + text + "'";
}

// The part that bash and zsh share: tables, and a function that fills `reply` for the words before the cursor.
std::string tables(const std::vector<Entry>& entries) {
  std::string commands, options, values, positionals;
  for (const Entry& entry : entries) {
    std::string path = entry.path.empty() ? "." : entry.path;
    auto line = [](const std::string& key, const std::string& value) {
      return "    " + quoted(key) + ") echo " + quoted(value) + " ;;\n";
    };
    if (!entry.commands.empty()) commands += line(path, join(entry.commands));
    if (!entry.options.empty()) options += line(path, join(entry.options));
    for (const auto& [option, how] : entry.values) values += line(path + " " + option, how);
    for (size_t i = 0; i < entry.positionals.size(); ++i)
      positionals += line(path + " " + std::to_string(i), entry.positionals[i]);
  }
  auto function = [](const std::string& name, const std::string& cases) {
    return "_viaduct_" + name + "() {\n  case \"$1\" in\n" + cases + "  esac\n}\n";
  };
  return function("commands", commands) + function("options", options) + function("values", values) +
         function("positionals", positionals);
}

// $1: the word under the cursor; the rest: the words before it. Prints suggestions, one a line, or "@file".
constexpr const char* kSuggest = R"sh(
_viaduct_generate() {
  local word
  case "$1" in
    object:*) "${VIADUCT_COMMAND:-viaduct}" --timeout 2 __complete "${1#object:}" 2>/dev/null ;;
    words:*) printf '%s' "${1#words:}" | tr ' ' '\n'; echo ;;
    file) echo '@file' ;;
  esac
}
_viaduct_suggest() {
  local current="$1" path='.' word how='' count=0 skip=''
  shift
  for word in "$@"; do
    if [ -n "$skip" ]; then skip=''; how=''; continue; fi
    case "$word" in
      -*=*) continue ;;
      -*) how="$(_viaduct_values "$path $word")"
          [ -n "$how" ] || how="$(_viaduct_values ". $word")"
          [ -n "$how" ] && skip=yes
          continue ;;
    esac
    case " $(_viaduct_commands "$path" | tr '\n' ' ') " in
      *" $word "*) if [ "$path" = '.' ]; then path="$word"; else path="$path $word"; fi; count=0 ;;
      *) count=$((count + 1)) ;;
    esac
  done
  if [ -n "$skip" ]; then _viaduct_generate "$how"; return; fi
  case "$current" in
    -*) { _viaduct_options "$path"; _viaduct_options .; } | tr ' ' '\n'; return ;;
  esac
  _viaduct_commands "$path" | tr ' ' '\n'
  how="$(_viaduct_positionals "$path $count")"
  while [ -z "$how" ] && [ "$count" -gt 0 ]; do
    count=$((count - 1))
    how="$(_viaduct_positionals "$path $count")"
  done
  _viaduct_generate "$how"
}
)sh";

constexpr const char* kBash = R"sh(
_viaduct() {
  local current="${COMP_WORDS[COMP_CWORD]}" line
  local before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
  local VIADUCT_COMMAND="${COMP_WORDS[0]}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = '@file' ]; then
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    elif [ -n "$line" ] && [[ "$line" == "$current"* ]]; then
      COMPREPLY+=("$(printf '%q' "$line")")
    fi
  done < <(_viaduct_suggest "$current" "${before[@]}")
}
complete -F _viaduct viaduct
)sh";

constexpr const char* kZsh = R"sh(
_viaduct() {
  local line current="${words[CURRENT]}"
  local -a suggestions
  local VIADUCT_COMMAND="${words[1]}"
  _viaduct_suggest "$current" "${(@)words[2,CURRENT-1]}" | while IFS= read -r line; do
    if [[ "$line" == '@file' ]]; then _files; elif [[ -n "$line" ]]; then suggestions+=("$line"); fi
  done
  compadd -a suggestions
}
if [ "${funcstack[1]:-}" = _viaduct ]; then _viaduct "$@"; else compdef _viaduct viaduct; fi
)sh";

std::string fish_value(const std::string& how) {
  if (how == "file") return " -r -F";
  if (how.starts_with("words:")) return " -x -a " + quoted(how.substr(6));
  if (how.starts_with("object:"))
    return " -x -a " + quoted("(viaduct --timeout 2 __complete " + how.substr(7) + " 2>/dev/null)");
  return " -x";
}

std::string fish_path_condition(const Entry& entry) {
  if (entry.path.empty()) return "";
  std::string condition;
  std::string word;
  for (char c : entry.path + " ") {
    if (c != ' ') {
      word += c;
      continue;
    }
    condition += (condition.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") + word;
    word.clear();
  }
  return condition;
}

std::string fish_lines(const Entry& entry, const std::vector<Entry>& entries) {
  std::string condition = fish_path_condition(entry);
  std::string where = condition.empty() ? "" : " -n " + quoted(condition);
  std::string out;
  for (const Entry& child : entries) {
    size_t cut = child.path.find_last_of(' ');
    std::string above = cut == std::string::npos ? "" : child.path.substr(0, cut);
    if (child.path.empty() || above != entry.path) continue;
    std::string none_yet = "not __fish_seen_subcommand_from " + join(entry.commands);
    if (entry.path.empty()) none_yet = "__fish_use_subcommand";
    std::string when = condition.empty() ? none_yet : condition + "; and " + none_yet;
    out += "complete -c viaduct -n " + quoted(when) + " -a " +
           child.path.substr(cut == std::string::npos ? 0 : cut + 1) + " -d " + quoted(child.help) + "\n";
  }
  for (const std::string& option : entry.options) {
    bool is_long = option.starts_with("--");
    auto value = std::ranges::find(entry.values, option, [](const auto& pair) { return pair.first; });
    out += "complete -c viaduct" + where + (is_long ? " -l " + option.substr(2) : " -s " + option.substr(1)) +
           (value == entry.values.end() ? "" : fish_value(value->second)) + "\n";
  }
  for (const std::string& how : entry.positionals)
    if (how != "none") out += "complete -c viaduct" + where + fish_value(how) + "\n";
  return out;
}

}  // namespace

std::string completion_script(Shell shell, Tree& tree) {
  std::vector<Entry> entries;
  collect(tree, tree.root(), entries);
  if (shell == Shell::bash) return "# viaduct completion for bash\n" + tables(entries) + kSuggest + kBash;
  if (shell == Shell::zsh) return "#compdef viaduct\n" + tables(entries) + kSuggest + kZsh;
  std::string out = "# viaduct completion for fish\ncomplete -c viaduct -f\n";
  for (const Entry& entry : entries) out += fish_lines(entry, entries);
  return out;
}

}  // namespace viaduct::api::cli
