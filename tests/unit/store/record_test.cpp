#include "topology/store/record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace viaduct::topology::store {
namespace {

std::string random_key(std::mt19937& random) {
  static constexpr char kBytes[] = {'\x00', '\x01', '\x02', 'a', '\xff'};
  std::string key;
  for (unsigned n = 1 + random() % 4; n > 0; --n) key += kBytes[random() % sizeof kBytes];
  return key;
}

TEST(Record, VersionsSortByKeyAndThenNewestFirst) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const std::string a = random_key(random), b = random_key(random);
    const Revision newer = random() % 1000 + 1, older = newer - 1;
    if (a != b) {
      EXPECT_EQ(a < b, encode_version(a, newer) < encode_version(b, older));
    }
    EXPECT_LT(encode_version(a, newer), encode_version(a, older));
    EXPECT_LT(encode_version(a, 0), behind_key(a));
    if (a < b) {
      EXPECT_LT(behind_key(a), encode_key(b));
    }
    EXPECT_EQ(b.starts_with(a), encode_key(b).starts_with(encode_prefix(a)));
    const auto decoded = decode_version(encode_version(a, newer));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->key, a);
    EXPECT_EQ(decoded->revision, newer);
  }
}

TEST(Record, ContentsAndLogsComeBack) {
  const auto content = encode_content({false, LeaseId{77}, std::string_view("\0x", 2)});
  EXPECT_EQ(decode_content(content)->lease, LeaseId{77});
  EXPECT_EQ(decode_content(content)->value, std::string_view("\0x", 2));
  EXPECT_TRUE(decode_content(encode_content({true, LeaseId::none, {}}))->deleted);
  const std::vector<std::string> keys = {"a", std::string("\0", 1), "b\xff"};
  EXPECT_EQ(decode_log(encode_log(keys)), keys);
  EXPECT_EQ(decode_lease_record(encode_attachment(LeaseId{5}, "k"))->key, "k");
  EXPECT_EQ(decode_lease_record(encode_lease(LeaseId{5}))->key, std::nullopt);
}

TEST(Record, DamagedBytesAreRefused) {
  EXPECT_FALSE(decode_u64("short"));
  EXPECT_FALSE(decode_content("\x01short"));
  EXPECT_FALSE(decode_content("\x07" + std::string(8, '\0')));
  EXPECT_FALSE(decode_log("no end"));
  EXPECT_FALSE(decode_log(std::string("a\0\x05", 3)));
  EXPECT_FALSE(decode_version("no revision"));
  EXPECT_FALSE(decode_lease_record("abc"));
  EXPECT_FALSE(decode_lease_record(encode_attachment(LeaseId{5}, "k") + "x"));
}

}  // namespace
}  // namespace viaduct::topology::store
