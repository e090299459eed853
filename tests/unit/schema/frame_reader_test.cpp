#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

#include "schema/frame.hpp"
#include "tests/unit/schema/sample_message.hpp"

namespace viaduct::schema {
namespace {

using testing::sample_frame;

using Bytes = std::vector<uint8_t>;

Bytes prelude(std::string_view magic, uint32_t length) {
  Bytes bytes(magic.begin(), magic.end());
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<uint8_t>(length >> (8 * i)));
  return bytes;
}

std::optional<FrameError> error_after(const Bytes& bytes) {
  FrameReader reader;
  return reader.feed(bytes, [](Frame) { ADD_FAILURE() << "a frame came out"; });
}

TEST(FrameReader, CutsAStreamInAnyPieces) {
  Bytes stream;
  std::vector<Frame> sent;
  for (unsigned i = 0; i < 50; ++i) {
    sent.push_back(sample_frame(i, i % 7));
    ASSERT_FALSE(append_framed(sent.back(), stream));
  }
  std::mt19937 random(1);
  for (size_t piece : {size_t{1}, size_t{7}, size_t{1000}, stream.size()}) {
    FrameReader reader;
    std::vector<Frame> got;
    for (size_t at = 0; at < stream.size();) {
      const size_t count = std::min(stream.size() - at, 1 + random() % piece);
      auto error = reader.feed(std::span(stream).subspan(at, count), [&](Frame f) { got.push_back(std::move(f)); });
      ASSERT_FALSE(error);
      at += count;
    }
    EXPECT_EQ(got, sent);
    EXPECT_TRUE(reader.idle());
    EXPECT_EQ(reader.buffered_bytes(), 0u);
  }
}

TEST(FrameReader, TakeLeavesTheNextFrameInTheInput) {
  Bytes stream;
  append_framed(sample_frame(1), stream);
  append_framed(sample_frame(2), stream);
  std::span<const uint8_t> input(stream);
  FrameReader reader;
  EXPECT_EQ(reader.take(input), sample_frame(1));
  EXPECT_EQ(input.size(), stream.size() / 2);
  EXPECT_EQ(reader.take(input), sample_frame(2));
  EXPECT_EQ(reader.take(input), std::nullopt);
}

TEST(FrameReader, RefusesWrongMagicAtTheFirstWrongByte) {
  EXPECT_EQ(error_after({'G'}), FrameError::wrong_magic);
  EXPECT_EQ(error_after({'V', 'D', 'T', '2'}), FrameError::wrong_magic);
  EXPECT_EQ(error_after(prelude("XXXX", 8)), FrameError::wrong_magic);
  EXPECT_EQ(error_after({'V', 'D', 'T'}), std::nullopt);
}

TEST(FrameReader, RefusesLengthsBeforeAllocating) {
  EXPECT_EQ(error_after(prelude("VDT1", 0)), FrameError::empty);
  EXPECT_EQ(error_after(prelude("VDT1", 12)), FrameError::misaligned_size);
  EXPECT_EQ(error_after(prelude("VDT1", kMaxFrameBytes + 8)), FrameError::too_big);
  EXPECT_EQ(error_after(prelude("VDT1", 0xffff'fff8)), FrameError::too_big);
  EXPECT_EQ(error_after(prelude("VDT1", kMaxFrameBytes)), std::nullopt);
}

TEST(FrameReader, AnErrorIsFinal) {
  FrameReader reader;
  Bytes good;
  append_framed(sample_frame(), good);
  const auto none = [](Frame) { ADD_FAILURE() << "a frame came out"; };
  EXPECT_EQ(reader.feed(prelude("oops", 8), none), FrameError::wrong_magic);
  EXPECT_EQ(reader.feed(good, none), FrameError::wrong_magic);
  EXPECT_FALSE(reader.idle());
}

TEST(FrameReader, MemoryFollowsWhatArrivedNotWhatWasAnnounced) {
  FrameReader reader;
  const auto none = [](Frame) {};
  reader.feed(prelude("VDT1", kMaxFrameBytes), none);
  reader.feed(Bytes(100), none);
  EXPECT_EQ(reader.buffered_bytes(), kPreludeBytes + 100);
}

TEST(FrameReader, WriterRefusesWhatTheReaderWould) {
  Bytes out;
  EXPECT_EQ(append_framed(Frame{}, out), FrameError::empty);
  EXPECT_EQ(append_framed(Frame{Bytes(9)}, out), FrameError::misaligned_size);
  EXPECT_EQ(append_framed(Frame{Bytes(kMaxFrameBytes + 8)}, out), FrameError::too_big);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(append_framed(Frame{Bytes(kMaxFrameBytes)}, out), std::nullopt);
}

}  // namespace
}  // namespace viaduct::schema
