// Generic netlink messages: written, several behind each other, into one buffer that is kept between batches, and read
// in place. Writing allocates only while the buffer still grows.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace viaduct::flows::ovs {

using Bytes = std::span<const uint8_t>;

// An attribute holds at most this many bytes: its length field has 16 bits and counts the header.
inline constexpr size_t kMaxAttributeBytes = 0xffff - 4;

struct MessageHead {
  uint16_t family = 0;
  uint8_t command = 0;
  uint8_t version = 1;
  uint16_t flags = 0;     // NLM_F_REQUEST is added
  uint32_t sequence = 0;  // comes back in replies and errors
  int datapath = 0;       // ovs_header's ifindex; 0 when the request names the datapath otherwise
};

class MessageBatch {
 public:
  void clear() { bytes_.clear(), messages_ = 0; }
  Bytes bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  size_t messages() const { return messages_; }

  void begin(const MessageHead& head);
  void end();
  // Takes the message back that was begun last.
  void abandon();

  void put(uint16_t type, Bytes value);
  template <class T>
  requires(std::is_trivially_copyable_v<T>&& std::is_standard_layout_v<T> &&
           !std::is_convertible_v<T, Bytes>) void put(uint16_t type, const T& value) {
    uint8_t raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    put(type, Bytes(raw, sizeof(T)));
  }
  void put_string(uint16_t type, std::string_view text);  // with its terminating zero
  // Nests stay when they are empty (an empty list of actions means "drop"). No NLA_F_NESTED: the module expects none.
  size_t open_nest(uint16_t type);
  void close_nest(size_t nest);

 private:
  std::vector<uint8_t> bytes_;
  size_t begun_ = 0;
  size_t messages_ = 0;
};

// The attributes of a message or nest by type; absent ones, and types beyond the table, are not there.
class Attributes {
 public:
  static constexpr size_t kTypes = 40;
  // False when the lengths lie; what was found before stays.
  bool parse(Bytes attributes);

  bool has(unsigned type) const { return type < kTypes && values_[type].data() != nullptr; }
  Bytes operator[](unsigned type) const { return type < kTypes ? values_[type] : Bytes{}; }
  // Nothing when it is absent or too short for a T; a longer one is cut.
  template <class T>
  std::optional<T> get(unsigned type) const {
    Bytes value = (*this)[type];
    if (value.data() == nullptr || value.size() < sizeof(T)) return std::nullopt;
    T out;
    std::memcpy(&out, value.data(), sizeof(T));
    return out;
  }
  std::string_view text(unsigned type) const;

 private:
  std::array<Bytes, kTypes> values_{};
};

struct Attribute {
  uint16_t type = 0;
  Bytes value;
};
// Takes the first attribute off the front of `rest`; nothing at the end, or when the length lies.
std::optional<Attribute> next_attribute(Bytes& rest);

// One message of the Open vSwitch families, as received.
struct Message {
  uint32_t sequence = 0;
  uint16_t family = 0;
  uint8_t command = 0;
  int error = 0;      // of a refusal: an errno; 0 otherwise
  bool done = false;  // the end of a dump
  int datapath = 0;
  Bytes attributes;
};
// Takes the first message off the front of `rest`; nothing at the end, or when it is cut.
std::optional<Message> next_message(Bytes& rest);

}  // namespace viaduct::flows::ovs
