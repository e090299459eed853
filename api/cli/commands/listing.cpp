#include "api/cli/commands/listing.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

// What is shown with an object: of one kind, sorted.
struct Section {
  const KindInfo& kind;
  std::vector<Record> records;
};

Result<std::vector<Section>> sections_of(Directory& directory, const Record& record) {
  std::vector<Section> sections;
  for (Kind kind : record.info().shown_with) {
    auto records = directory.naming(kind, record.id());
    if (!records) return records.failure();
    if (!records->empty()) {
      if (auto loaded = directory.load_targets(info(kind)); !loaded) return loaded.failure();
    }
    sort_records(*records);
    sections.push_back({info(kind), std::move(*records)});
  }
  return sections;
}

void print_fields(Session& session, Directory& directory, const Record& record) {
  std::ostream& out = session.out();
  out << directory.describe(record) << '\n';
  auto line = [&](std::string_view name, const std::string& text) {
    out << "  " << name << std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') << (text.empty() ? "-" : text)
        << '\n';
  };
  line("id", record.id().to_string());
  line("revision", std::to_string(record.revision()));
  for (const Field& field : record.info().fields) {
    const std::string text = directory.text_of(record, field);
    if (field.sense == Sense::plain || !text.empty()) line(field.name, text);
  }
}

Json json_with(Directory& directory, const Record& record, const std::vector<Section>& sections) {
  Json out = directory.json_of(record);
  for (const Section& section : sections) {
    std::string key(section.kind.plural);
    std::ranges::replace(key, '-', '_');
    Json& list = out[key] = Json::array();
    for (const Record& one : section.records) list.push_back(directory.json_of(one));
  }
  return out;
}

// Of a pool with a health monitor: what is found of its members, as this daemon's agent has heard it.
Result<Json> health_of(Session& session, const Record& pool) {
  auto client = session.client();
  if (!client) return client.failure();
  auto fill = [&](schema::AdminRequest::Builder request) { set_uuid(request.initState().initDevice(), pool.id()); };
  auto reply = (*client)->ask(fill, schema::AdminReply::STATE);
  if (!reply) return reply.failure();
  return (*reply)["entries"];
}

bool is_monitored(const Record& record) {
  return record.info().kind == Kind::POOL && !record.reference("health_monitor").is_nil();
}

void print_health(Session& session, const Record& pool) {
  auto health = health_of(session, pool);
  session.out() << "\nhealth:";
  if (!health) {
    session.out() << " unknown here: " << health.failure().message << '\n';
    return;
  }
  Table table({"MEMBER", "STATE", "WHY", "FOR"});
  for (const Json& entry : *health) {
    if (text_at(entry, "table") == "checker") session.out() << " checked by " << text_at(entry, "key");
    if (text_at(entry, "table") != "member") continue;
    table.row({text_at(entry, "key"), text_at(entry, "state"), text_at(entry, "value"),
               duration(entry["age_seconds"].get<double>())});
  }
  session.out() << (table.empty() ? " not checked yet\n" : "\n");
  if (!table.empty()) table.print(session.out());
}

std::string heading_of(const Field& field) {
  std::string heading(field.name);
  std::ranges::transform(heading, heading.begin(), [](char c) { return c == '_' ? ' ' : std::toupper(c); });
  return heading;
}

}  // namespace

void sort_records(std::vector<Record>& records) {
  // Rules as packets meet them, chain by chain.
  const auto place = [](const Record& record) {
    const Value& position = record.get("position");
    const bool placed = std::holds_alternative<uint64_t>(position);
    return std::tuple(record.name(), placed ? record.reference("chain") : Uuid{},
                      placed ? std::get<uint64_t>(position) : 0, record.id());
  };
  std::ranges::sort(records, [&](const Record& left, const Record& right) { return place(left) < place(right); });
}

void print_records(Session& session, Directory& directory, const std::vector<Record>& records, const Uuid& of) {
  if (records.empty()) return;
  std::vector<const Field*> columns;
  std::vector<std::string> headings;
  for (const Field& field : records.front().info().fields) {
    const bool common =
        !of.is_nil() && field.type == FieldType::reference &&
        std::ranges::all_of(records, [&](const Record& one) { return one.reference(field.name) == of; });
    const bool next_gathered =
        field.column == Column::gathered && !columns.empty() && columns.back()->column == field.column;
    if (field.column == Column::hidden || common || next_gathered) continue;
    columns.push_back(&field);
    headings.push_back(field.column == Column::gathered ? "MATCH" : heading_of(field));
  }
  headings.push_back("ID");
  Table table(headings);
  for (const Record& record : records) {
    std::vector<std::string> cells;
    for (const Field* field : columns) {
      const bool gathered = field->column == Column::gathered;
      cells.push_back(gathered ? directory.gathered(record) : directory.text_of(record, *field));
    }
    cells.push_back(record.id().to_string());
    table.row(std::move(cells));
  }
  table.print(session.out());
}

Result<ExitCode> show(Session& session, Directory& directory, const Record& record) {
  auto sections = sections_of(directory, record);
  if (!sections) return sections.failure();
  if (session.wants_json()) {
    Json json = json_with(directory, record, *sections);
    if (is_monitored(record)) {
      auto health = health_of(session, record);
      json["health"] = health ? *health : Json(nullptr);
    }
    session.print(json);
    return ExitCode::ok;
  }
  print_fields(session, directory, record);
  for (const Section& section : *sections) {
    session.out() << '\n' << section.kind.plural << (section.records.empty() ? ": none\n" : ":\n");
    print_records(session, directory, section.records, record.id());
  }
  if (is_monitored(record)) print_health(session, record);
  return ExitCode::ok;
}

}  // namespace viaduct::api::cli
