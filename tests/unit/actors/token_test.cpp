#include "actors/admin/token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::actors {
namespace {

using testing::HasSubstr;

class TokenTest : public testing::Test {
 protected:
  std::string path() const { return (directory.path() / "admin.token").string(); }
  mode_t mode() const {
    struct stat info {};
    EXPECT_EQ(stat(path().c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  void write(const std::string& text, mode_t mode) {
    std::ofstream(path()) << text;
    chmod(path().c_str(), mode);
  }
  topology::store::testing::TemporaryDirectory directory;
  std::string error;
};

TEST_F(TokenTest, ItIsMadeOnceForRootAndTheGroup) {
  AdminToken first = load_or_create_token(path(), error);
  EXPECT_EQ(error, "");
  EXPECT_EQ(first.bytes.size(), 64);
  EXPECT_EQ(mode() & (S_IRWXO | S_IWGRP | S_IXGRP | S_IXUSR), 0);
  struct stat info {};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, geteuid());
  AdminToken again = load_or_create_token(path(), error);
  EXPECT_EQ(again.bytes, first.bytes);
  EXPECT_TRUE(again.matches(first.bytes));
  unlink(path().c_str());
  EXPECT_NE(load_or_create_token(path(), error).bytes, first.bytes) << "random";
}

TEST_F(TokenTest, AFileThatOthersCanReadOrWriteIsRefused) {
  for (mode_t open : {0644, 0602, 0660, 0601}) {
    write(std::string(64, 'a'), open);
    error.clear();
    EXPECT_TRUE(load_or_create_token(path(), error).bytes.empty()) << open;
    EXPECT_THAT(error, HasSubstr("chmod 0640"));
  }
  write(std::string(64, 'a'), 0640);
  error.clear();
  EXPECT_EQ(load_or_create_token(path(), error).bytes.size(), 64);
  EXPECT_EQ(error, "");
}

TEST_F(TokenTest, AFileOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  write(std::string(64, 'a'), 0600);
  ASSERT_EQ(chown(path().c_str(), 65534, 65534), 0);
  EXPECT_TRUE(load_or_create_token(path(), error).bytes.empty());
  EXPECT_THAT(error, HasSubstr("belongs to another user"));
}

TEST_F(TokenTest, AShortSecretIsRefused) {
  write("guess", 0600);
  EXPECT_TRUE(load_or_create_token(path(), error).bytes.empty());
  EXPECT_THAT(error, HasSubstr("too short"));
}

TEST_F(TokenTest, ALinkIsNotFollowed) {
  write(std::string(64, 'a'), 0600);
  std::string link = (directory.path() / "link").string();
  ASSERT_EQ(symlink(path().c_str(), link.c_str()), 0);
  EXPECT_TRUE(load_or_create_token(link, error).bytes.empty());
  EXPECT_THAT(error, HasSubstr("cannot open it"));
}

TEST_F(TokenTest, SomethingThatIsNoFileIsRefused) {
  ASSERT_EQ(mkdir(path().c_str(), 0700), 0);
  EXPECT_TRUE(load_or_create_token(path(), error).bytes.empty());
  EXPECT_NE(error, "");
}

TEST_F(TokenTest, ADirectoryThatIsNotThereIsAnError) {
  EXPECT_TRUE(load_or_create_token("/nonexistent/admin.token", error).bytes.empty());
  EXPECT_THAT(error, HasSubstr("cannot create it"));
}

}  // namespace
}  // namespace viaduct::actors
