// What every Store must do, whatever stands behind it. A program instantiates the suite with its factories:
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, ::testing::Values(StoreFactory{...}));
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "topology/store/store.hpp"

namespace viaduct::topology::store::testing {

// What not every store under test can do.
struct Abilities {
  bool moves_time = true;          // advance() takes no time
  bool reopening_restarts = true;  // reopen() restarts what ends leases, not only the connection to it
};

// A store under test that can be closed and opened again, and whose time can be moved.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  virtual void reopen() = 0;
  // Lets leases age; those whose time is over end soon, when it moves time before it returns.
  virtual void advance(std::chrono::seconds duration) = 0;
  virtual Abilities abilities() const { return {}; }
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
  friend std::ostream& operator<<(std::ostream& out, const StoreFactory& factory) { return out << factory.name; }
};

class StoreConformance : public ::testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override { under_test_ = GetParam().make(); }
  Store& store() { return under_test_->store(); }

  Revision put(const std::string& key, const std::string& value, LeaseId lease = LeaseId::none);
  Revision erase(const std::string& key);
  std::string value_of(const std::string& key);  // "" when absent
  Revision mod_revision_of(const std::string& key);
  std::vector<std::string> keys(const std::string& prefix, Revision at = 0);

  std::unique_ptr<StoreUnderTest> under_test_;
};

// Collects what a watch delivers.
class Watching {
 public:
  Watching(Store& store, Revision from, std::string prefix);
  ~Watching();

  // The messages, once there are `count` of them; what there is after ten seconds.
  std::vector<WatchMessage> wait_for(size_t count);
  // "5:put a=1,del b" for every batch, or "compacted N".
  std::vector<std::string> text(size_t count);
  size_t count();

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<WatchMessage> messages_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace viaduct::topology::store::testing
