#include "api/rest/openapi.hpp"

#include <algorithm>

#include "api/rest/http.hpp"
#include "api/rest/media_type.hpp"
#include "api/rest/openapi_parts.hpp"

namespace viaduct::api::rest {

using namespace description;

namespace {

Json range() {
  const Json port = integer(0, 65'535);
  return {{"type", "object"}, {"properties", {{"start", port}, {"end", port}}}, {"required", {"start", "end"}}};
}

Json number_of(const Resource& resource, const Member& member) {
  const bool own = member.least != 0 || member.most != 0;
  const Field* field = member.field.empty() ? nullptr : info(resource.kind).find(member.field);
  const auto most = field == nullptr ? INT64_MAX : static_cast<int64_t>(std::min<uint64_t>(field->maximum, INT64_MAX));
  const auto least = field == nullptr ? 0 : static_cast<int64_t>(field->minimum);
  return integer(own ? member.least : least, own && member.most != 0 ? member.most : most);
}

Json choice(const Member& member) {
  Json words = Json::array();
  for (const Word& word : member.words) words.push_back(text(word.wire));
  return {{"type", "string"}, {"enum", words}};
}

Json schema_of(const Resource& resource, const Member& member) {
  switch (member.shape) {
    case Shape::id:
      return uuid();
    case Shape::reference:
      return with_null(uuid());
    case Shape::references:
      return {{"type", "array"}, {"items", uuid()}};
    case Shape::boolean:
    case Shape::inverted:
    case Shape::always_false:
      return {{"type", "boolean"}};
    case Shape::number:
      return number_of(resource, member);
    case Shape::optional_number:
    case Shape::named_number:
      return with_null(number_of(resource, member));
    case Shape::prefix_length:
      return integer(0, 128);
    case Shape::choice:
      return choice(member);
    case Shape::cidrs:
      return {{"type", "array"}, {"items", {{"type", "string"}, {"examples", {"10.0.0.1/24", "fd00::1/64"}}}}};
    case Shape::range:
      return with_null(range());
    case Shape::always_empty:
      return {{"type", "array"}, {"maxItems", 0}};
    case Shape::always_null:
      return {{"type", "null"}};
    case Shape::special:
      return Json::object();  // anything: several forms are taken
    default:
      return with_null({{"type", "string"}});
  }
}

Json document_schema(const Resource& resource) {
  Json properties = Json::object(), required = Json::array();
  for (const Member& member : resource.members) {
    Json schema = schema_of(resource, member);
    if (member.direction == Direction::out) schema["readOnly"] = true;
    properties[text(member.name)] = std::move(schema);
    if (member.required && member.variants == 0) required.push_back(text(member.name));
  }
  for (const Link& link : resource.links) {
    properties[text(link.name)] = {{"type", {"string", "null"}}, {"readOnly", true}};
  }
  properties["uri"] = {{"type", "string"}, {"readOnly", true}};
  Json out = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}

Json content(const Resource& resource, Form form) {
  const Json one = reference(resource.media);
  const Json schema = form == Form::one ? one : Json({{"type", "array"}, {"items", one}});
  Json out = {{text(kJsonType), {{"schema", schema}}}};
  for (uint8_t version : resource.versions) {
    out[vendor_type(resource.media, version, form == Form::list)] = {{"schema", schema}};
  }
  return out;
}

Json operation(const Resource& resource, Method method, Form form, std::string_view id) {
  Json out = {{"operationId", text(id)}, {"tags", {text(resource.media)}}};
  if (method == Method::get) {
    out["responses"] = answers("200", {{"description", "What is there"}, {"content", content(resource, form)}}, method);
    if (form == Form::list) {
      out["parameters"] = {parameter("limit", "query", "So many at most; Link names the next page", integer(1, 10'000)),
                           parameter("marker", "query", "The id of the last one before", uuid())};
    }
    return out;
  }
  out["parameters"] = {
      parameter("wait", "query", "Answer when every agent at work has it", {{"type", "string"}, {"enum", {"applied"}}}),
      parameter("dry-run", "query", "Say what would change, and change nothing", {{"type", "boolean"}})};
  if (method != Method::remove) out["requestBody"] = {{"required", true}, {"content", content(resource, Form::one)}};
  if (method != Method::post) {
    out["parameters"].push_back(parameter("If-Match", "header", "The ETag that was read", {{"type", "string"}}));
  }
  const bool created = method == Method::post;
  Json success = {{"description", created ? "Created" : "Done"}};
  if (created) {
    success["headers"] = {{"Location", {{"description", "Its URI"}, {"schema", {{"type", "string"}}}}}};
  }
  out["responses"] =
      answers(created ? "201" : (resource.kind == Kind::HOST ? "200" : "204"), std::move(success), method);
  return out;
}

// "pool_members" -> "PoolMembers"
std::string camel(std::string_view path) {
  std::string out;
  bool upper = true;
  for (char c : path) {
    if (c == '_' || c == '/') {
      upper = true;
    } else {
      out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    }
  }
  return out;
}

void add_collection(Json& paths, const std::string& path, const Resource& resource, uint8_t verbs,
                    const std::string& name) {
  if ((verbs & kList) != 0) paths[path]["get"] = operation(resource, Method::get, Form::list, "list" + name);
  if ((verbs & kCreate) != 0) paths[path]["post"] = operation(resource, Method::post, Form::one, "create" + name);
}

void add_object(Json& paths, const std::string& path, const Resource& resource, uint8_t verbs,
                const std::string& name) {
  Json item = Json::object();
  if ((verbs & kGet) != 0) item["get"] = operation(resource, Method::get, Form::one, "get" + name);
  if ((verbs & kUpdate) != 0) item["put"] = operation(resource, Method::put, Form::one, "update" + name);
  if ((verbs & kRemove) != 0) item["delete"] = operation(resource, Method::remove, Form::one, "delete" + name);
  if (item.empty()) return;
  item["parameters"] = {parameter("id", "path", "Of the object", uuid())};
  paths[path] = std::move(item);
}

struct PathParameter {
  std::string_view name, description;
  Json schema;
};
const PathParameter& path_parameter(std::string_view name) {
  static const auto known = std::to_array<PathParameter>({
      {"id", "Of the object above", uuid()},
      {"hostId", "Of the host", uuid()},
      {"portId", "Of the port", uuid()},
      {"vlanId", "0: frames without one", integer(0, 4'094)},
      {"version", "Of IP", {{"type", "integer"}, {"enum", {4, 6}}}},
      {"address", "Or a prefix", {{"type", "string"}, {"examples", {"10.0.0.7", "fd00::7"}}}},
      {"macPort",
       "MAC and port",
       {{"type", "string"}, {"examples", {"02-00-00-00-00-01_5a0c0000-0000-4000-8000-000000000001"}}}},
      {"ipMac", "Address and MAC", {{"type", "string"}, {"examples", {"10.0.0.7_02-00-00-00-00-01"}}}},
  });
  return *std::ranges::find(known, name, &PathParameter::name);
}

// "/bridges/{id}/vlans/{vlanId}/mac_table": id, vlanId
Json path_parameters(const std::string& path) {
  Json out = Json::array();
  for (size_t from = path.find('{'); from != std::string::npos; from = path.find('{', from + 1)) {
    const auto& known = path_parameter(path.substr(from + 1, path.find('}', from) - from - 1));
    out.push_back(parameter(known.name, "path", known.description, known.schema));
  }
  return out;
}

// Entries of tables: what is no resource of its own.
void add_places(Json& out, const Collection& collection) {
  const std::string name = camel(collection.parent) + camel(collection.name);
  for (std::string_view place : collection.places) {
    if (place.empty()) continue;
    const std::string path = "/" + text(collection.parent) + "/{id}/" + text(place);
    const std::string called = place.starts_with("vlans/") ? name + "OfVlan" : name;
    if (place.ends_with('}')) {
      add_object(out, path, *collection.of, collection.verbs, called);
    } else {
      add_collection(out, path, *collection.of, collection.verbs, called);
    }
    out[path]["parameters"] = path_parameters(path);
  }
}

Json paths() {
  Json out = Json::object();
  for (const Resource* each : resources()) {
    const std::string path = "/" + text(each->path);
    add_collection(out, path, *each, each->verbs, camel(each->path));
    add_object(out, path + "/{id}", *each, each->verbs, camel(each->path));
  }
  add_others(out);
  for (const Collection& each : collections()) {
    const std::string path = "/" + text(each.parent) + "/{id}/" + text(each.name);
    add_collection(out, path, *each.of, each.verbs, camel(each.parent) + camel(each.name));
    out[path]["parameters"] = path_parameters(path);
    add_places(out, each);
  }
  return out;
}

}  // namespace

Json openapi(const std::string& base) {
  Json schemas = {{"Error",
                   {{"type", "object"},
                    {"properties",
                     {{"message", {{"type", {"string", "null"}}}},
                      {"code", {{"type", "integer"}}},
                      {"requestId", {{"type", "string"}}},
                      {"violations",
                       {{"type", "array"},
                        {"items",
                         {{"type", "object"},
                          {"properties", {{"property", {{"type", "string"}}}, {"message", {{"type", "string"}}}}}}}}}}},
                    {"required", {"message", "code"}}}}};
  for (const Resource* each : resources()) schemas[text(each->media)] = document_schema(*each);
  for (const Collection& each : collections()) schemas[text(each.of->media)] = document_schema(*each.of);
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Viaduct"},
            {"version", "5.0"},
            {"description",
             "MidoNet's REST API, and what is beyond it. Documents take more than the schemas say: numbers "
             "as texts, members that are not known."}}},
          {"servers", {{{"url", base.substr(0, base.size() - 1)}}}},
          {"security", {{{"token", Json::array()}}, {{"bearer", Json::array()}}}},
          {"paths", paths()},
          {"components",
           {{"schemas", std::move(schemas)},
            {"securitySchemes",
             {{"token", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-Auth-Token"}}},
              {"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
              {"basic", {{"type", "http"}, {"scheme", "basic"}}}}}}}};
}

}  // namespace viaduct::api::rest
