#include "api/rest/event.hpp"

#include <capnp/message.h>

#include <algorithm>

#include "api/rest/document.hpp"
#include "api/rest/tenancy.hpp"
#include "topology/codec.hpp"

namespace viaduct::api::rest {
namespace {

const Resource* resource_of(Kind kind) {
  auto own = std::ranges::find_if(resources(), [&](const Resource* each) { return each->kind == kind; });
  if (own != resources().end()) return *own;
  auto below = std::ranges::find_if(collections(), [&](const Collection& each) { return each.of->kind == kind; });
  return below == collections().end() ? nullptr : below->of;
}

std::optional<Record> record_of(const topology::Ref<topology::Object>& object) {
  if (object == nullptr) return std::nullopt;
  capnp::MallocMessageBuilder message;
  auto encoded = message.initRoot<schema::Object>();
  topology::encode(*object, encoded);
  auto record = Record::from(encoded.asReader());
  return record ? std::optional(std::move(*record)) : std::nullopt;
}

// As it is now, or was before the commit deleted it: what goes along with its owner still was that owner's.
FindRecord finder(const topology::Snapshot& snapshot, const topology::Delta& delta) {
  return [&](Kind kind, const Uuid& id) -> std::optional<Record> {
    const auto known = topology::decode(kind);
    if (!known) return std::nullopt;
    const topology::ObjectRef ref{*known, id};
    if (auto now = record_of(snapshot.find(ref))) return now;
    auto changed = delta.changes.find(ref);
    return changed == delta.changes.end() ? std::nullopt : record_of(changed->second.before);
  };
}

std::string text_of(std::string_view action, const Json& data) {
  return "event: " + std::string(action) + "\ndata: " + data.dump(-1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

}  // namespace

std::string resource_name(Kind kind) {
  const Resource* resource = resource_of(kind);
  if (resource == nullptr || !resource->path.empty()) return std::string(resource == nullptr ? "" : resource->path);
  auto at = std::ranges::find_if(collections(), [&](const Collection& each) { return each.of == resource; });
  return std::string(at->parent) + "/" + std::string(at->name);
}

bool WatchFilter::passes(const Event& event) const {
  if (tenant && event.tenant != tenant) return false;
  return resources.empty() || std::ranges::find(resources, event.resource) != resources.end();
}

Result<WatchFilter> watch_filter(const Request& request) {
  WatchFilter filter;
  if (const std::string* tenant = request.parameter("tenant_id")) filter.tenant = *tenant;
  const std::string* wanted = request.parameter("resource");
  std::vector<std::string> known;
  for (const KindInfo& each : kinds()) known.push_back(resource_name(each.kind));
  for (std::string_view rest = wanted == nullptr ? std::string_view() : *wanted; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (name.empty()) continue;
    if (std::ranges::find(known, name) == known.end()) {
      return Failure{ExitCode::refused,
                     "invalid",
                     "resource: there is no '" + std::string(name) + "'",
                     "name paths, as in resource=bridges,port_groups/ports",
                     {}};
    }
    filter.resources.emplace_back(name);
  }
  return filter;
}

std::vector<Event> events_of(const topology::Snapshot& snapshot, const topology::Delta& delta, Client* client,
                             const std::string& base) {
  std::vector<Event> out;
  const FindRecord find = finder(snapshot, delta);
  std::optional<Context> context;
  if (client != nullptr) context.emplace(*client, base);
  for (const auto& [ref, change] : delta.changes) {
    const auto record = record_of(change.after ? change.after : change.before);
    const Resource* resource = record ? resource_of(record->kind()) : nullptr;
    if (resource == nullptr) continue;
    Event event{.revision = delta.to_revision};
    event.resource = resource_name(record->kind());
    event.tenant = owner_of(*record, find);
    Json document = nullptr;
    std::string uri;
    if (context) {
      const Emission emission(*resource, *record, *context);
      uri = emission.uri();
      if (change.after && !context->failure()) document = emission.document();
      if (context->failure()) document = nullptr;
    }
    const char* action = !change.after ? "deleted" : change.before ? "updated" : "created";
    event.text = text_of(action, {{"revision", delta.to_revision},
                                  {"resource", event.resource},
                                  {"id", record->id().to_string()},
                                  {"uri", uri.empty() ? Json(nullptr) : Json(uri)},
                                  {"document", std::move(document)}});
    out.push_back(std::move(event));
  }
  if (!out.empty()) out.back().is_last = true;
  return out;
}

}  // namespace viaduct::api::rest
