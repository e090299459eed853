// What lies in the BPF file system: its mount, a datapath's directory, and the check of what an earlier daemon left.
#pragma once

#include <string>
#include <system_error>

#include "flows/datapath/datapath.hpp"

namespace viaduct::flows::ebpf {

inline constexpr const char* kBpfFileSystem = "/sys/fs/bpf";

// Mounts it when nothing is mounted there.
std::error_code mount_bpf_file_system();
// "/sys/fs/bpf/viaduct/<name>", made if absent. The name is one path component.
std::error_code make_pin_directory(const std::string& name, std::string& directory);

// Whether a datapath of this name has left, or has, anything.
bool pins_exist(const std::string& name);

enum class Pinned { nothing, usable, other };
// `other`: another layout version, another size of the flow maps, or not ours.
Pinned inspect_pins(const std::string& directory, size_t max_flows);
// Takes the program off every interface that the pinned port table names, as far as it can be read.
void detach_pinned_ports(const std::string& directory);
void remove_pins(const std::string& directory);

}  // namespace viaduct::flows::ebpf
