#include "api/client/token.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace viaduct::api {
namespace {

Failure unreadable(const std::string& path, int error) {
  Failure failure{ExitCode::unreachable,
                  "token_unreadable",
                  "cannot read the token file " + path + ": " + std::strerror(error),
                  {},
                  {}};
  if (error == ENOENT) {
    failure.cure =
        "the daemon writes it when it starts: start it (systemctl start viaductd), or name another file with "
        "--token-file or VIADUCT_TOKEN_FILE";
  } else if (error == EACCES) {
    failure.cure =
        "only root and the group viaduct may read it: use sudo, or join the group (groupadd -f --system viaduct; "
        "usermod -aG viaduct $USER; restart viaductd if the group is new) and log in again";
  }
  return failure;
}

Failure unusable(const std::string& path, const std::string& why) {
  return {ExitCode::unreachable,
          "token_unreadable",
          "the token file " + path + " " + why,
          "let the daemon write a new one: remove the file and restart viaductd",
          {}};
}

}  // namespace

Result<std::vector<uint8_t>> read_token(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO must not hang the tool
  if (fd < 0) return unreadable(path, errno);
  std::vector<uint8_t> bytes(kMaxTokenBytes + 1);
  ssize_t got;
  do got = ::read(fd, bytes.data(), bytes.size());
  while (got < 0 && errno == EINTR);
  int error = errno;
  ::close(fd);
  if (got < 0) return unreadable(path, error);
  if (got == 0) return unusable(path, "is empty");
  if (static_cast<size_t>(got) > kMaxTokenBytes)
    return unusable(path, "is longer than " + std::to_string(kMaxTokenBytes) + " bytes");
  bytes.resize(static_cast<size_t>(got));
  return bytes;
}

}  // namespace viaduct::api
