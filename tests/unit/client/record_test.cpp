// Records keep what they do not understand.
#include "api/client/record.hpp"

#include <capnp/any.h>
#include <capnp/message.h>
#include <gtest/gtest.h>

#include <cstring>

namespace viaduct::api {
namespace {

// An object with a port as a newer daemon might send it: one more data word and one more pointer than this schema has.
void write_newer_port(capnp::MessageBuilder& message, uint64_t extra_word, const char* extra_text) {
  capnp::MallocMessageBuilder known_message;
  auto known = known_message.initRoot<schema::Port>();
  known.setName("vm1");
  known.setMtu(1500);
  capnp::AnyStruct::Reader port = known_message.getRoot<capnp::AnyStruct>().asReader();

  auto object = message.initRoot<schema::Object>();
  set_uuid(object.initId(), Uuid::from_words(1, 2));
  object.setRevision(9);
  object.initPort();  // selects the member of the union; its pointer is the last that is not null
  auto pointers = message.getRoot<capnp::AnyStruct>().getPointerSection();
  unsigned at = pointers.size() - 1;
  while (pointers[at].isNull()) --at;
  auto data = port.getDataSection();
  auto texts = port.getPointerSection();
  auto newer =
      pointers[at].initAsAnyStruct(static_cast<uint16_t>(data.size() / 8 + 1), static_cast<uint16_t>(texts.size() + 1));
  std::memcpy(newer.getDataSection().begin(), data.begin(), data.size());
  std::memcpy(newer.getDataSection().begin() + data.size(), &extra_word, 8);
  for (unsigned i = 0; i < texts.size(); ++i) newer.getPointerSection()[i].set(texts[i]);
  newer.getPointerSection()[texts.size()].setAs<capnp::Text>(extra_text);
}

TEST(Record, UnknownFieldsSurviveAChange) {
  capnp::MallocMessageBuilder message;
  write_newer_port(message, 0x1122334455667788, "of tomorrow");
  auto record = Record::from(message.getRoot<schema::Object>().asReader());
  ASSERT_TRUE(record) << record.failure().message;
  EXPECT_EQ(record->name(), "vm1");
  EXPECT_EQ(record->revision(), 9U);
  record->set("mtu", uint64_t{1400});
  EXPECT_TRUE(record->changed());

  capnp::MallocMessageBuilder out;
  record->write(out.initRoot<schema::Object>());
  auto written = out.getRoot<schema::Object>().asReader();
  EXPECT_EQ(written.getPort().getMtu(), 1400);
  EXPECT_STREQ(written.getPort().getName().cStr(), "vm1");
  capnp::AnyStruct::Reader port(written.getPort());
  auto data = port.getDataSection();
  uint64_t last_word;
  std::memcpy(&last_word, data.end() - 8, 8);
  EXPECT_EQ(last_word, 0x1122334455667788U);
  auto pointers = port.getPointerSection();
  EXPECT_STREQ(pointers[pointers.size() - 1].getAs<capnp::Text>().cStr(), "of tomorrow");
}

TEST(Record, SettingTheSameValueIsNoChange) {
  capnp::MallocMessageBuilder message;
  auto object = message.initRoot<schema::Object>();
  object.initBridge().setName("blue");
  auto record = Record::from(object.asReader());
  ASSERT_TRUE(record);
  record->set("tenant", std::string("acme"));
  EXPECT_TRUE(record->changed());
  record->set("tenant", std::string());
  EXPECT_FALSE(record->changed());
}

TEST(Record, UnknownKindsAreRefusedByName) {
  capnp::MallocMessageBuilder message;
  auto object = message.initRoot<schema::Object>();
  set_uuid(object.initId(), Uuid::from_words(1, 2));
  object.initBridge();
  // The discriminant is the only 16-bit value of the data section behind the revision.
  auto data = message.getRoot<capnp::AnyStruct>().getDataSection();
  data.begin()[8] = 99;
  auto record = Record::from(object.asReader());
  ASSERT_FALSE(record);
  EXPECT_NE(record.failure().message.find("of a kind this tool does not know"), std::string::npos);
}

}  // namespace
}  // namespace viaduct::api
