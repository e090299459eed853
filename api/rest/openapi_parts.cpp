#include "api/rest/openapi_parts.hpp"

#include "api/rest/media_type.hpp"

namespace viaduct::api::rest::description {

std::string text(std::string_view view) { return std::string(view); }
Json reference(std::string_view name) { return {{"$ref", "#/components/schemas/" + text(name)}}; }

Json with_null(Json schema) {
  schema["type"] = {schema.at("type"), "null"};
  return schema;
}

Json uuid() { return {{"type", "string"}, {"format", "uuid"}}; }

Json integer(int64_t least, int64_t most) { return {{"type", "integer"}, {"minimum", least}, {"maximum", most}}; }

Json failure(std::string_view description) {
  return {{"description", text(description)}, {"content", {{error_type(), {{"schema", reference("Error")}}}}}};
}

Json answers(const std::string& status, Json success, Method method) {
  Json out = {{status, std::move(success)},
              {"401", failure("Nobody who is known")},
              {"404", failure("Not there")},
              {"429", failure("Too many requests; Retry-After says when to try again")},
              {"503", failure("Not now; try again")}};
  if (method == Method::get) return out;
  out["400"] = failure("It makes no sense, or breaks a rule of the topology");
  out["403"] = failure("The user may not");
  out["409"] = failure("Something else is in the way, or has come in between");
  out["412"] = failure("The object has changed since it was read");
  out["415"] = failure("The body's type or coding is not taken");
  out["501"] = failure("A later version has it");
  return out;
}

Json parameter(std::string_view name, std::string_view where, std::string_view description, Json schema) {
  return {{"name", text(name)},
          {"in", text(where)},
          {"description", text(description)},
          {"schema", std::move(schema)},
          {"required", where == "path"}};
}

}  // namespace viaduct::api::rest::description
