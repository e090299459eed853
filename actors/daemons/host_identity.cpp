#include "actors/daemons/host_identity.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace viaduct::actors {

namespace {

std::string kernel_name() {
  char buffer[256] = {};
  return gethostname(buffer, sizeof buffer - 1) == 0 && buffer[0] != '\0' ? buffer : "localhost";
}

// Durable before it is used: an id that a crash takes back would make this another host.
bool write_whole(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  return written && rename(fresh.c_str(), path.c_str()) == 0;
}

}  // namespace

topology::Host load_host_identity(const std::string& state_dir, const std::string& name, std::string& error) {
  topology::Host host;
  host.name = name.empty() ? kernel_name() : name;
  std::filesystem::path path = std::filesystem::path(state_dir) / "host-id";
  if (std::ifstream in(path); in) {
    std::string text;
    in >> text;
    auto id = HostId::parse(text);
    if (id) {
      host.id = *id;
    } else {
      error = path.string() + " does not hold a UUID; restore it, or delete it to make this a new host";
    }
    return host;
  }
  host.id = HostId::random();
  if (!write_whole(path.string(), host.id.to_string() + "\n"))
    error = "cannot write " + path.string() + "; is the disk full or read-only?";
  return host;
}

HostId known_host_id(const std::string& state_dir) {
  std::string text;
  std::ifstream(std::filesystem::path(state_dir) / "host-id") >> text;
  return HostId::parse(text).value_or(HostId{});
}

std::string instance_of(const std::string& state_dir) {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::error_code error;
  auto path = std::filesystem::weakly_canonical(state_dir, error);
  return boot + ":" + (error ? state_dir : path.string());
}

}  // namespace viaduct::actors
