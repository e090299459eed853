// A vector with room for N elements inside itself, so that the lists of an ordinary verdict allocate nothing.
// Elements are trivially destructible values; growing beyond N moves all to the heap.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace viaduct::flows {

template <class T, size_t N>
class SmallVector {
  static_assert(std::is_trivially_destructible_v<T> && std::is_copy_assignable_v<T>);

 public:
  SmallVector() = default;
  SmallVector(std::initializer_list<T> items) {
    for (const T& item : items) push_back(item);
  }
  explicit SmallVector(std::span<const T> items) {
    for (const T& item : items) push_back(item);
  }

  void push_back(const T& item) {
    if (size_ < N) {
      inline_[size_] = item;
    } else {
      if (size_ == N) spilled_.assign(inline_, inline_ + N);
      spilled_.push_back(item);
    }
    ++size_;
  }
  void pop_back() {
    --size_;
    if (size_ == N) {
      std::copy(spilled_.begin(), spilled_.begin() + N, inline_);
      spilled_.clear();
    } else if (size_ > N) {
      spilled_.pop_back();
    }
  }
  void clear() {
    size_ = 0;
    spilled_.clear();
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return size_ <= N ? inline_ : spilled_.data(); }
  const T* data() const { return size_ <= N ? inline_ : spilled_.data(); }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }
  std::span<const T> view() const { return {data(), size_}; }

  friend bool operator==(const SmallVector& a, const SmallVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  size_t size_ = 0;
  T inline_[N];
  std::vector<T> spilled_;
};

}  // namespace viaduct::flows
