#include "flows/datapath/ebpf/pins.hpp"

#include <bpf/bpf.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "flows/datapath/ebpf/kernel_maps.hpp"
#include "flows/datapath/ebpf/layout.h"
#include "flows/datapath/ebpf/tc_filter.hpp"
#include "flows/datapath/last_error.hpp"

namespace viaduct::flows::ebpf {

namespace {

std::error_code make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return last_error();
}

// A pinned map with values of this size, or none.
UniqueFd open_pinned(const std::string& path, size_t value_bytes) {
  UniqueFd fd(bpf_obj_get(path.c_str()));
  if (!fd) return {};
  bpf_map_info info{};
  uint32_t length = sizeof info;
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &length) != 0 || info.value_size != value_bytes) return {};
  return fd;
}

}  // namespace

std::error_code mount_bpf_file_system() {
  struct statfs info;
  if (statfs(kBpfFileSystem, &info) == 0 && info.f_type == BPF_FS_MAGIC) return {};
  if (std::error_code error = make_directory(kBpfFileSystem)) return error;
  if (mount("bpf", kBpfFileSystem, "bpf", 0, "mode=0700") != 0) return last_error();
  return {};
}

std::error_code make_pin_directory(const std::string& name, std::string& directory) {
  if (name.empty() || name.size() >= sizeof(vd_config::name) || name == "." || name == ".." ||
      name.find('/') != std::string::npos) {
    return std::make_error_code(std::errc::invalid_argument);
  }
  directory = std::string(kBpfFileSystem) + "/viaduct";
  if (std::error_code error = make_directory(directory)) return error;
  directory += "/" + name;
  return make_directory(directory);
}

bool pins_exist(const std::string& name) {
  std::error_code ignored;
  return std::filesystem::exists(std::string(kBpfFileSystem) + "/viaduct/" + name + "/config", ignored);
}

Pinned inspect_pins(const std::string& directory, size_t max_flows) {
  std::error_code ignored;
  if (std::filesystem::is_empty(directory, ignored)) return Pinned::nothing;
  UniqueFd map = open_pinned(directory + "/config", sizeof(vd_config));
  uint32_t zero = 0;
  vd_config config{};
  if (!map || bpf_map_lookup_elem(map.get(), &zero, &config) != 0) return Pinned::other;
  bool same = config.magic == kVdMagic && config.layout_version == kVdLayoutVersion && config.max_flows == max_flows;
  return same ? Pinned::usable : Pinned::other;
}

void detach_pinned_ports(const std::string& directory) {
  UniqueFd numbers = open_pinned(directory + "/port_numbers", sizeof(uint32_t));
  if (!numbers) return;
  uint32_t ifindex = 0;
  uint32_t next;
  for (int error = bpf_map_get_next_key(numbers.get(), nullptr, &next); error == 0;
       error = bpf_map_get_next_key(numbers.get(), &ifindex, &next)) {
    ifindex = next;
    detach_programs(ifindex, Clsact::keep);
  }
}

void remove_pins(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) unlink(entry.path().c_str());
  rmdir(directory.c_str());
}

}  // namespace viaduct::flows::ebpf
