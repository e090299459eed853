#include "api/midonet_cli/parser.hpp"

#include <algorithm>
#include <optional>

namespace viaduct::api::midonet_cli {
namespace {

class Parser {
 public:
  explicit Parser(const std::vector<std::string>& words) : words_(words) {}

  Result<Command> run();
  // What may follow the words, which need not be a whole command.
  std::vector<std::string> next(const std::vector<std::string>& aliases);

 private:
  using Parsed = Result<Done>;

  bool at_end(size_t ahead = 0) const { return at_ + ahead >= words_.size(); }
  const std::string& peek(size_t ahead = 0) const { return words_[at_ + ahead]; }
  const std::string& take() { return words_[at_++]; }
  bool is(Verb verb) const { return verb_ != nullptr && verb_->verb == verb; }
  const Object& context() const { return command_.target ? *command_.target->of : end_of(command_.path); }

  bool take_verb();
  Parsed structure();
  Parsed collection(const Collection& found);
  Parsed by_filter(const Collection& found);
  Parsed pairs(const Object& of, size_t most, std::vector<Assignment>& out);
  Result<Assignment> assignment(const Object& of);
  std::vector<Step> reference_path();
  bool alias_path(std::vector<Step>& out);
  Parsed names();
  Parsed finish();
  Failure left_over() const;
  Failure no_value(const Field& field);

  const std::vector<std::string>& words_;
  size_t at_ = 0;
  const VerbName* verb_ = nullptr;
  Command command_;
  const Field* awaited_ = nullptr;  // whose value should have followed
};

Failure Parser::no_value(const Field& field) {
  awaited_ = &field;
  return usage_error("there is no value behind " + std::string(field.name), "it is to be " + describe(field));
}

// A UUID, an alias of such an object, or at the root a path of aliases.
bool is_id(const Collection& found, std::string_view word) {
  if (!has_ids(found)) return false;
  if (Uuid::parse(word)) return true;
  if (word.find(':') != word.npos) return find_by_alias(root(), word.substr(0, word.find(':'))) != nullptr;
  if (!word.starts_with(found.of->name)) return false;
  word.remove_prefix(found.of->name.size());
  return !word.empty() && word.find_first_not_of("0123456789") == word.npos;
}

Failure no_id(const Collection& found, std::string_view word) {
  std::string fields = "fields: " + names_of_fields(*found.of);
  if (!has_ids(found)) {
    return usage_error("'" + std::string(word) + "' is no field of " + with_article(found.of->title),
                       "such objects have no ids: FIELD VALUE … says which; " + fields);
  }
  return usage_error(
      "'" + std::string(word) + "' is no UUID and no alias of " + with_article(found.of->title),
      "aliases are like " + std::string(found.of->name) + "0; FIELD VALUE … finds one without its id; " + fields);
}

bool is_plain(Verb verb) {
  return verb == Verb::set_tenant || verb == Verb::clear_tenant || verb == Verb::debug || verb == Verb::help ||
         verb == Verb::quit;
}

bool Parser::take_verb() {
  if (verb_ != nullptr || at_end()) return false;
  verb_ = find_verb(peek());
  if (verb_ == nullptr) return false;
  ++at_;
  return true;
}

// "router0:port1" as steps; nothing is added when the word is no such thing.
bool Parser::alias_path(std::vector<Step>& out) {
  std::vector<Step> steps;
  std::string_view rest = peek();
  const Object* at = &root();
  while (!rest.empty()) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    const Collection* found = find_by_alias(*at, rest.substr(0, colon));
    if (found == nullptr) return false;
    steps.push_back({found, std::string(rest.substr(0, colon)), {}});
    at = found->of;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  if (steps.empty()) return false;
  ++at_;
  for (Step& step : steps) out.push_back(std::move(step));
  return true;
}

// Behind a reference: "router router0 port port1", "chain name web". Empty: the value is one word.
std::vector<Step> Parser::reference_path() {
  std::vector<Step> path;
  while (!at_end(1)) {
    const Collection* found = find_collection(end_of(path), peek());
    if (found == nullptr) break;
    const Field* field = find_field(*found->of, peek(1));
    if (field == nullptr ? !is_id(*found, peek(1)) : at_end(2)) break;
    ++at_;
    Step step{found, {}, {}};
    if (field == nullptr) {
      step.id = take();
    } else {
      ++at_;
      step.filter.push_back({field, take(), {}});
    }
    path.push_back(std::move(step));
  }
  return path;
}

Result<Assignment> Parser::assignment(const Object& of) {
  Assignment out;
  out.field = find_field(of, take());
  if (out.field->is_reference()) {
    out.object = reference_path();
    if (!out.object.empty()) return out;
  }
  if (at_end()) return no_value(*out.field);
  out.value = take();
  return out;
}

// "FIELD VALUE" while there are any, each field once.
Parser::Parsed Parser::pairs(const Object& of, size_t most, std::vector<Assignment>& out) {
  while (!at_end(1) && out.size() < most) {
    const Field* field = find_field(of, peek());
    if (field == nullptr) break;
    if (std::ranges::any_of(out, [&](const Assignment& each) { return each.field == field; })) break;
    auto next = assignment(of);
    if (!next) return next.failure();
    out.push_back(std::move(*next));
  }
  return Done{};
}

Parser::Parsed Parser::by_filter(const Collection& found) {
  std::vector<Assignment> given;
  // Where values follow that are no filter, one says which object.
  const size_t most = is(Verb::set) || is(Verb::clear) ? 1 : words_.size();
  if (auto taken = pairs(*found.of, most, given); !taken) return taken;
  const bool goes_on = !at_end() && (find_collection(*found.of, peek()) != nullptr ||
                                     (verb_ == nullptr && find_verb(peek()) != nullptr));
  const bool below = (is(Verb::list) || is(Verb::create)) && !goes_on;
  if (below) {
    command_.target = &found;
    command_.fields = std::move(given);
  } else {
    command_.path.push_back({&found, {}, std::move(given)});
  }
  return Done{};
}

Parser::Parsed Parser::collection(const Collection& found) {
  ++at_;
  if (found.verbs == kSingle) {
    command_.path.push_back({&found, {}, {}});
    return Done{};
  }
  if (!at_end(1) && find_field(*found.of, peek()) != nullptr) return by_filter(found);
  const bool ends = at_end() || (verb_ == nullptr && find_verb(peek()) != nullptr);
  // Behind "create bridge" and the like there may be an id after all: "create bridge bridge0 port".
  if (ends || ((is(Verb::list) || is(Verb::create) || is(Verb::describe)) && !is_id(found, peek()))) {
    command_.target = &found;
    return Done{};
  }
  if (const Field* field = find_field(*found.of, peek())) return no_value(*field);
  if (!is_id(found, peek())) return no_id(found, peek());
  command_.path.push_back({&found, take(), {}});
  return Done{};
}

Parser::Parsed Parser::structure() {
  while (!at_end() && (command_.target == nullptr || is(Verb::describe))) {
    if (take_verb()) {
      if (is_plain(verb_->verb)) return Done{};
      continue;
    }
    if (const Collection* found = find_collection(context(), peek())) {
      if (auto taken = collection(*found); !taken) return taken;
      continue;
    }
    if (command_.path.empty() && alias_path(command_.path)) continue;
    break;
  }
  return Done{};
}

Parser::Parsed Parser::names() {
  while (!at_end()) {
    const Field* field = find_field(context(), peek());
    if (field == nullptr) break;
    command_.names.push_back(field);
    ++at_;
  }
  take_verb();
  return Done{};
}

Parser::Parsed Parser::finish() {
  if (verb_ == nullptr && command_.target != nullptr) take_verb();
  if (verb_ != nullptr && is_plain(verb_->verb)) {
    command_.words.assign(words_.begin() + static_cast<ptrdiff_t>(at_), words_.end());
    at_ = words_.size();
    return Done{};
  }
  const bool takes_values = is(Verb::set) || ((is(Verb::list) || is(Verb::create)) && command_.target != nullptr);
  if (!takes_values) return names();
  while (!at_end() && find_field(context(), peek()) != nullptr) {
    auto next = assignment(context());
    if (!next) return next.failure();
    command_.fields.push_back(std::move(*next));
  }
  return Done{};
}

Failure Parser::left_over() const {
  const Object& at = context();
  const std::string what = at.name == root().name ? "the root" : with_article(at.title);
  std::string possible;
  if (command_.target == nullptr) possible = "collections: " + names_of_collections(at);
  if (!at.fields.empty()) possible += (possible.empty() ? "" : "; ") + ("fields: " + names_of_fields(at));
  if (verb_ == nullptr) {
    possible += "; verbs:";
    for (const VerbName& each : verbs()) possible += " " + std::string(each.name);
  }
  return usage_error("'" + peek() + "' is nothing that " + what + " has", possible);
}

Result<Command> Parser::run() {
  if (auto parsed = structure(); !parsed) return parsed.failure();
  if (auto parsed = finish(); !parsed) return parsed.failure();
  if (!at_end()) return left_over();
  command_.verb = verb_ == nullptr ? Verb::show : verb_->verb;
  if (auto checked = check(command_, verb_, words_.front()); !checked) return checked.failure();
  return std::move(command_);
}

std::vector<std::string> Parser::next(const std::vector<std::string>& aliases) {
  std::vector<std::string> out;
  const bool whole = structure() && finish() && at_end();
  if (awaited_ != nullptr) {
    for (const Word& word : awaited_->words) out.emplace_back(word.cli);
    const std::string possible = awaited_->words.empty() ? describe(*awaited_) : "";
    for (const std::string_view pair : {"true | false", "up | down", "yes | no", "fwd-flow | return-flow"}) {
      if (possible != pair) continue;
      out.emplace_back(pair.substr(0, pair.find(' ')));
      out.emplace_back(pair.substr(pair.rfind(' ') + 1));
    }
    if (!awaited_->is_reference()) return out;
    for (const Collection& each : root().collections) out.emplace_back(each.name);
    out.insert(out.end(), aliases.begin(), aliases.end());
    return out;
  }
  if (!whole) return out;
  if (verb_ == nullptr) {
    for (const VerbName& each : verbs()) out.emplace_back(each.name);
  } else if (is(Verb::debug)) {
    return {"on", "off"};
  } else if (is(Verb::help)) {
    for (const VerbName& each : verbs()) out.emplace_back(each.name);
  } else if (is_plain(verb_->verb)) {
    return out;
  }
  if (command_.target == nullptr) {
    for (const Collection& each : context().collections) out.emplace_back(each.name);
  }
  for (const Field& field : context().fields) {
    if (command_.target != nullptr || !(is(Verb::remove) || is(Verb::list) || is(Verb::create)))
      out.emplace_back(field.name);
  }
  if (command_.path.empty()) {
    for (const std::string& alias : aliases) {
      const Collection* found = find_by_alias(root(), std::string_view(alias).substr(0, alias.find(':')));
      if (found != nullptr && (command_.target == nullptr || command_.target == found)) out.push_back(alias);
    }
  }
  return out;
}

}  // namespace

Result<Command> parse(const std::vector<std::string>& words) { return Parser(words).run(); }

std::vector<std::string> suggest(const std::vector<std::string>& words, const std::vector<std::string>& aliases) {
  const std::vector<std::string> before(words.begin(), words.empty() ? words.end() : words.end() - 1);
  const std::string begun = words.empty() ? std::string() : words.back();
  std::vector<std::string> out = Parser(before).next(aliases);
  std::erase_if(out, [&](const std::string& each) { return !each.starts_with(begun); });
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace viaduct::api::midonet_cli
