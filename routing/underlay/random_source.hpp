// Where chance comes from: an argument, so that tests repeat.
#pragma once

#include <cstdint>
#include <functional>

namespace viaduct::routing::underlay {

using RandomSource = std::function<uint32_t()>;  // each value of 32 bits as likely as any other

// The kernel's; nobody can foretell it.
RandomSource kernel_random();

// In [0, below); below is not 0.
uint32_t random_below(const RandomSource& random, uint32_t below);

}  // namespace viaduct::routing::underlay
