// kill -9 at random times: what was acknowledged is there, and no transaction is there by half.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/store/temporary_directory.hpp"
#include "topology/store/rocks_store.hpp"

namespace viaduct::topology::store {
namespace {

constexpr int kWriters = 3;
constexpr int kKeysPerTransaction = 5;

std::string key_of(int writer, int key) { return "w" + std::to_string(writer) + "/" + std::to_string(key); }

struct Acknowledged {
  int32_t writer;
  int32_t count;  // the value of all its keys
};

// Each writer counts up in all of its keys at once, and says so on the pipe after each commit.
[[noreturn]] void write_until_killed(const std::filesystem::path& directory, int pipe) {
  auto opened = open_rocks_store(directory);
  if (!opened) _exit(2);
  Store& store = **opened;
  std::vector<std::thread> threads;
  for (int32_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&store, writer, pipe] {
      const auto before = store.get(key_of(writer, 0));
      int32_t count = before && before->entry ? std::stoi(before->entry->value) : 0;
      for (;;) {
        ++count;
        Transaction transaction;
        for (int key = 0; key < kKeysPerTransaction; ++key) {
          transaction.puts.push_back({key_of(writer, key), std::to_string(count)});
        }
        if (!store.commit(transaction)) _exit(3);
        const Acknowledged done{writer, count};
        if (write(pipe, &done, sizeof done) != sizeof done) _exit(4);
        if (writer == 0 && count % 50 == 0 && !store.compact(store.revision() - 20)) _exit(5);
      }
    });
  }
  for (;;) pause();
}

// Kills the child `delay` after its first acknowledgement; what each writer was told last.
std::vector<int> run_and_kill(const std::filesystem::path& directory, std::chrono::microseconds delay) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) write_until_killed(directory, ends[1]);
  close(ends[1]);
  std::vector<int> last(kWriters, 0);
  std::jthread killer;
  Acknowledged done{};
  while (read(ends[0], &done, sizeof done) == sizeof done) {
    last[static_cast<size_t>(done.writer)] = done.count;
    if (!killer.joinable()) {
      killer = std::jthread([child, delay] {
        std::this_thread::sleep_for(delay);  // the moment of death is the point of this test
        kill(child, SIGKILL);
      });
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
  return last;
}

TEST(Durability, KillNineLosesNothingAcknowledged) {
  testing::TemporaryDirectory directory;
  std::mt19937 random(20261121);
  int total = 0;
  for (int round = 0; round < 15; ++round) {
    const auto acknowledged = run_and_kill(directory.path(), std::chrono::microseconds(random() % 120'000));
    auto store = open_rocks_store(directory.path());
    ASSERT_TRUE(store) << store.error().text;
    Revision newest = 0;
    for (int writer = 0; writer < kWriters; ++writer) {
      const auto first = (*store)->get(key_of(writer, 0))->entry;
      const int found = first ? std::stoi(first->value) : 0;
      EXPECT_GE(found, acknowledged[static_cast<size_t>(writer)]) << "round " << round;
      for (int key = 1; key < kKeysPerTransaction && first; ++key) {
        const auto other = (*store)->get(key_of(writer, key))->entry;
        ASSERT_TRUE(other);
        EXPECT_EQ(other->value, first->value) << "half of a transaction";
        EXPECT_EQ(other->mod_revision, first->mod_revision);
      }
      if (first) newest = std::max(newest, first->mod_revision);
      total = std::max(total, found);
    }
    EXPECT_EQ((*store)->revision(), newest);
  }
  EXPECT_GT(total, 15);
}

}  // namespace
}  // namespace viaduct::topology::store
