#include "schema/frame.hpp"

#include <capnp/any.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/schema/sample_message.hpp"

namespace viaduct::schema {
namespace {

using testing::Sample;
using testing::sample_frame;
using testing::sum;

using Bytes = std::vector<uint8_t>;

// The bytes at an address that is `offset` bytes past an aligned one.
class Shifted {
 public:
  Shifted(const Bytes& bytes, size_t offset) : storage_(bytes.size() + 8), offset_(offset), size_(bytes.size()) {
    std::memcpy(storage_.data() + offset, bytes.data(), bytes.size());
  }
  std::span<const uint8_t> view() const { return {storage_.data() + offset_, size_}; }

 private:
  Bytes storage_;
  size_t offset_, size_;
};

FrameError error_of(std::span<const uint8_t> bytes, const ReadLimits& limits = {}) {
  auto read = with_root<Sample>(bytes, limits, sum);
  EXPECT_FALSE(read);
  EXPECT_FALSE(read.failure().text.empty());
  return read.failure().error;
}

TEST(Frame, GivesBackWhatWasWritten) {
  const Frame frame = sample_frame(42);
  auto name = with_root<Sample>(frame, {}, [](Sample::Reader node) {
    EXPECT_EQ(node.getId(), 42u);
    return std::string(node.getNestedNodes()[19].getName());
  });
  ASSERT_TRUE(name);
  EXPECT_EQ(*name, "nested 19");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(frame.bytes.data()) % 8, 0u);
  EXPECT_EQ(frame, sample_frame(42));
  EXPECT_NE(frame, sample_frame(43));
}

TEST(Frame, IsReadFromEveryAlignment) {
  for (unsigned nested : {1u, 500u}) {  // the second does not fit the inline scratch
    const Frame frame = sample_frame(1, nested);
    const uint64_t expected = *with_root<Sample>(frame, {}, sum);
    for (size_t offset = 0; offset < 8; ++offset) {
      const Shifted shifted(frame.bytes, offset);
      auto read = with_root<Sample>(shifted.view(), {}, sum);
      ASSERT_TRUE(read) << read.failure().text;
      EXPECT_EQ(*read, expected);
    }
  }
}

TEST(Frame, MisalignedReadsNest) {
  const Shifted outer(sample_frame(1).bytes, 3), inner(sample_frame(2).bytes, 5);
  auto read = with_root<Sample>(outer.view(), {}, [&](Sample::Reader node) {
    auto other = with_root<Sample>(inner.view(), {}, [](Sample::Reader n) { return n.getId(); });
    return std::pair(*other, node.getId());
  });
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, std::pair(uint64_t{2}, uint64_t{1}));
}

TEST(Frame, CallbackMayReturnNothing) {
  uint64_t id = 0;
  auto read = with_root<Sample>(sample_frame(9), {}, [&](Sample::Reader node) { id = node.getId(); });
  EXPECT_TRUE(read);
  EXPECT_EQ(id, 9u);
}

TEST(Frame, TruncationAtEveryByteIsAnError) {
  const Frame frame = sample_frame();
  for (size_t size = 0; size < frame.bytes.size(); ++size) {
    const Bytes cut(frame.bytes.begin(), frame.bytes.begin() + static_cast<ptrdiff_t>(size));
    const auto expected = size == 0       ? FrameError::empty
                          : size % 8 != 0 ? FrameError::misaligned_size
                                          : FrameError::truncated;
    EXPECT_EQ(error_of(cut), expected) << size;
  }
}

TEST(Frame, GarbageIsAnError) {
  for (size_t size = 8; size <= 4096; size += 8) EXPECT_EQ(error_of(Bytes(size, 0xff)), FrameError::malformed);
}

TEST(Frame, LyingLengthsAreErrors) {
  Bytes more = sample_frame().bytes;
  more[4] += 1;  // size of the first segment, in words
  EXPECT_EQ(error_of(more), FrameError::truncated);
  Bytes less = sample_frame().bytes;
  less[4] -= 1;
  EXPECT_EQ(error_of(less), FrameError::malformed);
  Bytes huge = sample_frame().bytes;
  std::fill_n(huge.begin() + 4, 4, 0xff);
  EXPECT_EQ(error_of(huge), FrameError::truncated);
  Bytes segments = sample_frame().bytes;
  std::fill_n(segments.begin(), 4, 0xff);
  EXPECT_EQ(error_of(segments), FrameError::malformed);
  Bytes trailing = sample_frame().bytes;
  trailing.resize(trailing.size() + 8);
  EXPECT_EQ(error_of(trailing), FrameError::malformed);
}

TEST(Frame, SizeLimitIsCheckedFirst) {
  const Frame frame = sample_frame();
  ReadLimits limits;
  limits.max_bytes = frame.bytes.size();
  EXPECT_TRUE(with_root<Sample>(frame, limits, sum));
  limits.max_bytes -= 1;
  EXPECT_EQ(error_of(frame.bytes, limits), FrameError::too_big);
}

TEST(Frame, ReadingTheSameWordsForEverIsCutOff) {
  const Frame frame = sample_frame(1, 500);
  uint64_t rounds = 0;
  auto read = with_root<Sample>(frame, {}, [&](Sample::Reader node) {
    for (; rounds < 1000; ++rounds) sum(node);
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.failure().error, FrameError::malformed);
  EXPECT_NE(read.failure().text.find("traversal limit"), std::string::npos) << read.failure().text;
  EXPECT_GE(rounds, 4u);
  EXPECT_LE(rounds, 16u);
}

TEST(Frame, NestingIsLimited) {
  capnp::MallocMessageBuilder message;
  auto type = message.initRoot<capnp::schema::Type>();
  for (int depth = 0; depth < 40; ++depth) type = type.initList().initElementType();
  auto read = with_root<capnp::schema::Type>(Frame::of(message), {}, [](capnp::schema::Type::Reader reader) {
    while (reader.isList()) reader = reader.getList().getElementType();
  });
  ASSERT_FALSE(read);
  EXPECT_NE(read.failure().text.find("nest"), std::string::npos) << read.failure().text;
}

TEST(Frame, ExceptionsOfTheCallbackBecomeValues) {
  auto read = with_root<Sample>(sample_frame(), {}, [](Sample::Reader) { throw std::length_error("too long"); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.failure().text, "too long");
}

TEST(Frame, RandomMutationsNeverCrash) {
  std::mt19937 random(20261121);
  const Bytes valid = sample_frame().bytes;
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = valid;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    }
    auto read = with_root<Sample>(bytes, {}, sum);
    if (!read) ++refused;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 20'000);
}

}  // namespace
}  // namespace viaduct::schema
