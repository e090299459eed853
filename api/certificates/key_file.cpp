#include "api/certificates/key_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace viaduct::certificates {

namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// A link fails where the name is taken; a rename would replace.
bool move(const std::string& from, const std::string& to, Existing existing) {
  if (existing == Existing::replace) return rename(from.c_str(), to.c_str()) == 0;
  if (link(from.c_str(), to.c_str()) != 0) return false;
  unlink(from.c_str());
  return true;
}

}  // namespace

std::string write_private(const std::string& path, std::string_view text, Existing existing) {
  const std::string fresh = path + ".new." + std::to_string(getpid());
  unlink(fresh.c_str());
  int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = fd >= 0 && write_all(fd, text) && fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) close(fd);
  if (written && move(fresh, path, existing)) return {};
  if (written) error = errno;
  unlink(fresh.c_str());
  if (error == EEXIST) return path + " is there already; --force replaces it";
  return "cannot write " + path + ": " + std::strerror(error);
}

}  // namespace viaduct::certificates
