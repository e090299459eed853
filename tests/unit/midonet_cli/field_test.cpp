// Texts and members, both ways.
#include "api/midonet_cli/field.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/midonet_cli/nat_target.hpp"

namespace viaduct::api::midonet_cli {
namespace {

using ::testing::HasSubstr;

Field of(Form form) {
  return {.name = "f", .member = "m", .form = form, .second = "s", .inverse = form == Form::prefix ? "inv" : ""};
}
// The document that the value makes, as text; of a failure its message.
std::string made(const Field& field, std::string_view value) {
  Json document = Json::object();
  auto done = put(field, value, document);
  return done ? document.dump() : "FAILURE " + done.failure().message + " | " + done.failure().cure;
}
std::string back(const Field& field, std::string_view value) {
  Json document = Json::object();
  return put(field, value, document) ? text_of(field, document).value_or("none") : "FAILURE";
}

TEST(MidonetField, FormsMakeMembers) {
  EXPECT_EQ(made(of(Form::text), "a b"), R"({"m":"a b"})");
  EXPECT_EQ(made(of(Form::number), "0x800"), R"({"m":2048})");
  EXPECT_EQ(made(of(Form::number), "-1"), R"({"m":-1})");
  EXPECT_EQ(made(of(Form::limit), "no-limit"), R"({"m":-1})");
  EXPECT_EQ(made(of(Form::boolean), "true"), R"({"m":true})");
  EXPECT_EQ(made(of(Form::up_down), "down"), R"({"m":false})");
  EXPECT_EQ(made(of(Form::yes_no), "yes"), R"({"m":true})");
  EXPECT_EQ(made(of(Form::texts), "a, b"), R"({"m":["a","b"]})");
  EXPECT_EQ(made(of(Form::range), "80-90"), R"({"m":{"start":80,"end":90}})");
  EXPECT_EQ(made(of(Form::prefix), "!10.0.0.0/8"), R"({"m":"10.0.0.0","s":8,"inv":true})");
  EXPECT_EQ(made(of(Form::prefix), "2001:db8::1"), R"({"m":"2001:db8::1","s":128,"inv":false})");
  EXPECT_EQ(made(of(Form::flow), "return-flow"), R"({"m":false,"s":true})");
  EXPECT_EQ(made(of(Form::flow), "forward-flow"), R"({"m":true,"s":false})");
  const Field traced{.name = "bridge", .member = "deviceId", .form = Form::device, .of = "bridge"};
  const std::string id = "5a0c6e4a-1b3d-4a0a-8f0d-3d3f4e0b7a11";
  EXPECT_EQ(made(traced, id), R"({"deviceId":")" + id + R"(","deviceType":"BRIDGE"})");
  Json of_router = {{"deviceId", id}, {"deviceType", "ROUTER"}};
  EXPECT_EQ(text_of(traced, of_router), std::nullopt);
}

TEST(MidonetField, MembersAreTexts) {
  for (const char* text : {"10.0.0.0/8", "!10.0.0.1", "0.0.0.0/0", "2001:db8::/32"})
    EXPECT_EQ(back(of(Form::prefix), text), text);
  EXPECT_EQ(back(of(Form::prefix), "10.0.0.1/32"), "10.0.0.1");
  for (const char* text : {"80", "80-90"}) EXPECT_EQ(back(of(Form::range), text), text);
  EXPECT_EQ(back(of(Form::range), "80-80"), "80");
  EXPECT_EQ(back(of(Form::limit), "no-limit"), "no-limit");
  EXPECT_EQ(back(of(Form::limit), "7"), "7");
  EXPECT_EQ(back(of(Form::flow), "forward-flow"), "fwd-flow");
  EXPECT_EQ(text_of(of(Form::text), Json::object()), std::nullopt);
  EXPECT_EQ(text_of(of(Form::texts), Json{{"m", Json::array()}}), std::nullopt);
}

TEST(MidonetField, WhatMakesNoSenseSaysWhatWould) {
  const std::pair<Form, const char*> wrong[] = {
      {Form::number, "12x"},       {Form::number, ""},     {Form::number, "--1"},    {Form::up_down, "upp"},
      {Form::boolean, "yes"},      {Form::yes_no, "true"}, {Form::prefix, "10.0.0"}, {Form::prefix, "10.0.0.0/33"},
      {Form::prefix, "10.0.0.0/"}, {Form::range, "90-80"}, {Form::range, "65536"},   {Form::range, "a"},
      {Form::reference, "x"},      {Form::flow, "flow"},   {Form::targets, ""},      {Form::targets, "10.0.0.1:"},
      {Form::limit, "none"}};
  for (const auto& [form, text] : wrong)
    EXPECT_EQ(made(of(form), text),
              "FAILURE f: '" + std::string(text) + "' makes no sense | it is to be " + describe(of(form)));
  EXPECT_THAT(made(of(Form::number), "!3"), HasSubstr("this field cannot be"));
}

TEST(MidonetField, WhatIsClearedIsNothing) {
  Json document = {{"m", "10.0.0.0"}, {"s", 8}, {"inv", true}};
  clear(of(Form::prefix), document);
  EXPECT_EQ(document.dump(), R"({"m":null,"s":0,"inv":false})");
  EXPECT_EQ(text_of(of(Form::prefix), document), std::nullopt);
  EXPECT_FALSE(can_be_cleared(of(Form::up_down)));
  Field read_only = of(Form::text);
  read_only.marks = kReadOnly;
  EXPECT_FALSE(can_be_cleared(read_only));
}

TEST(MidonetField, MembersInsideOfAnother) {
  Field field = of(Form::text);
  field.inside = "condition";
  EXPECT_EQ(made(field, "x"), R"({"condition":{"m":"x"}})");
  EXPECT_EQ(back(field, "x"), "x");
}

TEST(MidonetNatTargets, RoundTrip) {
  for (const char* text : {"10.0.0.1", "10.0.0.1-10.0.0.9", "10.0.0.1:80", "10.0.0.1-10.0.0.9:80-90",
                           "[2001:db8::1]:80", "2001:db8::1-2001:db8::9", "10.0.0.1:80,10.0.0.2:0-9"}) {
    auto targets = parse_targets(text);
    ASSERT_TRUE(targets) << text;
    EXPECT_EQ(targets_text(*targets), text);
  }
  for (const char* text :
       {"", "x", "10.0.0.1-", "10.0.0.1:x", "[2001:db8::1", "[2001:db8::1]80", "10.0.0.1:1-2-3", ","}) {
    EXPECT_FALSE(parse_targets(text)) << text;
  }
}

}  // namespace
}  // namespace viaduct::api::midonet_cli
