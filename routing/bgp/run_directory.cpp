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

struct Ids {
  uid_t user = 0;
  gid_t group = 0;
};
Problem find_user(const std::string& user, Ids& out) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return "user " + user + " does not exist: install the package frr";
  }
  out = {entry.pw_uid, entry.pw_gid};
  return std::nullopt;
}

Problem own(const std::string& path, const std::string& user) {
  Ids ids;
  if (auto problem = find_user(user, ids)) return problem;
  if (chown(path.c_str(), ids.user, ids.group) != 0) return file_problem("giving " + path + " to " + user);
  return std::nullopt;
}

// Every directory above must let it through.
Problem check_way(const std::filesystem::path& path, const std::string& user) {
  Ids ids;
  if (auto problem = find_user(user, ids)) return problem;
  std::filesystem::path at;
  for (const auto& part : path.parent_path()) {
    at /= part;
    struct stat one {};
    if (stat(at.c_str(), &one) != 0) return file_problem("looking at " + at.string());
    const mode_t needed = one.st_uid == ids.user ? S_IXUSR : one.st_gid == ids.group ? S_IXGRP : S_IXOTH;
    if ((one.st_mode & needed) == 0) {
      return "user " + user + " cannot reach " + path.string() + ": directory " + at.string() +
             " does not let it through; chmod o+x " + at.string() + ", or set another run_dir";
    }
  }
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
  if (auto problem = check_way(std::filesystem::absolute(path), user)) return problem;
  if (mkdir(path.c_str(), 0700) != 0) return file_problem("making " + path);
  return own(path, user);
}

Problem write_run_file(const std::string& path, const std::string& user, std::string_view text) {
  const std::string fresh = path + ".new";
  // The directory is `user`'s, who must not lead us to another file.
  Ids ids;
  if (auto problem = find_user(user, ids)) return problem;
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return file_problem("writing " + fresh);
  Problem out;
  while (!text.empty() && !out) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) out = file_problem("writing " + fresh);
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
  if (!out && fchown(fd, ids.user, ids.group) != 0) out = file_problem("giving " + fresh + " to " + user);
  close(fd);
  if (!out && rename(fresh.c_str(), path.c_str()) != 0) out = file_problem("writing " + path);
  return out;
}

}  // namespace viaduct::routing::bgp
