// Connections that are to send a request, each within a while: whoever sends a byte now and then is never idle, and never
// done. A thread of its own ends those that are late.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace viaduct::api::rest {

// Thread-safe. Connections are named by their descriptors.
class Arrivals {
 public:
  // `late` is called by the thread, once for each connection that it ends.
  Arrivals(std::chrono::seconds patience, std::function<void()> late);
  ~Arrivals() { finish(); }
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

  void start();
  void finish();  // once or more, by one thread

  void expect(int fd);
  void forget(int fd);
  bool is_expected(int fd);

 private:
  void sweep();

  const std::chrono::seconds patience_;
  const std::function<void()> late_;
  std::mutex mutex_;
  std::unordered_map<int, std::chrono::steady_clock::time_point> since_;
  std::condition_variable stopping_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace viaduct::api::rest
