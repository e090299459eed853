// Of bundle.hpp: the archive.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "api/certificates/key_file.hpp"
#include "api/cli/bundle/bundle.hpp"
#include "api/cli/child_process.hpp"
#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{120};

Failure cannot_write(const std::string& file, const std::string& why) {
  return {ExitCode::refused,
          "file_unwritable",
          "cannot write " + file + ": " + why,
          "name a file in a directory that you may write to, and that has room: -o FILE",
          {}};
}

// Beside the file, so that it can be moved there; for nobody else to look into; gone in the end.
class Workplace {
 public:
  // An absolute path: tar takes "a:b" for a file of the host a.
  explicit Workplace(const std::string& file) : path_(fs::absolute(file).string() + ".XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) error_ = errno;
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace() {
    std::error_code ignored;
    if (error_ == 0) fs::remove_all(path_, ignored);
  }
  fs::path path() const { return path_; }
  int error() const { return error_; }

 private:
  std::string path_;
  int error_ = 0;
};

std::string write_parts(const Bundle& bundle, const fs::path& directory) {
  std::error_code error;
  if (!fs::create_directory(directory, error)) return error.message();
  const auto write = [&](const std::string& name, const std::string& text) {
    return certificates::write_private((directory / name).string(), text, certificates::Existing::keep);
  };
  for (const BundlePart& part : bundle.parts) {
    if (part.text.empty()) continue;  // the manifest says why
    if (std::string wrong = write(part.name, part.text); !wrong.empty()) return wrong;
  }
  return write("manifest.json", dump(bundle_json(bundle)) + '\n');
}

}  // namespace

Json bundle_json(const Bundle& bundle) {
  Json parts = Json::array();
  for (const BundlePart& part : bundle.parts)
    parts.push_back({{"name", part.name}, {"bytes", part.text.size()}, {"problem", part.problem}});
  return {{"parts", parts}, {"secrets_hidden", bundle.hidden}, {"secrets_known", bundle.secrets_are_known}};
}

Result<Done> pack(const Bundle& bundle, const std::string& name, const std::string& file) {
  const Workplace workplace(file);
  if (workplace.error() != 0) return cannot_write(file, std::strerror(workplace.error()));
  if (std::string wrong = write_parts(bundle, workplace.path() / name); !wrong.empty())
    return cannot_write(file, wrong);
  const fs::path archive = workplace.path() / "archive";
  ProgramLimits limits;
  limits.time = kPatience;
  const ProgramOutcome tar =
      run_program({"tar", "-czf", archive.string(), "-C", workplace.path().string(), name}, limits);
  if (tar.status != 0) return cannot_write(file, "tar: " + (tar.problem.empty() ? tar.output : tar.problem));
  std::error_code error;
  fs::permissions(archive, fs::perms::owner_read | fs::perms::owner_write, error);
  if (!error) fs::rename(archive, file, error);
  if (error) return cannot_write(file, error.message());
  return Done{};
}

}  // namespace viaduct::api::cli
