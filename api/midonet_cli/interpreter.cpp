#include "api/midonet_cli/interpreter.hpp"

#include <ostream>

#include "api/midonet_cli/help.hpp"
#include "api/midonet_cli/parser.hpp"
#include "api/midonet_cli/tokenizer.hpp"

namespace viaduct::api::midonet_cli {
namespace {

// An object's line stays one, whatever is in it.
std::string one_line(std::string text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= ' ' && c != 0x7f) {
      out += c;
      continue;
    }
    static constexpr char kDigits[] = "0123456789abcdef";
    out += {'\\', 'x', kDigits[static_cast<unsigned char>(c) >> 4], kDigits[c & 15]};
  }
  return out;
}

}  // namespace

// --- printing -----------------------------------------------------------------------------------------

void Interpreter::print(const Json& json) {
  streams_.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

std::string Interpreter::shown(const Field& field, const std::string& text) {
  if (!field.is_reference()) return one_line(text);
  const bool inverted = text.starts_with('!');
  std::string out;
  for (const std::string& each : split_list(std::string_view(text).substr(inverted ? 1 : 0)))
    out += (out.empty() ? "" : ",") + navigator_.name_of_reference(field, each);
  return (inverted ? "!" : "") + out;
}

std::string Interpreter::fields_of(const Found& found) {
  std::string out;
  for (const Field& field : found.object->fields) {
    if (field.has(kHidden)) continue;
    const auto text = text_of(field, found.document.json);
    if (text) out += (out.empty() ? "" : " ") + std::string(field.name) + " " + shown(field, *text);
  }
  return out;
}

std::string Interpreter::line_of(const Found& found) {
  std::string out(found.object->name);
  if (!found.uuid.empty()) out += " " + navigator_.name_of(found);
  const std::string fields = fields_of(found);
  return fields.empty() ? out : out + " " + fields;
}

// --- list, show ---------------------------------------------------------------------------------------

Interpreter::Outcome Interpreter::list(const Command& command) {
  auto path = navigator_.resolve(command.path);
  if (!path) return path.failure();
  auto all = navigator_.list(path->empty() ? nullptr : &path->back(), *command.target, command.fields, tenant_);
  if (!all) return in_words(all.failure(), *command.target->of, "listed", {});
  if (streams_.output == Output::json) {
    Json array = Json::array();
    for (Found& found : *all) array.push_back(std::move(found.document.json));
    print(array);
    return Done{};
  }
  for (const Found& found : *all) print(found.uuid.empty() ? fields_of(found) : line_of(found));
  return Done{};
}

Interpreter::Outcome Interpreter::show_fields(const Command& command, const Found& found) {
  Json json = Json::object();
  for (const Field* each : command.names) {
    auto field = own_field(found, *each);
    if (!field) return field.failure();
    const auto text = text_of(**field, found.document.json);
    if (streams_.output == Output::json) {
      json[std::string((*field)->name)] = text ? Json(*text) : Json(nullptr);
    } else if (text && (*field)->form == Form::reference && !text->starts_with('!')) {
      // As MidoNet's: the object itself.
      auto other = navigator_.referred(**field, *text);
      if (other) {
        // Its alias is below what it is in.
        const std::string name = navigator_.name_of_reference(**field, *text);
        const std::string fields = fields_of(*other);
        print(std::string(other->object->name) + " " + name + (fields.empty() ? "" : " " + fields));
      } else if (other.failure().code == "not_found") {
        print(shown(**field, *text));
      } else {
        return other.failure();
      }
    } else {
      print(text ? shown(**field, *text) : std::string());
    }
  }
  if (streams_.output == Output::json) print(json);
  return Done{};
}

Interpreter::Outcome Interpreter::show(const Command& command) {
  auto path = navigator_.resolve(command.path);
  if (!path) return path.failure();
  const Found& found = path->back();
  for (const Found& above : *path) navigator_.name_of(above);
  if (!command.names.empty()) return show_fields(command, found);
  if (streams_.output == Output::json) {
    print(found.document.json);
  } else {
    print(line_of(found));
  }
  return Done{};
}

// --- the rest -----------------------------------------------------------------------------------------

void Interpreter::set_debug(Debug debug) {
  if (debug == Debug::off) {
    documents_.trace({});
  } else {
    documents_.trace([this](const std::string& line) { streams_.err << line << '\n'; });
  }
}

Interpreter::Outcome Interpreter::change_debug(const Command& command) {
  const bool on = command.words.at(0) == "on";
  set_debug(on ? Debug::on : Debug::off);
  print(std::string("turned ") + (on ? "on" : "off") + " debug mode");
  return Done{};
}

Interpreter::Outcome Interpreter::change_tenant(const Command& command) {
  tenant_ = command.verb == Verb::set_tenant ? command.words.at(0) : std::string();
  print("tenant_id: " + (tenant_.empty() ? "None" : one_line(tenant_)));
  return Done{};
}

Interpreter::Outcome Interpreter::carry_out(const Command& command) {
  switch (command.verb) {
    case Verb::list:
      return list(command);
    case Verb::show:
      return show(command);
    case Verb::create:
      return create(command);
    case Verb::set:
    case Verb::clear:
      return change(command);
    case Verb::remove:
      return remove(command);
    case Verb::describe:
      streams_.out << description(command.target != nullptr ? *command.target->of : end_of(command.path));
      return Done{};
    case Verb::set_tenant:
    case Verb::clear_tenant:
      return change_tenant(command);
    case Verb::debug:
      return change_debug(command);
    case Verb::help: {
      auto text = help(command.words);
      if (!text) return text.failure();
      streams_.out << *text;
      return Done{};
    }
    case Verb::quit:
      return Done{};
  }
  return Done{};
}

Result<Next> Interpreter::run(std::string_view line) {
  auto words = split_words(line);
  if (!words) return words.failure();
  if (words->empty() || words->front().starts_with('#')) return Next::line;
  auto command = parse(*words);
  if (!command) return command.failure();
  auto done = carry_out(*command);
  streams_.out.flush();
  if (!done) return done.failure();
  return command->verb == Verb::quit ? Next::end : Next::line;
}

}  // namespace viaduct::api::midonet_cli
