// What the encoder makes, read by a decoder written from RFC 7011: it knows no template before it was told.
#include "observability/flow_log/ipfix.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>

#include "literals.hpp"

namespace viaduct::observability::flow_log::testing {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<uint8_t>;
using Decoded = std::map<uint16_t, Bytes>;  // element -> value

class Decoder {
 public:
  std::vector<Decoded> records;
  std::vector<uint32_t> sequences;
  uint32_t domain = 0, export_time = 0;
  int templates_heard = 0;

  void hear(const Bytes& message) {
    ASSERT_GE(message.size(), 16U);
    ASSERT_EQ(number(message, 0, 2), 10U);  // 3.1: version
    ASSERT_EQ(number(message, 2, 2), message.size());
    export_time = static_cast<uint32_t>(number(message, 4, 4));
    sequences.push_back(static_cast<uint32_t>(number(message, 8, 4)));
    domain = static_cast<uint32_t>(number(message, 12, 4));
    for (size_t at = 16; at < message.size();) {
      const auto id = static_cast<uint16_t>(number(message, at, 2));
      const size_t length = number(message, at + 2, 2);
      ASSERT_GE(length, 4U);
      ASSERT_LE(at + length, message.size());
      const Bytes set(message.begin() + static_cast<long>(at) + 4, message.begin() + static_cast<long>(at + length));
      id == 2 ? hear_templates(set) : hear_data(id, set);
      at += length;
    }
  }

  static uint64_t number(const Bytes& from, size_t at, size_t bytes) {
    uint64_t out = 0;
    for (size_t i = 0; i < bytes; ++i) out = out << 8 | from.at(at + i);
    return out;
  }
  static uint64_t number(const Bytes& value) { return number(value, 0, value.size()); }

 private:
  void hear_templates(const Bytes& set) {
    for (size_t at = 0; at + 4 <= set.size();) {  // 3.4.1
      const auto id = static_cast<uint16_t>(number(set, at, 2));
      const size_t count = number(set, at + 2, 2);
      at += 4;
      auto& fields = templates_[id];
      fields.clear();
      for (size_t i = 0; i < count; ++i, at += 4) {
        const uint64_t element = number(set, at, 2);
        if ((element & 0x8000) != 0) throw std::runtime_error("an enterprise's element");
        fields.emplace_back(element, number(set, at + 2, 2));
      }
      ++templates_heard;
    }
  }
  void hear_data(uint16_t id, const Bytes& set) {
    const auto& fields = templates_.at(id);  // throws: a set without a template
    size_t length = 0;
    for (const auto& field : fields) length += field.second;
    EXPECT_EQ(set.size() % length, 0U);
    for (size_t at = 0; at + length <= set.size();) {
      Decoded& record = records.emplace_back();
      for (const auto& [element, bytes] : fields) {
        record[static_cast<uint16_t>(element)] =
            Bytes(set.begin() + static_cast<long>(at), set.begin() + static_cast<long>(at + bytes));
        at += bytes;
      }
    }
  }
  std::map<uint16_t, std::vector<std::pair<uint64_t, uint64_t>>> templates_;
};

uint64_t value(const Decoded& record, uint16_t element) { return Decoder::number(record.at(element)); }
std::string address(const Decoded& record, uint16_t element) {
  const Bytes& bytes = record.at(element);
  return IpAddress::from_network(bytes.size() == 4 ? IpFamily::v4 : IpFamily::v6, bytes.data()).to_string();
}

struct Exchange {
  IpfixEncoder encoder{77, 60s};
  Decoder decoder;
  std::vector<size_t> sizes;
  void hear(const Clocks& clocks = noon()) {
    for (const auto& message : encoder.take(clocks)) {
      sizes.push_back(message.bytes.size());
      decoder.hear(message.bytes);
    }
  }
};

TEST(FlowLogIpfix, AFlowOfIpv4) {
  Exchange to;
  ASSERT_TRUE(to.encoder.decided(v4(), noon()));
  ASSERT_TRUE(to.encoder.ended(v4(), end_of(v4(), 10, 5'000, 2500ms, EndReason::table_full), noon()));
  to.hear();
  EXPECT_EQ(to.decoder.domain, 77U);
  EXPECT_EQ(to.decoder.export_time, 1'795'435'200U);
  ASSERT_EQ(to.decoder.records.size(), 2U);
  const Decoded& start = to.decoder.records[0];
  const Decoded& end = to.decoder.records[1];
  for (const Decoded* record : {&start, &end}) {
    EXPECT_EQ(address(*record, 8), "10.0.0.1");
    EXPECT_EQ(address(*record, 12), "10.0.0.100");
    EXPECT_EQ(address(*record, 225), "10.0.0.1");
    EXPECT_EQ(address(*record, 226), "10.0.1.5");
    EXPECT_EQ(value(*record, 7), 40'000U);
    EXPECT_EQ(value(*record, 11), 80U);
    EXPECT_EQ(value(*record, 227), 40'000U);
    EXPECT_EQ(value(*record, 228), 8'080U);
    EXPECT_EQ(value(*record, 4), 6U);
    EXPECT_EQ(value(*record, 60), 4U);
    EXPECT_EQ(value(*record, 10), 3U);
    EXPECT_EQ(value(*record, 14), 4U);
    EXPECT_EQ(value(*record, 89), 64U);
    EXPECT_EQ(value(*record, 148), 0x1234U);
    EXPECT_EQ(value(*record, 152), 1'795'435'200'250U);
    EXPECT_EQ(value(*record, 56), 0x0200'0000'0001U);
    const auto port = id(1).bytes();
    EXPECT_EQ(record->at(347), Bytes(port.begin(), port.end()));
  }
  EXPECT_EQ(value(start, 233), 1U);
  EXPECT_EQ(value(start, 153), value(start, 152));
  EXPECT_FALSE(start.contains(86));
  EXPECT_EQ(value(end, 233), 2U);
  EXPECT_EQ(value(end, 153), 1'795'435'202'750U);
  EXPECT_EQ(value(end, 86), 10U);
  EXPECT_EQ(value(end, 85), 5'000U - 10 * 14);
  EXPECT_EQ(value(end, 136), 5U);
}

TEST(FlowLogIpfix, ADropOfIpv6) {
  Exchange to;
  ASSERT_TRUE(to.encoder.decided(v6_dropped(), noon()));
  Record alone = v6_dropped();
  alone.alone = true;
  ASSERT_TRUE(to.encoder.decided(alone, noon()));
  to.hear();
  ASSERT_EQ(to.decoder.records.size(), 2U);
  for (const Decoded& record : to.decoder.records) {
    EXPECT_EQ(address(record, 27), "fd00:1::10");
    EXPECT_EQ(address(record, 28), "fd00:2::10");
    EXPECT_EQ(value(record, 139), 128U << 8);
    EXPECT_EQ(value(record, 7), 0U);
    EXPECT_EQ(value(record, 58), 7U);
    EXPECT_EQ(value(record, 89), 130U);
    EXPECT_EQ(value(record, 233), 3U);
  }
  EXPECT_EQ(value(to.decoder.records[1], 86), 1U);
  EXPECT_EQ(value(to.decoder.records[1], 85), 122U - 14 - 4);
}

TEST(FlowLogIpfix, WhatIsNoIpIsNotExported) {
  Exchange to;
  Record record = v4();
  record.ip_version = 0;
  EXPECT_FALSE(to.encoder.decided(record, noon()));
  EXPECT_FALSE(to.encoder.ended(record, end_of(record, 1, 60, 0ms), noon()));
  EXPECT_TRUE(to.encoder.take(noon()).empty());
}

TEST(FlowLogIpfix, MessagesFitTheirLimitAndCountRecords) {
  for (const size_t limit : {size_t{0}, size_t{900}, size_t{1'400}, size_t{65'000}}) {
    Exchange to;
    to.encoder.limit(limit);
    constexpr size_t kEach = 50;
    for (size_t i = 0; i < kEach; ++i) {
      to.encoder.decided(v4(), noon());
      to.encoder.ended(v6_dropped(), end_of(v6_dropped(), i, 100 * i, 1ms), noon());
    }
    to.hear();
    EXPECT_EQ(to.decoder.records.size(), 2 * kEach);
    const size_t most = std::clamp(limit, IpfixEncoder::kLeastMessage, IpfixEncoder::kMostMessage);
    EXPECT_LE(*std::max_element(to.sizes.begin(), to.sizes.end()), most);
    EXPECT_EQ(to.decoder.sequences.front(), 0U);
    EXPECT_TRUE(std::is_sorted(to.decoder.sequences.begin(), to.decoder.sequences.end()));
    to.encoder.decided(v4(), noon());
    to.hear();
    EXPECT_EQ(to.decoder.sequences.back(), 2 * kEach);
  }
}

TEST(FlowLogIpfix, TemplatesAreToldAgain) {
  Exchange to;
  to.encoder.decided(v4(), noon());
  to.hear();
  EXPECT_EQ(to.decoder.templates_heard, 4);
  Clocks later = noon();
  later.steady += 59s;
  to.encoder.decided(v4(), later);
  to.hear(later);
  EXPECT_EQ(to.decoder.templates_heard, 4);
  later.steady += 1s;
  to.encoder.decided(v4(), later);
  to.hear(later);
  EXPECT_EQ(to.decoder.templates_heard, 8);
}

}  // namespace
}  // namespace viaduct::observability::flow_log::testing
