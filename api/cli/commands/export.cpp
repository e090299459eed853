// export: the topology as a file of apply.
#include <algorithm>

#include "api/certificates/key_file.hpp"
#include "api/cli/apply_plan.hpp"
#include "api/cli/commands/commands.hpp"
#include "api/cli/commands/export.hpp"
#include "api/cli/export_choice.hpp"
#include "api/cli/export_text.hpp"
#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

constexpr const char* kExamples =
    "  viaduct export -o topology.yaml\n"
    "  viaduct export --router r1 --router r2\n"
    "  viaduct export --tenant acme chain rule\n"
    "  viaduct export --all-fields > monday.yaml; … ; viaduct diff -f monday.yaml --prune\n"
    "  viaduct export --json | jq .document | viaduct --daemon 127.0.0.1:6688 apply -f - --yes\n"
    "\n"
    "Passwords of BGP peers are never told: a comment says where one is missing, and apply leaves the stored one "
    "alone.\n"
    "Fields that are as by default are left out, and apply leaves those alone, too; with --all-fields it sets them.\n";

struct ExportWords {
  std::string file;
  std::vector<std::string> kind_names, tenants;
  std::map<Kind, std::vector<std::string>> roots;
  bool all_fields = false;
};

const KindInfo* kind_called(const std::string& word) {
  auto at =
      std::ranges::find_if(kinds(), [&](const KindInfo& kind) { return kind.name == word || kind.plural == word; });
  return at == kinds().end() ? nullptr : &*at;
}

Result<ExportChoice> choice_of(Session& session, const ExportWords& words) {
  ExportChoice choice{{}, words.tenants, {}};
  for (const std::string& word : words.kind_names) {
    const KindInfo* kind = kind_called(word);
    if (kind == nullptr) {
      std::string known;
      for (const KindInfo& one : kinds()) known += " " + std::string(one.name);
      return usage_error("there is no kind '" + word + "'", "choose from:" + known);
    }
    choice.kinds.insert(kind->kind);
  }
  for (const auto& [kind, names] : words.roots) {
    auto directory = session.directory();
    if (!directory) return directory.failure();
    for (const std::string& name : names) {
      auto record = (*directory)->find(kind, name);
      if (!record) return record.failure();
      choice.roots.push_back(record->id());
    }
  }
  return choice;
}

void add_limits(ExportedDocument& document, size_t bytes) {
  if (document.objects <= kMostChanges && bytes <= kMaxDocumentBytes) return;
  document.notes.push_back("Too large to be applied to nothing at once (" + std::to_string(kMostChanges) +
                           " new objects, 16 MiB): then apply it in parts, what others name first");
}

Result<ExitCode> run_export(Session& session, const ExportWords& words) {
  auto choice = choice_of(session, words);
  if (!choice) return choice.failure();
  auto document = export_topology(session, *choice, words.all_fields ? Told::all : Told::unusual);
  if (!document) return document.failure();
  add_limits(*document, yaml_of(*document).size());
  const std::string text = session.wants_json()
                               ? dump(Json{{"document", json_of(*document)}, {"notes", document->notes}}) + '\n'
                               : yaml_of(*document);
  if (words.file.empty() || words.file == "-") {
    session.out() << text;
    return ExitCode::ok;
  }
  const std::string wrong = certificates::write_private(words.file, text, certificates::Existing::replace);
  if (!wrong.empty())
    return Failure{ExitCode::refused, "file_unwritable", wrong, "name a file in a directory that you may write to", {}};
  if (!session.wants_json()) {
    session.out() << words.file << ": " << document->objects << " objects\n";
    for (const std::string& note : document->notes) session.out() << "  " << note << '\n';
  }
  return ExitCode::ok;
}

}  // namespace

Result<ExportedDocument> export_topology(Session& session, const ExportChoice& choice, Told told) {
  auto client = session.client();
  if (!client) return client.failure();
  auto live = (*client)->list({}, "");
  if (!live) return live.failure();
  return export_document(*live, choose(*live, choice), told);
}

void add_export_command(Tree& tree) {
  auto words = std::make_shared<ExportWords>();
  auto& command =
      tree.leaf(tree.root(), "export", "Print the topology, or a part of it, as a file that apply takes unchanged",
                kExamples, [=](Session& session) { return run_export(session, *words); });
  std::vector<std::string> names;
  for (const KindInfo& kind : kinds()) names.emplace_back(kind.name);
  tree.hint(command.add_option("kind", words->kind_names, "Only these kinds: bridge, router, port, … (default: all)"),
            Hint::choice(names));
  tree.hint(command.add_option("-o,--output", words->file, "File to write, mode 0600 (default: standard output)")
                ->type_name("FILE"),
            Hint::file());
  command.add_option("--tenant", words->tenants, "Only what this tenant has, once for each; with all that is in it")
      ->type_name("NAME")
      ->allow_extra_args(false);
  for (const KindInfo& kind : kinds()) {
    if (!is_parent(kind)) continue;
    const std::string option = "--" + std::string(kind.name);
    tree.hint(command.add_option(option, words->roots[kind.kind], "Only this one and what is in it, once for each")
                  ->type_name("NAME")
                  ->allow_extra_args(false),
              Hint::object(kind.kind));
  }
  command.add_flag("--all-fields", words->all_fields, "Tell also what is as by default, so that apply sets it");
}

}  // namespace viaduct::api::cli
