#include "actors/admin/token.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace viaduct::actors {

namespace {

constexpr size_t kRandomBytes = 32;

std::string errno_text(const std::string& path, const char* what) {
  return "admin token " + path + ": " + what + ": " + std::strerror(errno);
}

std::vector<uint8_t> random_hex() {
  uint8_t raw[kRandomBytes];
  if (getrandom(raw, sizeof raw, 0) != static_cast<ssize_t>(sizeof raw)) return {};
  static constexpr char kDigits[] = "0123456789abcdef";
  std::vector<uint8_t> out;
  for (uint8_t byte : raw) {
    out.push_back(static_cast<uint8_t>(kDigits[byte >> 4]));
    out.push_back(static_cast<uint8_t>(kDigits[byte & 15]));
  }
  return out;
}

// Root and the group may read it. Best effort: without the group, or the right to give it away, it stays the owner's.
void share_with_group(int fd) {
  struct stat info {};
  const group* viaduct = getgrnam("viaduct");
  if (viaduct == nullptr || fstat(fd, &info) != 0) return;
  if (info.st_gid == viaduct->gr_gid && (info.st_mode & S_IRGRP) != 0) return;
  if (fchown(fd, static_cast<uid_t>(-1), viaduct->gr_gid) == 0) (void)fchmod(fd, 0640);
}

AdminToken read_token(int fd, const std::string& path, std::string& error) {
  AdminToken token;
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    error = errno_text(path, "cannot look at it");
  } else if (!S_ISREG(info.st_mode)) {
    error = "admin token " + path + " is not a file; remove it, and the daemon makes a new one";
  } else if (info.st_uid != geteuid() && info.st_uid != 0) {
    error = "admin token " + path + " belongs to another user, who knows it; delete it, and the daemon makes a new one";
  } else if ((info.st_mode & (S_IWGRP | S_IRWXO)) != 0) {
    error = "admin token " + path + " may be read or written by others; run: chmod 0640 " + path;
  } else {
    uint8_t buffer[256];
    ssize_t size = read(fd, buffer, sizeof buffer);
    if (size < 32) {
      error = "admin token " + path + " is too short; delete it, and the daemon makes a new one";
    } else {
      token.bytes.assign(buffer, buffer + size);
    }
  }
  return token;
}

AdminToken create_token(const std::string& path, std::string& error) {
  AdminToken token{random_hex()};
  std::string fresh = path + ".new";
  unlink(fresh.c_str());
  int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 || token.bytes.empty()) {
    error = errno_text(path, "cannot create it");
    if (fd >= 0) close(fd);
    return {};
  }
  share_with_group(fd);
  bool written = write(fd, token.bytes.data(), token.bytes.size()) == static_cast<ssize_t>(token.bytes.size());
  bool moved = written && fsync(fd) == 0 && rename(fresh.c_str(), path.c_str()) == 0;
  if (!moved) error = errno_text(path, "cannot write it");
  close(fd);
  return moved ? token : AdminToken{};
}

}  // namespace

bool AdminToken::matches(std::span<const uint8_t> candidate) const {
  // Trailing white space of the file is not part of the secret, on either side.
  auto trimmed = [](std::span<const uint8_t> text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r')) {
      text = text.first(text.size() - 1);
    }
    return text;
  };
  auto mine = trimmed(bytes);
  auto theirs = trimmed(candidate);
  if (mine.empty() || mine.size() != theirs.size()) return false;
  uint8_t difference = 0;
  for (size_t i = 0; i < mine.size(); ++i) difference = static_cast<uint8_t>(difference | (mine[i] ^ theirs[i]));
  return difference == 0;
}

AdminToken load_or_create_token(const std::string& path, std::string& error) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) {
    if (errno == ENOENT) return create_token(path, error);
    error = errno_text(path, "cannot open it");
    return {};
  }
  AdminToken token = read_token(fd, path, error);
  if (error.empty()) share_with_group(fd);  // it may be younger than the token
  close(fd);
  return token;
}

}  // namespace viaduct::actors
