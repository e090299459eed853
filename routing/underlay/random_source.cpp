#include "routing/underlay/random_source.hpp"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace viaduct::routing::underlay {

RandomSource kernel_random() {
  return [] {
    uint32_t number = 0;
    // So few bytes are never given in part, nor refused once the kernel has started.
    if (getrandom(&number, sizeof number, 0) != sizeof number) {
      throw std::system_error(errno, std::system_category(), "getrandom");
    }
    return number;
  };
}

uint32_t random_below(const RandomSource& random, uint32_t below) {
  // By multiplication: of 2^24 values none is more than 2^-8 likelier than another, enough for keys and jitter.
  return static_cast<uint32_t>(uint64_t{random()} * below >> 32);
}

}  // namespace viaduct::routing::underlay
