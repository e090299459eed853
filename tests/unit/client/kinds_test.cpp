// The table of kinds against the schema: nothing is missing, nothing is misspelt.
#include "api/client/kinds.hpp"

#include <capnp/dynamic.h>
#include <capnp/schema.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "api/client/value.hpp"

namespace viaduct::api {
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

// "name", "condition.ipSrc": a condition's fields are the rule's in the table.
std::set<std::string> paths_of(capnp::StructSchema type, const std::string& before = "") {
  std::set<std::string> paths;
  for (auto field : type.getFields()) {
    const std::string path = before + field.getProto().getName().cStr();
    if (field.getType().isStruct() && field.getType().asStruct() == capnp::Schema::from<schema::Condition>()) {
      paths.merge(paths_of(field.getType().asStruct(), path + "."));
    } else {
      paths.insert(path);
    }
  }
  return paths;
}
capnp::StructSchema::Field field_at(capnp::StructSchema type, std::string path) {
  const size_t dot = path.find('.');
  if (dot == std::string::npos) return type.getFieldByName(path);
  return type.getFieldByName(path.substr(0, dot)).getType().asStruct().getFieldByName(path.substr(dot + 1));
}
bool is_match(capnp::Type type) {
  return type.isStruct() && type.asStruct().findFieldByName("inverted") != nullptr &&
         type.asStruct() != capnp::Schema::from<schema::Condition>();
}

TEST(Kinds, EveryFieldOfTheSchemaIsThereOnceOrWithItsOpposite) {
  for (const KindInfo& kind : kinds()) {
    auto type = object_schema().getFieldByName(std::string(kind.schema)).getType().asStruct();
    std::set<std::pair<std::string, Sense>> seen;
    std::set<std::string> in_table, names;
    for (const Field& field : kind.fields) {
      EXPECT_TRUE(seen.emplace(field.schema, field.sense).second) << field.name;
      EXPECT_TRUE(names.insert(std::string(field.name)).second) << field.name;
      EXPECT_TRUE(field.option == field.name || names.insert(std::string(field.option)).second) << field.option;
      in_table.insert(std::string(field.schema));
      EXPECT_EQ(is_match(field_at(type, std::string(field.schema)).getType()), field.sense != Sense::plain)
          << field.name;
      EXPECT_EQ(kind.opposite_of(field) != nullptr, field.sense != Sense::plain) << field.name;
    }
    EXPECT_EQ(in_table, paths_of(type)) << kind.name;
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
      auto enumerants = field_at(type, std::string(field.schema)).getType().asEnum().getEnumerants();
      ASSERT_EQ(enumerants.size(), field.choices.size());
      for (auto enumerant : enumerants) {
        std::string words(field.choices[enumerant.getOrdinal()]);
        std::erase(words, '-');
        std::string name = enumerant.getProto().getName().cStr();
        std::ranges::transform(name, name.begin(), [](char c) { return std::tolower(c); });
        EXPECT_EQ(words, name);
      }
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
      {FieldType::named_number, {"17"}},
      {FieldType::range, {"1024-65535"}},
      {FieldType::masked_mac, {"01:00:00:00:00:00/01:00:00:00:00:00"}},
      {FieldType::targets,
       {"203.0.113.1", "203.0.113.1-203.0.113.9:1024-65535", "[2001:db8::1]:80", "2001:db8:1::/48",
        "[2001:db8::1-2001:db8::9]:1-9"}},
      {FieldType::prefix_rules,
       {"permit 10.0.0.0/8", "deny 10.0.0.0/8 le 24", "permit 10.0.0.0/8 ge 16 le 24", "permit fd00::/8 ge 64",
        "deny 0.0.0.0/0 le 32", "permit 192.0.2.7/32", "permit 0.0.0.0/0 ge 32"}},
      {FieldType::secret, {"s3cret"}},
      {FieldType::reference, {}},
      {FieldType::reference_list, {}}};
  const auto is_absent_of_itself = [](const Field& field) {
    return field.type == FieldType::reference || field.type == FieldType::mac || field.type == FieldType::address ||
           field.sense != Sense::plain;
  };
  for (const KindInfo& kind : kinds()) {
    capnp::MallocMessageBuilder message;
    capnp::DynamicStruct::Builder object(message.initRoot<schema::Object>());
    auto fields = object.init(std::string(kind.schema)).as<capnp::DynamicStruct>();
    for (const Field& field : kind.fields) {
      Value value = Uuid::random();
      if (field.type == FieldType::reference_list) {
        value = std::vector{Uuid::random(), Uuid::random()};
      } else if (field.type == FieldType::number && field.minimum > 17) {
        value = field.minimum;
      } else if (field.type != FieldType::reference) {
        auto texts = field.choices.empty() ? samples.at(field.type) : std::vector{std::string(field.choices.back())};
        auto parsed = parse_value(field, texts);
        ASSERT_TRUE(parsed) << field.name;
        value = *parsed;
      }
      write_value(field, value, fields);
      EXPECT_EQ(read_value(field, fields.asReader()), value) << kind.name << '.' << field.name;
      if (const Field* opposite = kind.opposite_of(field)) {
        EXPECT_EQ(read_value(*opposite, fields.asReader()), Value{}) << field.name;
        write_value(*opposite, Value{}, fields);
        EXPECT_EQ(read_value(field, fields.asReader()), value) << "the opposite's absence changes nothing";
      }
      if (is_absent_of_itself(field)) {
        write_value(field, Value{}, fields);
        EXPECT_EQ(read_value(field, fields.asReader()), Value{}) << kind.name << '.' << field.name;
      }
    }
  }
}

std::string form_of(std::string_view field, const std::string& text, Kind kind = Kind::RULE) {
  const Field& of = *info(kind).find(field);
  auto value = parse_value(of, {text});
  return value ? to_text(of, *value) : value.failure().message;
}

TEST(Values, TextsHaveOneForm) {
  EXPECT_EQ(form_of("ip_proto", "6"), "tcp");
  EXPECT_EQ(form_of("ip_proto", "icmpv6"), "icmpv6");
  EXPECT_EQ(form_of("ip_proto", "0x2f"), "gre");
  EXPECT_EQ(form_of("ip_proto", "200"), "200");
  EXPECT_EQ(form_of("eth_type", "2048"), "ipv4");
  EXPECT_EQ(form_of("not_eth_type", "0x88CC"), "0x88cc");
  EXPECT_EQ(form_of("l4_dst", "80-80"), "80");
  EXPECT_EQ(form_of("l4_dst", "1024-2048"), "1024-2048");
  EXPECT_EQ(form_of("eth_src", "01:00:00:00:00:00/ff:ff:ff:ff:ff:ff"), "01:00:00:00:00:00");
  EXPECT_EQ(form_of("target", "10.0.0.1-10.0.0.1:80-80"), "10.0.0.1:80");
  EXPECT_EQ(form_of("target", "2001:DB8::1"), "2001:db8::1");
  EXPECT_EQ(form_of("nat", "reverse-snat"), "reverse-snat");
}

TEST(Values, WhatMakesNoSenseNamesItsOption) {
  using testing::HasSubstr;
  using testing::StartsWith;
  EXPECT_THAT(form_of("ip_proto", "tpc"), StartsWith("--ip-proto: 'tpc' is not one of: tcp, udp, "));
  EXPECT_THAT(form_of("not_ip_proto", "256"), StartsWith("--not-ip-proto: '256' is not"));
  for (const char* range : {"", "-", "80-", "-80", "65536", "1-65536", "http"})
    EXPECT_THAT(form_of("l4_src", range), HasSubstr("is not a number or a range")) << range;
  for (const char* mac : {"01", "01:00:00:00:00:00/", "01:00:00:00:00:00/8"})
    EXPECT_THAT(form_of("eth_dst", mac), StartsWith("--eth-dst: '")) << mac;
  for (const char* target : {"", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:99999", "10.0.0.1-", "[2001:db8::1]",
                             "[2001:db8::1", "2001:db8::/0", "10.0.0.1:1:2", "10.0.0.0/33"})
    EXPECT_THAT(form_of("target", target), StartsWith("--target: '")) << target;
}

TEST(Values, RulesOfFiltersHaveOneForm) {
  const auto form = [](const std::string& text) { return form_of("import_filter", text, Kind::BGP_PEER); };
  EXPECT_EQ(form("  permit\t10.0.0.0/8  le 24 "), "permit 10.0.0.0/8 le 24");
  EXPECT_EQ(form("permit 10.0.0.0/8 le 24 ge 16"), "permit 10.0.0.0/8 ge 16 le 24");
  EXPECT_EQ(form("deny 10.0.0.0/8 ge 8"), "deny 10.0.0.0/8 le 32");
  EXPECT_EQ(form("deny 10.0.0.0/8 ge 9 le 32"), "deny 10.0.0.0/8 ge 9");
  EXPECT_EQ(form("permit 10.0.0.0/8 ge 8 le 8"), "permit 10.0.0.0/8");
  EXPECT_EQ(form("permit 192.0.2.7"), "permit 192.0.2.7/32");
  EXPECT_EQ(form("permit FD00::/8 le 128"), "permit fd00::/8 le 128");
  for (const char* rule : {"", "permit", "10.0.0.0/8", "allow 10.0.0.0/8", "permit 10.0.0.0/33", "permit 10.0.0.0/8 le",
                           "permit 10.0.0.0/8 24", "permit 10.0.0.0/8 le 33", "permit 10.0.0.0/8 le 24 le 25",
                           "permit 10.0.0.0/8 eq 24", "permit fd00::/8 ge 129", "permit 10.0.0.0/8 le -1"})
    EXPECT_THAT(form(rule), testing::StartsWith("--import-filter: '")) << rule;
}

TEST(Values, ASecretIsNeverText) {
  const Field& field = *info(Kind::BGP_PEER).find("password");
  const auto set = parse_value(field, {"s3cret"}), cleared = parse_value(field, {"none"});
  ASSERT_TRUE(set && cleared);
  EXPECT_EQ(*set, Value(std::string("s3cret")));
  EXPECT_EQ(to_text(field, *set), "set");
  EXPECT_EQ(to_json(field, *set), "set");
  EXPECT_EQ(to_text(field, *cleared), "");
  EXPECT_EQ(to_json(field, *cleared), nullptr);
  EXPECT_EQ(to_json(field, Value{}), nullptr);
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
}  // namespace viaduct::api
