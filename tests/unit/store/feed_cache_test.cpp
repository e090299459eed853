#include "topology/store/feed_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>

#include "tests/unit/store/temporary_directory.hpp"
#include "topology/store/record.hpp"
#include "topology/store/rocks_backend.hpp"

namespace viaduct::topology::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

FeedItemPtr put(std::string key, uint64_t revision, std::string value) {
  return std::make_shared<const FeedItem>(FeedItem{std::move(key), revision, std::move(value)});
}
FeedItemPtr gone(std::string key, uint64_t revision) {
  return std::make_shared<const FeedItem>(FeedItem{std::move(key), revision, std::nullopt});
}
FeedBatch delta(uint64_t revision, std::vector<FeedItemPtr> items) {
  return {revision, false, {}, std::move(items), 0};
}

class FeedCacheTest : public ::testing::Test {
 protected:
  using Contents = std::map<std::string, std::string>;  // key -> "<value>@<revision>"

  void open() {
    cache.reset();
    auto opened = open_feed_cache(path);
    ASSERT_TRUE(opened) << opened.error().text;
    cache = std::move(*opened);
  }
  void store(const FeedBatch& batch, const std::vector<std::string>& forgotten = {}) {
    auto error = cache->store(batch, forgotten);
    EXPECT_FALSE(error) << error->text;
  }
  // Of what is stored; the revision goes to `revision`.
  Contents load() {
    Contents out;
    auto batch = cache->load();
    EXPECT_TRUE(batch) << batch.error().text;
    if (!batch) return out;
    EXPECT_TRUE(batch->complete);
    revision = batch->revision;
    for (const auto& item : batch->items) out[item->key] = *item->value + "@" + std::to_string(item->revision);
    return out;
  }
  // What open or load says; nothing when neither finds anything wrong.
  std::optional<Error> trouble() {
    cache.reset();
    auto opened = open_feed_cache(path);
    if (!opened) return opened.error();
    auto loaded = (*opened)->load();
    if (!loaded) return loaded.error();
    return std::nullopt;
  }
  // As somebody who knows how it is stored.
  void meddle(const BackendWrite& write) {
    cache.reset();
    auto backend = open_rocks_backend(path);
    ASSERT_TRUE(backend);
    EXPECT_FALSE((*backend)->write({write}, Durability::synced));
  }
  // The files of tables and logs with this ending.
  std::vector<std::filesystem::path> files(const std::string& extension) const {
    std::vector<std::filesystem::path> out;
    for (const auto& file : std::filesystem::directory_iterator(path)) {
      if (file.path().extension() == extension && file.file_size() > 0) out.push_back(file.path());
    }
    return out;
  }

  testing::TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "cache";
  std::unique_ptr<FeedCache> cache;
  uint64_t revision = 0;
};

TEST_F(FeedCacheTest, ANewCacheIsEmptyAtRevision0) {
  open();
  EXPECT_THAT(load(), IsEmpty());
  EXPECT_EQ(revision, 0);
}

TEST_F(FeedCacheTest, HoldsWhatTheFeedSaid) {
  open();
  store(delta(5, {put("/topology/bridge/a", 3, std::string("\0x", 2)), put("/state/port/b", 5, "")}));
  auto twice = [&] {
    EXPECT_THAT(load(),
                UnorderedElementsAre(Pair("/topology/bridge/a", std::string("\0x@3", 4)), Pair("/state/port/b", "@5")));
    EXPECT_EQ(revision, 5);
  };
  twice();
  open();
  twice();
}

TEST_F(FeedCacheTest, LaterBatchesChangeAndDelete) {
  open();
  store(delta(5, {put("a", 5, "1"), put("b", 5, "1"), put("c", 5, "1"), put("d", 5, "1")}));
  store(delta(8, {put("a", 7, "2"), gone("b", 8)}), {"c"});
  open();
  EXPECT_THAT(load(), UnorderedElementsAre(Pair("a", "2@7"), Pair("d", "1@5")));
  EXPECT_EQ(revision, 8);
}

TEST_F(FeedCacheTest, WhatIsNamedAndForgottenGoes) {
  open();
  store(delta(5, {put("a", 5, "1"), put("b", 5, "1")}));
  store(delta(6, {put("a", 6, "2")}), {"a"});
  EXPECT_THAT(load(), UnorderedElementsAre(Pair("b", "1@5"))) << "an agent keeps only what its ports can reach";
}

TEST_F(FeedCacheTest, ACompleteBatchReplacesAll) {
  open();
  store(delta(5, {put("a", 5, "1"), put("b", 5, "1"), put("c", 5, "1")}));
  FeedBatch all = delta(3, {put("d", 3, "1"), put("b", 2, "0")});
  all.complete = true;
  store(all);
  EXPECT_THAT(load(), UnorderedElementsAre(Pair("b", "0@2"), Pair("d", "1@3")));
  EXPECT_EQ(revision, 3) << "also when it is older";
}

TEST_F(FeedCacheTest, ADeathWithoutACloseLosesNothing) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto opened = open_feed_cache(path);
    if (!opened) _exit(2);
    for (uint64_t i = 1; i <= 100; ++i) {
      if ((*opened)->store(delta(i, {put("a", i, std::to_string(i)), put("b", i, std::to_string(i))}), {})) _exit(3);
    }
    if (write(ready[1], "x", 1) != 1) _exit(4);
    for (;;) pause();
  }
  close(ready[1]);
  char byte = 0;
  EXPECT_EQ(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  open();
  EXPECT_THAT(load(), UnorderedElementsAre(Pair("a", "100@100"), Pair("b", "100@100")));
  EXPECT_EQ(revision, 100);
}

// The log is cut at each of many places: whatever is found is one batch's state, entries and revision together.
TEST_F(FeedCacheTest, EntriesAndRevisionAreNeverApart) {
  open();
  for (uint64_t i = 1; i <= 20; ++i) store(delta(i, {put("a", i, "v"), put("b", i, "v")}));
  const auto copy = directory.path() / "copy";
  std::filesystem::copy(path, copy);  // as after a death: it is open
  const auto log = files(".log").at(0).filename();
  const auto size = std::filesystem::file_size(copy / log);
  std::set<uint64_t> seen;
  for (uintmax_t cut = 0; cut <= size; cut += size / 25) {
    cache.reset();
    std::filesystem::remove_all(path);
    std::filesystem::copy(copy, path);
    std::filesystem::resize_file(path / log, cut);
    open();
    auto found = load();
    seen.insert(revision);
    if (revision == 0) {
      EXPECT_THAT(found, IsEmpty());
    } else {
      const std::string expected = "v@" + std::to_string(revision);
      EXPECT_THAT(found, UnorderedElementsAre(Pair("a", expected), Pair("b", expected)));
    }
  }
  EXPECT_GT(seen.size(), 8);
}

TEST_F(FeedCacheTest, SaysThatItIsInUse) {
  open();
  auto second = open_feed_cache(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::locked);
  EXPECT_THAT(second.error().text, HasSubstr(path.string()));
}

TEST_F(FeedCacheTest, AnotherFormatIsRefusedByNumber) {
  open();
  store(delta(5, {put("a", 5, "1")}));
  meddle({Table::meta, std::string(kFormatKey), encode_u64(77)});
  auto error = trouble();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::corrupt);
  EXPECT_THAT(error->text, HasSubstr("has format 77, this program knows 1"));
}

TEST_F(FeedCacheTest, ARecordThatIsCutShortIsDamage) {
  open();
  store(delta(5, {put("a", 5, "1")}));
  for (const char* record : {"", "1234567"}) {
    meddle({Table::data, "b", record});
    auto error = trouble();
    ASSERT_TRUE(error) << "'" << record << "'";
    EXPECT_EQ(error->code, ErrorCode::corrupt);
    EXPECT_THAT(error->text, HasSubstr("cached entry b"));
  }
}

TEST_F(FeedCacheTest, ARevisionThatIsNoneIsDamage) {
  open();
  store(delta(5, {put("a", 5, "1")}));
  meddle({Table::meta, "revision", "12"});
  auto error = trouble();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::corrupt);
}

TEST_F(FeedCacheTest, DamagedFilesAreTold) {
  open();
  for (uint64_t i = 1; i <= 50; ++i) store(delta(i, {put(std::to_string(i), i, std::string(200, 'v'))}));
  cache.reset();
  open();  // the log becomes tables
  cache.reset();
  const auto copy = directory.path() / "copy";
  std::filesystem::copy(path, copy);
  auto damage = [&](const std::string& what, const std::function<void()>& how) {
    how();
    auto error = trouble();
    EXPECT_TRUE(error && error->code == ErrorCode::corrupt) << what << ": " << (error ? error->text : "not noticed");
    std::filesystem::remove_all(path);
    std::filesystem::copy(copy, path);
    EXPECT_FALSE(trouble());
  };
  damage("no sense in CURRENT", [&] { std::ofstream(path / "CURRENT") << "garbage"; });
  damage("a table cut short", [&] {
    for (const auto& table : files(".sst")) std::filesystem::resize_file(table, std::filesystem::file_size(table) / 2);
  });
  damage("a table overwritten", [&] {
    for (const auto& table : files(".sst")) {
      const auto size = std::filesystem::file_size(table);
      std::ofstream(table, std::ios::in | std::ios::out) << std::string(size, '\x5a');
    }
  });
  damage("a table missing", [&] {
    for (const auto& table : files(".sst")) std::filesystem::remove(table);
  });
}

TEST_F(FeedCacheTest, ADamagedCacheIsMovedAsideAndTheNextOneIsEmpty) {
  open();
  store(delta(5, {put("a", 5, "1")}));
  for (int number = 1; number <= 2; ++number) {
    cache.reset();
    std::ofstream(path / "CURRENT") << "garbage";
    ASSERT_FALSE(open_feed_cache(path));
    auto to = set_aside(path);
    ASSERT_TRUE(to);
    EXPECT_EQ(to->string(), path.string() + ".damaged-" + std::to_string(number)) << "none is overwritten";
    EXPECT_TRUE(std::filesystem::exists(*to / "CURRENT"));
    EXPECT_FALSE(std::filesystem::exists(path));
    open();
    EXPECT_THAT(load(), IsEmpty());
    EXPECT_EQ(revision, 0);
  }
}

TEST_F(FeedCacheTest, WhatIsNotThereCannotBeMovedAside) { EXPECT_FALSE(set_aside(path)); }

}  // namespace
}  // namespace viaduct::topology::store
