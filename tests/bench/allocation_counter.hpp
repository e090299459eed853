// Heap allocations of this program, counted by its own operator new.
#pragma once

#include <cstdint>

namespace viaduct::bench {

// Of the calling thread since it began.
uint64_t allocations();

}  // namespace viaduct::bench
