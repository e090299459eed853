#include "api/cli/commands/plan_file.hpp"

#include <fstream>
#include <iterator>

#include "api/cli/commands/edit.hpp"

namespace viaduct::api::cli {
namespace {

Result<std::string> read_file(Session& session, const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(session.in()), {});
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.good() && !file.eof()) return usage_error("cannot read the file " + path);
  return text;
}

}  // namespace

Result<Plan> plan_from_file(Session& session, const std::string& file, Pruning pruning) {
  auto text = read_file(session, file);
  if (!text) return text.failure();
  auto document = parse_document(*text, file == "-" ? "(standard input)" : file);
  if (!document) return document.failure();
  auto client = session.client();
  if (!client) return client.failure();
  auto live = (*client)->list({}, "");
  if (!live) return live.failure();
  return make_plan(
      *document, *live, [&] { return daemon_host(session); }, pruning);
}

}  // namespace viaduct::api::cli
