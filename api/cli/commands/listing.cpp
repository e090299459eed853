#include "api/cli/commands/listing.hpp"

#include <algorithm>
#include <cctype>

#include "api/cli/output.hpp"

namespace viaduct::cli {
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
  for (const Field& field : record.info().fields) line(field.name, directory.text_of(record, field));
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

std::string heading_of(const Field& field) {
  std::string heading(field.name);
  std::ranges::transform(heading, heading.begin(), [](char c) { return c == '_' ? ' ' : std::toupper(c); });
  return heading;
}

}  // namespace

void sort_records(std::vector<Record>& records) {
  std::ranges::sort(records, [](const Record& left, const Record& right) {
    return std::pair(left.name(), left.id()) < std::pair(right.name(), right.id());
  });
}

void print_records(Session& session, Directory& directory, const std::vector<Record>& records, const Uuid& of) {
  if (records.empty()) return;
  std::vector<const Field*> columns;
  std::vector<std::string> headings;
  for (const Field& field : records.front().info().fields) {
    const bool common =
        !of.is_nil() && field.type == FieldType::reference &&
        std::ranges::all_of(records, [&](const Record& one) { return one.reference(field.name) == of; });
    if (field.column == Column::hidden || common) continue;
    columns.push_back(&field);
    headings.push_back(heading_of(field));
  }
  headings.push_back("ID");
  Table table(headings);
  for (const Record& record : records) {
    std::vector<std::string> cells;
    for (const Field* field : columns) cells.push_back(directory.text_of(record, *field));
    cells.push_back(record.id().to_string());
    table.row(std::move(cells));
  }
  table.print(session.out());
}

Result<ExitCode> show(Session& session, Directory& directory, const Record& record) {
  auto sections = sections_of(directory, record);
  if (!sections) return sections.failure();
  if (session.wants_json()) {
    session.print(json_with(directory, record, *sections));
    return ExitCode::ok;
  }
  print_fields(session, directory, record);
  for (const Section& section : *sections) {
    session.out() << '\n' << section.kind.plural << (section.records.empty() ? ": none\n" : ":\n");
    print_records(session, directory, section.records, record.id());
  }
  return ExitCode::ok;
}

}  // namespace viaduct::cli
