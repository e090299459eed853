// Waits for what another thread, another process or the kernel does: for the condition, never for a time.
#pragma once

#include <chrono>
#include <thread>

namespace viaduct {

// Asks again and again until `condition` holds; false when it did not in time.
template <class Condition>
bool eventually(Condition condition, std::chrono::steady_clock::duration patience = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace viaduct
