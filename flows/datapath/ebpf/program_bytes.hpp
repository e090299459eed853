// The compiled tc program (program.bpf.c), as part of this executable.
#pragma once

#include <cstddef>
#include <span>

namespace viaduct::flows::ebpf {

std::span<const std::byte> program_bytes();

}  // namespace viaduct::flows::ebpf
