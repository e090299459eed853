// A vector that grows by chunks: elements keep their addresses, and growing copies nothing. For the large tables that
// grow with the number of flows, where doubling costs more page faults than all that is done with the elements.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>
#include <vector>

namespace viaduct::flows {

template <class T>
class ChunkedVector {
 public:
  size_t size() const { return size_; }
  size_t capacity() const { return chunks_.size() * kChunk; }
  T& operator[](size_t i) { return chunks_[i / kChunk][i % kChunk]; }
  const T& operator[](size_t i) const { return chunks_[i / kChunk][i % kChunk]; }

  // New elements are value-initialized.
  void grow_to(size_t size) {
    while (capacity() < size) chunks_.push_back(std::make_unique<T[]>(kChunk));
    size_ = std::max(size_, size);
  }
  // Returns the new element's index.
  size_t append() {
    grow_to(size_ + 1);
    return size_ - 1;
  }

 private:
  static constexpr size_t kChunkBytes = 16 << 10;
  static constexpr size_t kChunk = std::bit_floor(std::max<size_t>(kChunkBytes / sizeof(T), 1));

  std::vector<std::unique_ptr<T[]>> chunks_;
  size_t size_ = 0;
};

}  // namespace viaduct::flows
