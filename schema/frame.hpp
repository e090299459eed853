// One Cap'n Proto message as owned bytes, and how to read such bytes when they come from somebody else.
//
// A Frame is what travels between processes (in a CAF message or on the admin socket) and what lies on disk: a flat
// array as `capnp::messageToFlatArray` makes it, segment table included. Its bytes come from malloc and are therefore
// aligned for reading in place. Bytes from elsewhere need not be (seven of eight RocksDB slices are not): with_root
// copies those first.
//
// Reading is bounded: by size, by nesting, and by how often a hostile message may make us visit the same words. The
// library reports bad input with exceptions, lazily, while fields are read; with_root turns them into values, so no
// exception leaves it. Readers must not outlive the callback: copy values out.
//
// On a stream (the admin socket) each frame is preceded by eight bytes: the magic "VDT1" and the frame's length in
// bytes, 32 bits little-endian. FrameReader takes bytes as they arrive; its memory is bounded by what was received, not
// by what a prelude claims.
//
// Threads: everything here is a value or a function without shared state.
#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace viaduct::schema {

inline constexpr size_t kMaxFrameBytes = size_t{16} << 20;

enum class FrameError : uint8_t {
  empty,            // no bytes at all, or a prelude that announces none
  misaligned_size,  // not a whole number of 8-byte words
  truncated,        // the segment table announces more than is there
  too_big,          // over the limit; nothing was allocated for it
  malformed,        // a pointer out of bounds, too deep, read too often, bytes after the end
  wrong_magic,      // the peer on the stream does not speak this framing
};
std::string_view to_string(FrameError error);

struct FrameFailure {
  FrameError error;
  std::string text;  // for the log and the operator: what the library said, or sizes
};

struct ReadLimits {
  size_t max_bytes = kMaxFrameBytes;
  // Words that may be visited for each word of the message. Honest readers need 1 or 2; a message whose pointers share
  // one big list is cut off here.
  uint32_t visits_per_word = 8;
  int nesting = 32;
};

// Bytes of one message, segment table included. A value: copies, moves, compares by content.
struct Frame {
  std::vector<uint8_t> bytes;

  static Frame of(capnp::MessageBuilder& message);
  friend bool operator==(const Frame&, const Frame&) = default;
};

// How the actor framework serialises a frame: as raw bytes. A template, so that this header does not know it.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, Frame& frame) {
  return inspector(frame.bytes);
}

// What a callback of with_root returned, or why there is nothing. A callback without a result leaves std::monostate.
template <class T>
class ReadResult {
 public:
  ReadResult(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  ReadResult(FrameFailure failure) : content_(std::in_place_index<1>, std::move(failure)) {}

  explicit operator bool() const { return content_.index() == 0; }
  T& operator*() { return std::get<0>(content_); }
  const T& operator*() const { return std::get<0>(content_); }
  T* operator->() { return &std::get<0>(content_); }
  const T* operator->() const { return &std::get<0>(content_); }
  const FrameFailure& failure() const { return std::get<1>(content_); }  // only when it holds no value

 private:
  std::variant<T, FrameFailure> content_;
};

// Checks what can be checked without following a pointer: size, and the segment table against it.
std::optional<FrameFailure> check_envelope(std::span<const uint8_t> bytes, const ReadLimits& limits);

// The words of `bytes`, in place when aligned, else in a copy of its own (so calls may nest). Needs whole words.
class AlignedWords {
 public:
  explicit AlignedWords(std::span<const uint8_t> bytes);
  AlignedWords(const AlignedWords&) = delete;
  AlignedWords& operator=(const AlignedWords&) = delete;
  kj::ArrayPtr<const capnp::word> get() const { return words_; }

 private:
  static constexpr size_t kInlineWords = 256;  // topology objects fit; no allocation for them
  std::array<uint64_t, kInlineWords> inline_;
  std::unique_ptr<uint64_t[]> heap_;
  kj::ArrayPtr<const capnp::word> words_;
};

capnp::ReaderOptions reader_options(size_t words, const ReadLimits& limits);

// Calls f(typename Message::Reader) on the root of `bytes`. What f returns must not refer to the message.
template <class Message, class F>
auto with_root(std::span<const uint8_t> bytes, const ReadLimits& limits, F&& f) {
  using Returned = std::invoke_result_t<F, typename Message::Reader>;
  using Value = std::conditional_t<std::is_void_v<Returned>, std::monostate, std::decay_t<Returned>>;
  using Result = ReadResult<Value>;
  if (auto failure = check_envelope(bytes, limits)) return Result(std::move(*failure));
  try {
    AlignedWords words(bytes);
    capnp::FlatArrayMessageReader reader(words.get(), reader_options(words.get().size(), limits));
    if constexpr (std::is_void_v<Returned>) {
      std::forward<F>(f)(reader.getRoot<Message>());
      return Result(Value{});
    } else {
      return Result(Value(std::forward<F>(f)(reader.getRoot<Message>())));
    }
  } catch (const kj::Exception& e) {
    return Result(FrameFailure{FrameError::malformed, std::string(e.getDescription().cStr())});
  } catch (const std::exception& e) {
    return Result(FrameFailure{FrameError::malformed, e.what()});
  }
}

template <class Message, class F>
auto with_root(const Frame& frame, const ReadLimits& limits, F&& f) {
  return with_root<Message>(std::span<const uint8_t>(frame.bytes), limits, std::forward<F>(f));
}

// --- framing on a stream --------------------------------------------------------------------------

inline constexpr size_t kPreludeBytes = 8;
inline constexpr std::array<uint8_t, 4> kFrameMagic = {'V', 'D', 'T', '1'};

// Appends prelude and message to `out`; refuses (and appends nothing) what a FrameReader would refuse.
std::optional<FrameError> append_framed(const Frame& frame, std::vector<uint8_t>& out);

// Cuts a byte stream into frames. After an error the stream has no known boundary any more: close it.
class FrameReader {
 public:
  explicit FrameReader(size_t max_frame_bytes = kMaxFrameBytes) : max_frame_bytes_(max_frame_bytes) {}

  // Takes from the front of `bytes` what the current frame lacks and returns the frame when that completes it. Call
  // again until it returns nothing; then `bytes` is used up.
  std::optional<Frame> take(std::span<const uint8_t>& bytes);

  // The same for callers that handle each frame at once: on_frame(Frame).
  template <class OnFrame>
  std::optional<FrameError> feed(std::span<const uint8_t> bytes, OnFrame&& on_frame) {
    while (auto frame = take(bytes)) on_frame(std::move(*frame));
    return error_;
  }

  std::optional<FrameError> error() const { return error_; }
  // True between frames: a peer that closes now has not cut one short.
  bool idle() const { return prelude_size_ == 0 && !error_; }
  size_t buffered_bytes() const { return prelude_size_ + body_.size(); }

 private:
  void read_prelude(std::span<const uint8_t>& bytes);

  const size_t max_frame_bytes_;
  std::array<uint8_t, kPreludeBytes> prelude_{};
  size_t prelude_size_ = 0;
  size_t body_bytes_ = 0;  // of the current frame, once the prelude is whole
  std::vector<uint8_t> body_;
  std::optional<FrameError> error_;
};

}  // namespace viaduct::schema
