#include "actors/daemons/host_identity.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace viaduct::actors {

namespace {

std::string kernel_name() {
  char buffer[256] = {};
  return gethostname(buffer, sizeof buffer - 1) == 0 && buffer[0] != '\0' ? buffer : "localhost";
}

bool write_whole(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::path fresh = path;
  fresh += ".new";
  std::ofstream out(fresh);
  out << text << '\n';
  out.close();
  std::error_code error;
  if (out.good()) std::filesystem::rename(fresh, path, error);
  return out.good() && !error;
}

}  // namespace

topology::Host load_host_identity(const std::string& state_dir, const std::string& name, std::string& error) {
  topology::Host host;
  host.name = name.empty() ? kernel_name() : name;
  std::filesystem::path path = std::filesystem::path(state_dir) / "host-id";
  std::ifstream in(path);
  std::string text;
  if (in >> text) {
    auto id = HostId::parse(text);
    if (id) {
      host.id = *id;
    } else {
      error = path.string() + " does not hold a UUID; restore it, or delete it to make this a new host";
    }
    return host;
  }
  host.id = HostId::random();
  if (!write_whole(path, host.id.to_string()))
    error = "cannot write " + path.string() + "; is the disk full or read-only?";
  return host;
}

}  // namespace viaduct::actors
