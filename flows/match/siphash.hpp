// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash: a fast short-input PRF"), over 64-bit words.
//
// Used for FlowId, whose input guests choose in part: two megaflows with one id would replace each other in the
// kernel, so a collision must not be something that one can construct. The key is fixed and known (the id has to be
// the same in every worker and every life of the daemon); what remains is a sponge of 192 hidden bits of state, where
// the cheapest known attack is a birthday search over the 128 bits that come out.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace viaduct::flows {

struct Hash128 {
  uint64_t high, low;
};

class SipHash128 {
 public:
  constexpr SipHash128(uint64_t key0, uint64_t key1)
      : v0_(key0 ^ 0x736f'6d65'7073'6575),
        v1_(key1 ^ 0x646f'7261'6e64'6f6d ^ 0xee),
        v2_(key0 ^ 0x6c79'6765'6e65'7261),
        v3_(key1 ^ 0x7465'6462'7974'6573) {}

  constexpr void add(uint64_t word) {
    v3_ ^= word;
    rounds(2);
    v0_ ^= word;
    bytes_ += 8;
  }
  // The hash of the words added so far; nothing may be added after it.
  constexpr Hash128 finish() {
    add(bytes_ << 56);  // the last block: only the length, as the input is whole words
    v2_ ^= 0xee;
    rounds(4);
    uint64_t low = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xdd;
    rounds(4);
    return {v0_ ^ v1_ ^ v2_ ^ v3_, low};
  }

 private:
  constexpr void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0_ += v1_, v1_ = std::rotl(v1_, 13), v1_ ^= v0_, v0_ = std::rotl(v0_, 32);
      v2_ += v3_, v3_ = std::rotl(v3_, 16), v3_ ^= v2_;
      v0_ += v3_, v3_ = std::rotl(v3_, 21), v3_ ^= v0_;
      v2_ += v1_, v1_ = std::rotl(v1_, 17), v1_ ^= v2_, v2_ = std::rotl(v2_, 32);
    }
  }

  uint64_t v0_, v1_, v2_, v3_;
  uint64_t bytes_ = 0;
};

}  // namespace viaduct::flows
