#include "observability/flow_log/log_file.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace viaduct::observability::flow_log {

bool LogFile::fail(const char* what, int problem) {
  error_ = path_ + ": cannot " + what + ": " + std::generic_category().message(problem);
  return false;
}

void LogFile::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

// Not blocking: a pipe without a reader would hold the thread; what is no regular file is refused anyway.
bool LogFile::open(Time now) {
  looked_ = now;
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  if (file_ < 0) return fail("open", errno);
  struct stat status {};
  if (fstat(file_, &status) == 0 && S_ISREG(status.st_mode)) return true;
  close();
  error_ = path_ + " is no regular file";
  return false;
}

bool LogFile::is_moved() const {
  struct stat named {
  }, held{};
  if (::stat(path_.c_str(), &named) != 0) return true;
  return fstat(file_, &held) != 0 || named.st_dev != held.st_dev || named.st_ino != held.st_ino;
}

bool LogFile::append(std::string_view lines, Time now) {
  if (file_ >= 0 && now - looked_ >= kLook) {
    looked_ = now;
    if (is_moved()) close();
  }
  if (file_ < 0 && !open(now)) return false;
  struct stat before {};
  if (fstat(file_, &before) != 0) return fail("look at", errno);
  for (size_t written = 0; written < lines.size();) {
    const ssize_t wrote = ::write(file_, lines.data() + written, lines.size() - written);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote > 0) {
      written += static_cast<size_t>(wrote);
      continue;
    }
    const int problem = wrote == 0 ? ENOSPC : errno;
    if (written > 0 && ftruncate(file_, before.st_size) != 0) return fail("take half a line out of", errno);
    return fail("write", problem);
  }
  return true;
}

}  // namespace viaduct::observability::flow_log
