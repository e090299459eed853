// The table of kinds against the schema: nothing is missing, nothing is misspelt.
#include "api/cli/kinds.hpp"

#include <capnp/dynamic.h>
#include <capnp/schema.h>
#include <gtest/gtest.h>

#include <set>

#include "api/cli/value.hpp"

namespace viaduct::cli {
namespace {

capnp::StructSchema object_schema() { return capnp::Schema::from<schema::Object>(); }

TEST(Kinds, EveryKindOfTheSchemaIsThere) {
  auto members = object_schema().getUnionFields();
  EXPECT_EQ(kinds().size(), members.size());
  for (auto member : members) EXPECT_NE(find_kind_by_schema(member.getProto().getName().cStr()), nullptr);
  for (auto enumerant : capnp::Schema::from<schema::Kind>().getEnumerants()) {
    const KindInfo* kind = find_kind_by_schema(enumerant.getProto().getName().cStr());
    ASSERT_NE(kind, nullptr);
    EXPECT_EQ(static_cast<uint16_t>(kind->kind), enumerant.getOrdinal());
    EXPECT_EQ(&info(kind->kind), kind);
    EXPECT_EQ(find_kind(kind->name), kind);
  }
}

TEST(Kinds, EveryFieldOfTheSchemaIsThereOnce) {
  for (const KindInfo& kind : kinds()) {
    auto type = object_schema().getFieldByName(std::string(kind.schema)).getType().asStruct();
    std::set<std::string> in_table;
    for (const Field& field : kind.fields) EXPECT_TRUE(in_table.insert(std::string(field.schema)).second);
    std::set<std::string> in_schema;
    for (auto field : type.getFields()) in_schema.insert(field.getProto().getName().cStr());
    EXPECT_EQ(in_table, in_schema) << kind.name;
  }
}

TEST(Kinds, KeysParentsAndChoicesAreKnown) {
  for (const KindInfo& kind : kinds()) {
    EXPECT_FALSE(kind.key.empty()) << kind.name;
    for (std::string_view key : kind.key) EXPECT_NE(kind.find(key), nullptr) << key;
    for (std::string_view parent : kind.parents) {
      ASSERT_NE(kind.find(parent), nullptr) << parent;
      EXPECT_EQ(kind.find(parent)->type, FieldType::reference);
    }
    auto type = object_schema().getFieldByName(std::string(kind.schema)).getType().asStruct();
    for (const Field& field : kind.fields) {
      EXPECT_FALSE(field.help.empty());
      if (field.type != FieldType::choice) continue;
      auto enumerants = type.getFieldByName(std::string(field.schema)).getType().asEnum().getEnumerants();
      ASSERT_EQ(enumerants.size(), field.choices.size());
      for (auto enumerant : enumerants)
        EXPECT_EQ(field.choices[enumerant.getOrdinal()], enumerant.getProto().getName().cStr());
    }
  }
}

// Every value survives text -> schema -> text.
TEST(Values, RoundTripThroughTheSchema) {
  const std::map<FieldType, std::vector<std::string>> samples = {
      {FieldType::text, {"blue"}},
      {FieldType::boolean, {"true"}},
      {FieldType::number, {"17"}},
      {FieldType::mac, {"02:00:00:00:00:01"}},
      {FieldType::address, {"fd00::1"}},
      {FieldType::prefix, {"10.0.0.0/8"}},
      {FieldType::prefix_list, {"10.0.0.1/24", "fd00::1/64"}},
      {FieldType::reference, {}}};
  for (const KindInfo& kind : kinds()) {
    capnp::MallocMessageBuilder message;
    capnp::DynamicStruct::Builder object(message.initRoot<schema::Object>());
    auto fields = object.init(std::string(kind.schema)).as<capnp::DynamicStruct>();
    for (const Field& field : kind.fields) {
      Value value = Uuid::random();
      if (field.type != FieldType::reference) {
        auto texts = field.choices.empty() ? samples.at(field.type) : std::vector{std::string(field.choices.back())};
        auto parsed = parse_value(field, texts);
        ASSERT_TRUE(parsed) << field.name;
        value = *parsed;
      }
      write_value(field, value, fields);
      EXPECT_EQ(read_value(field, fields.asReader()), value) << kind.name << '.' << field.name;
      if (field.type == FieldType::reference || field.type == FieldType::mac || field.type == FieldType::address) {
        write_value(field, Value{}, fields);
        EXPECT_EQ(read_value(field, fields.asReader()), Value{}) << kind.name << '.' << field.name;
      }
    }
  }
}

TEST(Values, NoneClears) {
  const KindInfo& port = info(Kind::PORT);
  EXPECT_EQ(*parse_value(*port.find("mac"), {"none"}), Value{});
  EXPECT_EQ(*parse_value(*port.find("address"), {"none"}), Value(std::vector<IpPrefix>{}));
  EXPECT_EQ(*parse_value(*port.find("mtu"), {"none"}), Value(uint64_t{0}));
  EXPECT_EQ(*parse_value(*port.find("interface"), {"none"}), Value(std::string()));
  EXPECT_EQ(*parse_value(*port.find("name"), {"none"}), Value(std::string("none")));
  EXPECT_FALSE(parse_value(*port.find("vlan"), {"4095"}));
  EXPECT_FALSE(parse_value(*port.find("mtu"), {"-1"}));
  EXPECT_FALSE(parse_value(*port.find("mtu"), {"1", "2"}));
}

}  // namespace
}  // namespace viaduct::cli
