#include "topology/persistent_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace viaduct::topology {
namespace {

using Model = std::map<uint64_t, std::string>;

// Few distinct hashes: every key below shares its whole hash with others.
struct PoorHash {
  size_t operator()(uint64_t key) const { return key % 7; }
};

template <class Map>
Model content(const Map& map) {
  Model out;
  map.for_each([&](uint64_t key, const std::string& value) { EXPECT_TRUE(out.emplace(key, value).second); });
  return out;
}

using Change = std::pair<std::optional<std::string>, std::optional<std::string>>;

template <class Map>
std::map<uint64_t, Change> difference(const Map& a, const Map& b) {
  std::map<uint64_t, Change> out;
  Map::diff(a, b, [&](uint64_t key, const std::string* before, const std::string* after) {
    Change change{before ? std::optional(*before) : std::nullopt, after ? std::optional(*after) : std::nullopt};
    EXPECT_TRUE(out.emplace(key, std::move(change)).second) << "visited twice: " << key;
  });
  return out;
}

std::map<uint64_t, Change> difference(const Model& a, const Model& b) {
  std::map<uint64_t, Change> out;
  for (const auto& [key, value] : a) {
    auto at = b.find(key);
    if (at == b.end()) out[key] = {value, std::nullopt};
    if (at != b.end() && at->second != value) out[key] = {value, at->second};
  }
  for (const auto& [key, value] : b) {
    if (!a.contains(key)) out[key] = {std::nullopt, value};
  }
  return out;
}

template <class Map>
class PersistentMapTest : public ::testing::Test {};
using Maps = ::testing::Types<PersistentMap<uint64_t, std::string>, PersistentMap<uint64_t, std::string, PoorHash>>;
TYPED_TEST_SUITE(PersistentMapTest, Maps);

// Random operations, half of them in place, against std::map; every old version must stay what it was.
TYPED_TEST(PersistentMapTest, BehavesLikeAMapAndKeepsItsPast) {
  std::mt19937_64 random(20261121);
  TypeParam map;
  Model model;
  std::vector<std::pair<TypeParam, Model>> past;
  for (int step = 0; step < 6000; ++step) {
    const uint64_t key = random() % 300;
    const std::string value = std::to_string(random() % 4);
    switch (random() % 8) {
      case 0:
      case 1:
        map = map.insert(key, value);
        model[key] = value;
        break;
      case 2:
      case 3:
        map.put(key, value);
        model[key] = value;
        break;
      case 4:
        map = map.erase(key);
        model.erase(key);
        break;
      case 5:
      case 6:
        map.remove(key);
        model.erase(key);
        break;
      default:
        std::string* present = map.edit(key);
        ASSERT_EQ(present != nullptr, model.contains(key));
        if (present != nullptr) *present = model[key] = value;
    }
    ASSERT_EQ(map.size(), model.size());
    const std::string* found = map.find(key);
    ASSERT_EQ(found != nullptr, model.contains(key));
    if (found != nullptr) {
      ASSERT_EQ(*found, model[key]);
    }
    if (step % 50 == 0) past.emplace_back(map, model);
  }
  EXPECT_EQ(content(map), model);
  for (const auto& [old_map, old_model] : past) {
    EXPECT_EQ(content(old_map), old_model);
    EXPECT_EQ(difference(old_map, map), difference(old_model, model));
    EXPECT_EQ(difference(map, old_map), difference(model, old_model));
  }
}

TYPED_TEST(PersistentMapTest, ErasesDownToNothing) {
  TypeParam map;
  for (uint64_t key = 0; key < 500; ++key) map = map.insert(key, "x");
  for (uint64_t key = 0; key < 500; ++key) {
    ASSERT_TRUE(map.contains(key));
    map = map.erase(key);
    ASSERT_FALSE(map.contains(key));
    ASSERT_EQ(map.size(), 499 - key);
  }
  EXPECT_TRUE(map.empty());
  EXPECT_TRUE(difference(map, TypeParam{}).empty());
}

TYPED_TEST(PersistentMapTest, ErasesInPlaceDownToNothing) {
  TypeParam map;
  for (uint64_t key = 0; key < 500; ++key) map.put(key, "x");
  const TypeParam full = map;
  for (uint64_t key = 0; key < 500; ++key) {
    map.remove(key);
    ASSERT_FALSE(map.contains(key));
    ASSERT_EQ(map.size(), 499 - key);
  }
  EXPECT_TRUE(map.empty());
  EXPECT_TRUE(difference(map, TypeParam{}).empty());
  EXPECT_EQ(content(full).size(), 500u) << "and a copy keeps all";
}

// What nobody shares stays where it is.
TYPED_TEST(PersistentMapTest, ChangesInPlaceOnlyWhatIsItsOwn) {
  TypeParam map;
  for (uint64_t key = 0; key < 100; ++key) map.put(key, "x");
  const std::string* before = map.find(7);
  map.put(7, "y");
  const bool collides = !std::is_same_v<TypeParam, PersistentMap<uint64_t, std::string>>;
  EXPECT_TRUE(collides || map.find(7) == before);
  const TypeParam copy = map;
  map.put(7, "z");
  *map.edit(8) = "z";
  EXPECT_EQ(*copy.find(7), "y");
  EXPECT_EQ(*copy.find(8), "x");
  EXPECT_EQ(*map.find(7), "z");
  EXPECT_EQ(*map.find(8), "z");
}

TYPED_TEST(PersistentMapTest, ErasingWhatIsNotThereIsTheSameMap) {
  TypeParam map = TypeParam{}.insert(1, "a");
  EXPECT_TRUE(map.erase(2).same_as(map));
  EXPECT_TRUE(TypeParam{}.erase(2).empty());
}

// Equality of values that counts how often it is asked.
struct Counted {
  int value = 0;
  static inline int compared = 0;
  friend bool operator==(const Counted& a, const Counted& b) {
    ++compared;
    return a.value == b.value;
  }
};

TEST(PersistentMap, DiffSkipsWhatIsShared) {
  PersistentMap<uint64_t, Counted> before;
  for (uint64_t key = 0; key < 10'000; ++key) before = before.insert(key, {1});
  const auto after = before.insert(4711, {2});
  Counted::compared = 0;
  int visited = 0;
  decltype(before)::diff(before, after, [&](uint64_t key, const Counted*, const Counted*) {
    EXPECT_EQ(key, 4711u);
    ++visited;
  });
  EXPECT_EQ(visited, 1);
  EXPECT_LE(Counted::compared, 96);  // the entries of the nodes on one path
}

TEST(PersistentSet, HoldsEachKeyOnce) {
  PersistentSet<uint64_t> set;
  set = set.insert(1).insert(2).insert(1);
  EXPECT_EQ(set.size(), 2u);
  EXPECT_TRUE(set.contains(2));
  EXPECT_FALSE(set.erase(2).contains(2));
  EXPECT_TRUE(set.contains(2));
}

// For the thread sanitizer: versions are made and dropped while others read and copy.
TEST(PersistentMap, VersionsAreReadFromManyThreads) {
  PersistentMap<uint64_t, std::string> base;
  for (uint64_t key = 0; key < 1000; ++key) base = base.insert(key, std::to_string(key));
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([base, t] {
      auto mine = base;
      for (uint64_t key = 0; key < 1000; ++key) {
        if (key % 2 == 0) mine.put(key, "thread " + std::to_string(t));
        if (key % 2 == 1) mine = mine.insert(key, "thread " + std::to_string(t));
        EXPECT_EQ(*base.find(key), std::to_string(key));
      }
      EXPECT_EQ(mine.size(), 1000u);
    });
  }
  base = {};
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace viaduct::topology
