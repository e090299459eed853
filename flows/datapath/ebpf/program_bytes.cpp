#include "flows/datapath/ebpf/program_bytes.hpp"

// VIADUCT_EBPF_OBJECT is the path of the object file that CMake compiled. libbpf reads it as an ELF file, which wants
// alignment.
asm(".section .rodata.viaduct_ebpf, \"a\", @progbits\n"
    ".balign 16\n"
    "viaduct_ebpf_begin:\n"
    ".incbin \"" VIADUCT_EBPF_OBJECT
    "\"\n"
    "viaduct_ebpf_end:\n"
    ".previous\n");

extern "C" {
extern const std::byte viaduct_ebpf_begin[];
extern const std::byte viaduct_ebpf_end[];
}

namespace viaduct::flows::ebpf {

std::span<const std::byte> program_bytes() { return {viaduct_ebpf_begin, viaduct_ebpf_end}; }

}  // namespace viaduct::flows::ebpf
