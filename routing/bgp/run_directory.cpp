#include "routing/bgp/run_directory.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace viaduct::routing::bgp {

namespace {

Problem file_problem(const std::string& what) { return what + ": " + std::strerror(errno); }

Problem own(const std::string& path, const std::string& user) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return "user " + user + " does not exist: install the package frr";
  }
  if (chown(path.c_str(), entry.pw_uid, entry.pw_gid) != 0) return file_problem("giving " + path + " to " + user);
  return std::nullopt;
}

}  // namespace

Problem remove_run_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? Problem("removing " + path + ": " + error.message()) : std::nullopt;
}

Problem make_run_directory(const std::string& path, const std::string& user) {
  if (auto problem = remove_run_directory(path)) return problem;
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return "making " + parent.string() + ": " + error.message();
  if (mkdir(path.c_str(), 0700) != 0) return file_problem("making " + path);
  return own(path, user);
}

Problem write_run_file(const std::string& path, const std::string& user, std::string_view text) {
  const std::string fresh = path + ".new";
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return file_problem("writing " + fresh);
  Problem out;
  while (!text.empty() && !out) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) out = file_problem("writing " + fresh);
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
  close(fd);
  if (!out) out = own(fresh, user);
  if (!out && rename(fresh.c_str(), path.c_str()) != 0) out = file_problem("writing " + path);
  return out;
}

}  // namespace viaduct::routing::bgp
