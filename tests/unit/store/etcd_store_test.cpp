// The contract, on an etcd of three members.
#include "topology/store/etcd/etcd_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/store/etcd_cluster.hpp"
#include "tests/unit/store/store_conformance.hpp"

namespace viaduct::topology::store {
namespace {

using testing::EtcdCluster;
using testing::StoreConformance;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Started by the first test that needs it; the tests keep out of each other's way by namespaces.
EtcdCluster& cluster() {
  static EtcdCluster cluster;
  return cluster;
}

std::unique_ptr<Store> open_or_die(EtcdOptions options) {
  auto store = open_etcd_store(std::move(options));
  if (!store) throw std::runtime_error(store.error().text);
  return std::move(*store);
}

class EtcdUnderTest final : public testing::StoreUnderTest {
 public:
  EtcdUnderTest() { reopen(); }
  // Nothing is left that a lease could end later: that would be a revision in the middle of another test.
  ~EtcdUnderTest() override {
    Transaction transaction;
    const auto left = store_->range({"", kMaxRangeEntries});
    for (const auto& entry : left->entries) transaction.deletes.push_back(entry.key);
    EXPECT_TRUE(store_->commit(transaction));
  }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    store_ = open_or_die(cluster().options(name_));
  }
  // Only real time ends its leases.
  void advance(std::chrono::seconds duration) override { std::this_thread::sleep_for(duration); }
  testing::Abilities abilities() const override { return {.moves_time = false, .reopening_restarts = false}; }

 private:
  static inline int count_ = 0;
  const std::string name_ = "test/" + std::to_string(count_++);
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Etcd, StoreConformance,
                         ::testing::Values(testing::StoreFactory{"etcd",
                                                                 [] { return std::make_unique<EtcdUnderTest>(); }}),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace viaduct::topology::store
