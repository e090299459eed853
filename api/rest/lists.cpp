// Lists: what is left out, in which order, and in pages.
#include <algorithm>

#include "api/rest/call.hpp"
#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

constexpr size_t kMostListed = 10'000;

bool passes_filters(const Call& call, const Record& record) {
  const std::string* tenant = call.request.parameter("tenant_id");
  const bool filtered = record.kind() == Kind::BRIDGE || record.kind() == Kind::ROUTER ||
                        record.kind() == Kind::CHAIN || record.kind() == Kind::PORT_GROUP;
  if (tenant != nullptr && filtered && record.get("tenant") != Value(*tenant)) return false;
  const std::string* monitor = call.request.parameter("hm_id");
  if (monitor == nullptr || record.kind() != Kind::POOL) return true;
  const auto id = Uuid::parse(*monitor);
  return id && record.reference("health_monitor") == *id;
}

// Port groups that a port is in: "?port_id=".
Result<Done> keep_groups_of_port(Call& call, std::vector<Record>& groups) {
  const std::string* text = call.request.parameter("port_id");
  if (text == nullptr || groups.empty() || groups.front().kind() != Kind::PORT_GROUP) return Done{};
  const auto port = Uuid::parse(*text);
  auto members = call.context.naming(Kind::PORT_GROUP_PORT, "port", port.value_or(Uuid{}));
  if (!members) return members.failure();
  std::erase_if(groups, [&](const Record& group) {
    return std::ranges::none_of(*members, [&](const Record& each) { return each.reference("group") == group.id(); });
  });
  return Done{};
}

// "?limit=100&marker=ID": the first hundred behind that object. Lists of rules keep their order, all others are by id.
Result<std::string> cut_page(const Call& call, std::vector<Record>& records) {
  const std::string* limit_text = call.request.parameter("limit");
  const std::string* marker_text = call.request.parameter("marker");
  if (limit_text == nullptr && marker_text == nullptr) return std::string();
  if (!records.empty() && records.front().kind() != Kind::RULE) std::ranges::sort(records, {}, &Record::id);
  if (marker_text != nullptr) {
    const auto marker = Uuid::parse(*marker_text);
    auto at = std::ranges::find_if(records, [&](const Record& record) { return marker && record.id() == *marker; });
    if (at == records.end()) {
      return Failure{ExitCode::refused,
                     "invalid",
                     "marker: the list has no object " + *marker_text,
                     "begin again without a marker",
                     {}};
    }
    records.erase(records.begin(), at + 1);
  }
  const auto limit =
      static_cast<size_t>(limit_text == nullptr ? kMostListed : std::strtoull(limit_text->c_str(), nullptr, 10));
  if (limit == 0 || limit > kMostListed) {
    return Failure{
        ExitCode::refused, "invalid", "limit: must be a number from 1 to " + std::to_string(kMostListed), {}, {}};
  }
  if (records.size() <= limit) return std::string();
  records.erase(records.begin() + static_cast<ptrdiff_t>(limit), records.end());
  std::string next = call.context.base() + call.whole_path() + "?limit=" + std::to_string(limit) +
                     "&marker=" + records.back().id().to_string();
  for (const auto& [name, value] : call.request.query) {
    if (name != "limit" && name != "marker") next += "&" + encode_segment(name) + "=" + encode_segment(value);
  }
  return next;
}

}  // namespace

Answer list_of(Call& call, const Resource& resource, std::vector<Record> records) {
  const auto type = acceptable(call.request.header("accept"), resource, Form::list);
  if (!type) return not_acceptable();
  std::erase_if(records,
                [&](const Record& record) { return !passes_filters(call, record) || !call.context.visible(record); });
  if (const auto failure = call.context.failure()) return *failure;
  auto kept = keep_groups_of_port(call, records);
  if (!kept) return kept.failure();
  auto next = cut_page(call, records);
  if (!next) return next.failure();
  Json list = Json::array();
  for (const Record& record : records) list.push_back(Emission(resource, record, call.context).document());
  if (const auto failure = call.context.failure()) return *failure;
  Response response = json_response(list, *type);
  if (!next->empty()) response.headers.emplace_back("Link", "<" + *next + ">; rel=\"next\"");
  return response;
}

}  // namespace viaduct::api::rest
