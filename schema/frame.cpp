#include "schema/frame.hpp"

#include <kj/io.h>

#include <algorithm>
#include <cstring>

namespace viaduct::schema {
namespace {

constexpr size_t kWordBytes = sizeof(capnp::word);
constexpr uint32_t kMaxSegments = 512;             // the library's own limit
constexpr size_t kGrowthBytes = size_t{64} << 10;  // what a prelude alone may make us allocate

uint32_t load_le32(const uint8_t* at) {
  return uint32_t{at[0]} | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16 | uint32_t{at[3]} << 24;
}

void store_le32(uint32_t value, uint8_t* at) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
}

FrameFailure failure(FrameError error, std::string text) { return {error, std::move(text)}; }

FrameFailure truncated(uint64_t announced_bytes, size_t present_bytes) {
  return failure(FrameError::truncated, "the segment table announces " + std::to_string(announced_bytes) + " bytes, " +
                                            std::to_string(present_bytes) + " are there");
}

}  // namespace

std::string_view to_string(FrameError error) {
  switch (error) {
    case FrameError::empty:
      return "empty";
    case FrameError::misaligned_size:
      return "misaligned_size";
    case FrameError::truncated:
      return "truncated";
    case FrameError::too_big:
      return "too_big";
    case FrameError::malformed:
      return "malformed";
    case FrameError::wrong_magic:
      return "wrong_magic";
  }
  return "unknown";
}

Frame Frame::of(capnp::MessageBuilder& message) {
  Frame frame;
  frame.bytes.resize(capnp::computeSerializedSizeInWords(message) * kWordBytes);
  kj::ArrayOutputStream out(kj::arrayPtr(frame.bytes.data(), frame.bytes.size()));
  capnp::writeMessage(out, message);
  return frame;
}

std::optional<FrameFailure> check_envelope(std::span<const uint8_t> bytes, const ReadLimits& limits) {
  const size_t size = bytes.size();
  if (size == 0) return failure(FrameError::empty, "no bytes");
  if (size > limits.max_bytes) {
    return failure(FrameError::too_big,
                   std::to_string(size) + " bytes, the limit is " + std::to_string(limits.max_bytes));
  }
  if (size % kWordBytes != 0) {
    return failure(FrameError::misaligned_size, std::to_string(size) + " bytes are not whole 8-byte words");
  }
  const uint64_t segments = uint64_t{load_le32(bytes.data())} + 1;
  if (segments > kMaxSegments) return failure(FrameError::malformed, std::to_string(segments) + " segments");
  uint64_t announced = (segments / 2 + 1) * kWordBytes;
  if (announced > size) return truncated(announced, size);
  for (uint64_t i = 0; i < segments; ++i) announced += uint64_t{load_le32(bytes.data() + 4 + 4 * i)} * kWordBytes;
  if (announced > size) return truncated(announced, size);
  if (announced < size) {
    return failure(FrameError::malformed, std::to_string(size - announced) + " bytes after the message");
  }
  return std::nullopt;
}

AlignedWords::AlignedWords(std::span<const uint8_t> bytes) {
  const size_t count = bytes.size() / kWordBytes;
  const void* at = bytes.data();
  if (reinterpret_cast<uintptr_t>(at) % alignof(capnp::word) != 0) {
    uint64_t* copy = inline_.data();
    if (count > kInlineWords) {
      heap_.reset(new uint64_t[count]);
      copy = heap_.get();
    }
    std::memcpy(copy, at, count * kWordBytes);
    at = copy;
  }
  words_ = kj::arrayPtr(static_cast<const capnp::word*>(at), count);
}

capnp::ReaderOptions reader_options(size_t words, const ReadLimits& limits) {
  constexpr uint64_t kFloorWords = 128;  // a tiny message may have one field read many times
  capnp::ReaderOptions options;
  options.traversalLimitInWords = uint64_t{words} * limits.visits_per_word + kFloorWords;
  options.nestingLimit = limits.nesting;
  return options;
}

std::optional<FrameError> append_framed(const Frame& frame, std::vector<uint8_t>& out) {
  const size_t size = frame.bytes.size();
  if (size == 0) return FrameError::empty;
  if (size > kMaxFrameBytes) return FrameError::too_big;
  if (size % kWordBytes != 0) return FrameError::misaligned_size;
  std::array<uint8_t, kPreludeBytes> prelude{};
  std::copy(kFrameMagic.begin(), kFrameMagic.end(), prelude.begin());
  store_le32(static_cast<uint32_t>(size), prelude.data() + kFrameMagic.size());
  out.reserve(out.size() + kPreludeBytes + size);
  out.insert(out.end(), prelude.begin(), prelude.end());
  out.insert(out.end(), frame.bytes.begin(), frame.bytes.end());
  return std::nullopt;
}

void FrameReader::read_prelude(std::span<const uint8_t>& bytes) {
  const size_t count = std::min(kPreludeBytes - prelude_size_, bytes.size());
  std::copy_n(bytes.begin(), count, prelude_.begin() + static_cast<ptrdiff_t>(prelude_size_));
  prelude_size_ += count;
  bytes = bytes.subspan(count);
  // A wrong first byte is enough: a peer of another protocol may never send eight.
  const size_t magic = std::min(prelude_size_, kFrameMagic.size());
  if (!std::equal(kFrameMagic.begin(), kFrameMagic.begin() + static_cast<ptrdiff_t>(magic), prelude_.begin())) {
    error_ = FrameError::wrong_magic;
    return;
  }
  if (prelude_size_ < kPreludeBytes) return;
  body_bytes_ = load_le32(prelude_.data() + kFrameMagic.size());
  if (body_bytes_ == 0) {
    error_ = FrameError::empty;
  } else if (body_bytes_ > max_frame_bytes_) {
    error_ = FrameError::too_big;
  } else if (body_bytes_ % kWordBytes != 0) {
    error_ = FrameError::misaligned_size;
  } else {
    body_.reserve(std::min(body_bytes_, kGrowthBytes));
  }
}

std::optional<Frame> FrameReader::take(std::span<const uint8_t>& bytes) {
  if (!error_ && prelude_size_ < kPreludeBytes) read_prelude(bytes);
  if (error_) {
    bytes = {};
    return std::nullopt;
  }
  if (prelude_size_ < kPreludeBytes) return std::nullopt;
  const size_t count = std::min(body_bytes_ - body_.size(), bytes.size());
  body_.insert(body_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
  bytes = bytes.subspan(count);
  if (body_.size() < body_bytes_) return std::nullopt;
  prelude_size_ = 0;
  return Frame{std::exchange(body_, {})};
}

}  // namespace viaduct::schema
