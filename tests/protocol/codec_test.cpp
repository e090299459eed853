// What the codec refuses, and that nothing is lost on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/protocol/samples.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the samples
using ::testing::HasSubstr;

// The error of a port's bytes after `spoil` was done to them.
std::string error_of(const std::function<void(schema::Object::Builder)>& spoil, Object object = sample_port()) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Object>();
  encode(object, root);
  spoil(root);
  const auto decoded = decode_object(schema::Frame::of(message).bytes);
  EXPECT_FALSE(decoded);
  return decoded ? "" : decoded.error();
}

TEST(Codec, EmptyFieldsComeBackEmpty) {
  Port port;
  port.id = sample_id<PortId>(1);
  for (const Object& object : {Object(port), Object(Bridge{sample_id<BridgeId>(1), 0, "", "", true})}) {
    const auto decoded = decode_object(encode_object(object).bytes);
    ASSERT_TRUE(decoded) << decoded.error();
    EXPECT_EQ(*decoded, object);
  }
}

// What a peer sends is refused by its size, before anything of it is read.
TEST(Codec, QuestionsAndAnswersAreBounded) {
  Question question = sample_question();
  EXPECT_TRUE(decode_question(encode_question(question)));
  question.request.bytes.assign(kMaxQuestionBytes, 0);
  EXPECT_FALSE(decode_question(encode_question(question)));
  Answer answer = sample_answer();
  answer.reply.bytes.assign(kMaxAnswerBytes - 1'024, 0);
  EXPECT_TRUE(decode_answer(encode_answer(answer)));
  answer.reply.bytes.assign(kMaxAnswerBytes, 0);
  EXPECT_FALSE(decode_answer(encode_answer(answer)));
  EXPECT_FALSE(decode_question({std::vector<uint8_t>(64, 0xff)}));
  EXPECT_FALSE(decode_answer({}));
  question = sample_question();
  question.by.assign(10'000, 'x');
  EXPECT_EQ(decode_question(encode_question(question))->by.size(), kMaxAskedName);
}

TEST(Codec, RoutesOfEachSort) {
  for (NextHop next_hop : {NextHop::port, NextHop::local, NextHop::blackhole, NextHop::reject}) {
    Route route = sample_route();
    route.next_hop = next_hop;
    route.gateway = std::nullopt;
    EXPECT_EQ(*decode_object(encode_object(route).bytes), Object(route));
  }
}

TEST(Codec, ALeftOutSourceIsAnyOfTheDestinationsFamily) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Object>();
  encode(sample_uuid(1), root.initId());
  encode(IpPrefix::parse("2001:db8::/32").value(), root.initRoute().initDestination());
  const auto decoded = decode_object(schema::Frame::of(message).bytes);
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_EQ(std::get<Route>(*decoded).source, IpPrefix::any(IpFamily::v6));
  EXPECT_EQ(std::get<Route>(*decoded).weight, 100u);
}

TEST(Codec, NonsenseIsNamed) {
  const std::array<uint8_t, 5> five{};
  EXPECT_THAT(
      error_of([&](auto o) { o.getPort().getAddresses()[0].getAddress().setBytes(kj::arrayPtr(five.data(), 5)); }),
      HasSubstr("addresses: an address has 4 or 16 bytes, not 5"));
  EXPECT_THAT(error_of([](auto o) { o.getPort().getAddresses()[0].setLength(33); }), HasSubstr("prefix length 33"));
  EXPECT_THAT(error_of([](auto o) { o.getPort().getAddresses()[1].setLength(129); }), HasSubstr("prefix length 129"));
  EXPECT_THAT(error_of([](auto o) { o.getPort().getAddresses()[0].initAddress(); }), HasSubstr("missing"));
  EXPECT_THAT(error_of([](auto o) { o.getPort().setMac(uint64_t{1} << 48); }), HasSubstr("mac: more than 48 bits"));
  EXPECT_THAT(error_of([](auto o) { o.getPort().initAddresses(5000); }), HasSubstr("addresses: more than 1024"));
  EXPECT_THAT(error_of([](auto o) { o.initId(); }), HasSubstr("without an id"));
  EXPECT_THAT(error_of([](auto o) { o.getRoute().setNextHop(static_cast<schema::NextHop>(9)); }, sample_route()),
              HasSubstr("nextHop: unknown value 9"));
  EXPECT_THAT(error_of([](auto o) { o.getRoute().initDestination(); }, sample_route()), HasSubstr("destination"));
  EXPECT_THAT(error_of([](auto o) { o.initStaticNeighbour(); }), HasSubstr("address: missing"));
  EXPECT_THAT(error_of([](auto o) { o.initTunnelZoneHost(); }), HasSubstr("address: missing"));
  EXPECT_THAT(error_of([](auto o) { o.initTunnelZone().setType(static_cast<schema::TunnelType>(7)); }),
              HasSubstr("type: unknown value 7"));
}

TEST(Codec, NonsenseInRulesIsNamed) {
  const auto spoilt = [](const std::function<void(schema::Rule::Builder)>& spoil) {
    return error_of([&](auto o) { spoil(o.getRule()); }, sample_rule());
  };
  EXPECT_THAT(spoilt([](auto r) { r.setAction(static_cast<schema::RuleAction>(6)); }),
              HasSubstr("action: unknown value 6"));
  EXPECT_THAT(spoilt([](auto r) { r.setNat(static_cast<schema::NatKind>(5)); }), HasSubstr("nat: unknown value 5"));
  EXPECT_THAT(spoilt([](auto r) { r.getCondition().setFragments(static_cast<schema::FragmentPolicy>(4)); }),
              HasSubstr("condition: fragments: unknown value 4"));
  EXPECT_THAT(spoilt([](auto r) { r.getCondition().getIpProto().setValue(256); }),
              HasSubstr("condition: ipProto: 256 is over 255"));
  EXPECT_THAT(spoilt([](auto r) { r.getCondition().getIpTos().setValue(1000); }), HasSubstr("ipTos: 1000 is over 255"));
  EXPECT_THAT(spoilt([](auto r) { r.getCondition().initIpSrc(); }), HasSubstr("condition: ipSrc: value: the address"));
  EXPECT_THAT(spoilt([](auto r) { r.getCondition().getEthSrc().setMask(~uint64_t{0}); }),
              HasSubstr("condition: ethSrc: mask: more than 48 bits"));
  EXPECT_THAT(spoilt([](auto r) { r.getCondition().getInPorts().initValues(5000); }),
              HasSubstr("condition: inPorts: more than 4096"));
  EXPECT_THAT(spoilt([](auto r) { r.initTargets(5000); }), HasSubstr("targets: more than 4096"));
  EXPECT_THAT(spoilt([](auto r) { r.getTargets()[0].initFirst(); }), HasSubstr("targets: first: missing"));
}

TEST(Codec, NonsenseInPeersIsNamed) {
  const auto spoilt = [](const std::function<void(schema::BgpPeer::Builder)>& spoil) {
    return error_of([&](auto o) { spoil(o.getBgpPeer()); }, sample_bgp_peer());
  };
  EXPECT_THAT(spoilt([](auto p) { p.initAddress(); }), HasSubstr("address: missing"));
  EXPECT_THAT(spoilt([](auto p) { p.initImportFilter(5000); }), HasSubstr("importFilter: more than 4096"));
  EXPECT_THAT(spoilt([](auto p) { p.initExportFilter(1); }), HasSubstr("exportFilter: prefix: the address is missing"));
  EXPECT_THAT(spoilt([](auto p) { p.getImportFilter()[0].getPrefix().setLength(33); }),
              HasSubstr("importFilter: prefix: prefix length 33"));
  EXPECT_THAT(error_of([](auto o) { o.initBgpNetwork(); }), HasSubstr("prefix: the address is missing"));
  const std::string error = spoilt([](auto p) { p.initAddress(); });
  EXPECT_EQ(error.find(sample_bgp_peer().password), std::string::npos) << error;
}

// What a writer that sets only what it must leaves to the schema.
TEST(Codec, APeersDefaultsAreThoseOfTheModel) {
  BgpPeer peer;
  peer.id = sample_id<BgpPeerId>(1);
  peer.address = IpAddress::parse("192.0.2.1").value();
  EXPECT_EQ(*decode_object(encode_object(peer).bytes), Object(peer));
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Object>();
  encode(sample_uuid(1), root.initId());
  encode(peer.address, root.initBgpPeer().initAddress());
  EXPECT_EQ(*decode_object(schema::Frame::of(message).bytes), Object(peer));
}

TEST(Codec, AConditionLosesNothingAndGainsNothing) {
  Rule plain;
  plain.id = sample_id<RuleId>(1);
  EXPECT_EQ(*decode_object(encode_object(plain).bytes), Object(plain));
  // Each match for itself: what is not asked for stays so.
  const Condition full = sample_condition();
  const auto alone = [&](auto field) {
    Rule rule = plain;
    rule.condition.*field = full.*field;
    EXPECT_NE(rule, plain);
    EXPECT_EQ(*decode_object(encode_object(rule).bytes), Object(rule));
  };
  alone(&Condition::inverted), alone(&Condition::fragments), alone(&Condition::forward_flow);
  alone(&Condition::return_flow), alone(&Condition::destination_rewritten), alone(&Condition::untagged);
  alone(&Condition::vlan), alone(&Condition::port_group), alone(&Condition::in_port_group);
  alone(&Condition::out_port_group), alone(&Condition::in_ports), alone(&Condition::out_ports);
  alone(&Condition::eth_type), alone(&Condition::eth_src), alone(&Condition::eth_dst), alone(&Condition::ip_tos);
  alone(&Condition::ip_proto), alone(&Condition::ip_src), alone(&Condition::ip_dst), alone(&Condition::ip_src_group);
  alone(&Condition::ip_dst_group), alone(&Condition::l4_src), alone(&Condition::l4_dst);
  alone(&Condition::traversed_device), alone(&Condition::icmp_data_src), alone(&Condition::icmp_data_dst);
}

TEST(Codec, EachActionAndEachSortOfNatTravels) {
  for (int action = 0; action <= static_cast<int>(RuleAction::jump); ++action) {
    for (int nat = 0; nat <= static_cast<int>(NatKind::reverse_snat); ++nat) {
      Rule rule = sample_rule();
      rule.action = static_cast<RuleAction>(action);
      rule.nat = static_cast<NatKind>(nat);
      EXPECT_EQ(*decode_object(encode_object(rule).bytes), Object(rule));
    }
  }
}

TEST(Codec, AStaticTargetMayLeaveItsLastAddressOut) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Object>();
  encode(sample_rule(), root);
  root.getRule().getTargets()[1].disownLast();
  EXPECT_EQ(*decode_object(schema::Frame::of(message).bytes), Object(sample_rule()));
}

TEST(Codec, AnUnknownKindIsRefusedByName) {
  // Behind the struct's pointer, id's pointer and revision, the union's tag is the 16 bits of the second data word.
  schema::Frame frame = encode_object(sample_objects()[0].second);
  bool refused = false;
  for (size_t at = 8; at + 1 < frame.bytes.size() && !refused; at += 2) {
    schema::Frame spoilt = frame;
    spoilt.bytes[at] = 0x63;
    const auto decoded = decode_object(spoilt.bytes);
    refused = !decoded && decoded.error().find("unknown kind 99") != std::string::npos;
  }
  EXPECT_TRUE(refused);
  capnp::MallocMessageBuilder message;
  auto ref = message.initRoot<schema::ObjectRef>();
  ref.setKind(static_cast<schema::Kind>(42));
  EXPECT_THAT(decode(ref.asReader()).error(), HasSubstr("unknown kind 42"));
}

// Every bit of a port, flipped: an error or some object, never more.
TEST(Codec, SpoiltBytesAreErrorsOrOtherObjects) {
  const schema::Frame good = encode_object(sample_port());
  size_t errors = 0;
  for (size_t bit = 0; bit < good.bytes.size() * 8; ++bit) {
    schema::Frame spoilt = good;
    spoilt.bytes[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    if (!decode_object(spoilt.bytes)) ++errors;
  }
  EXPECT_GT(errors, 0u);
  for (size_t size = 0; size < good.bytes.size(); ++size) {
    EXPECT_FALSE(decode_object(std::span(good.bytes).first(size)));
  }
}

TEST(Codec, KeysGoBothWays) {
  for (const auto& [name, object] : sample_objects()) {
    const std::string key = key_of(ref_of(object));
    const bool second = name.ends_with("-filtered") || name == "router-bgp" || name == "port-vif" ||
                        name == "route-attributes" || name == "host-weights" ||
                        name == "rule-meter";  // sample of its kind
    if (second) continue;
    EXPECT_EQ(key, "/topology/" + name + "/" + id_of(object).to_string());
    EXPECT_EQ(parse_key(key), ref_of(object));
  }
  for (const char* bad :
       {"", "/", "/topology/", "/topology/port", "/topology/port/",
        "/topology/ports/10203040-5060-4080-90a0-b0c0d0e0f001", "/other/port/10203040-5060-4080-90a0-b0c0d0e0f001",
        "/topology/port/10203040-5060-4080-90a0-b0c0d0e0f001/"}) {
    EXPECT_EQ(parse_key(bad), std::nullopt) << bad;
  }
}

TEST(Codec, ABatchOfTheFeedTravelsWhole) {
  const FeedBatch batch = sample_feed();
  const auto copy = decode_feed(encode_feed(batch));
  ASSERT_TRUE(copy) << copy.error();
  EXPECT_TRUE(same(*copy, batch));
}

// Everything that a large network has is over the limit of framed streams, and still travels.
TEST(Codec, ALargeBatchTravels) {
  constexpr uint64_t kHosts = 17'000;
  FeedBatch everything{.revision = 9, .complete = true, .forget = {}, .items = {}, .committed_at = 0};
  for (uint64_t i = 1; i <= kHosts; ++i) {
    std::string name = std::to_string(i);
    name.resize(1000, 'n');
    everything.items.push_back(feed_item(Host{HostId(Uuid::from_words(1, i)), i, name}));
  }
  const schema::Frame frame = encode_feed(everything);
  EXPECT_GT(frame.bytes.size(), schema::kMaxFrameBytes);
  const auto batch = decode_feed(frame);
  ASSERT_TRUE(batch) << batch.error();
  EXPECT_TRUE(same(*batch, everything));
}

TEST(Codec, FeedsWithNonsenseAreRefused) {
  capnp::MallocMessageBuilder message;
  message.initRoot<schema::FeedBatch>().initItems(1);
  EXPECT_THAT(decode_feed(schema::Frame::of(message)).error(), HasSubstr("without a key"));
  EXPECT_FALSE(decode_feed(schema::Frame{}));
  EXPECT_FALSE(decode_feed(schema::Frame{std::vector<uint8_t>(64, 0xff)}));
}

// Every bit of a batch, flipped: an error or some batch, never more.
TEST(Codec, SpoiltFeedsAreErrorsOrOtherFeeds) {
  const schema::Frame good = encode_feed(sample_feed());
  size_t errors = 0;
  for (size_t bit = 0; bit < good.bytes.size() * 8; ++bit) {
    schema::Frame spoilt = good;
    spoilt.bytes[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    if (!decode_feed(spoilt)) ++errors;
  }
  EXPECT_GT(errors, 0u);
}

TEST(Codec, OperationsSayWhichOneIsBad) {
  capnp::MallocMessageBuilder message;
  auto transact = message.initRoot<schema::Transact>();
  encode_operations(sample_operations(), transact);
  transact.getOperations()[1].getUpdate().getPort().setMac(~uint64_t{0});
  const auto operations = decode_operations(transact.asReader());
  ASSERT_FALSE(operations);
  EXPECT_THAT(operations.error(), HasSubstr("operation 1: update: port"));
}

TEST(Codec, RefusalsHaveACode) {
  const auto code = [](std::vector<Violation> violations) {
    capnp::MallocMessageBuilder message;
    auto error = message.initRoot<schema::AdminError>();
    encode_refused(violations, error);
    return error.getCode();
  };
  Violation conflict, unknown;
  conflict.rule = BrokenRule::revision_conflict;
  unknown.rule = BrokenRule::unknown_object;
  EXPECT_EQ(code({conflict}), schema::ErrorCode::CONFLICT);
  EXPECT_EQ(code({unknown}), schema::ErrorCode::NOT_FOUND);
  EXPECT_EQ(code({unknown, conflict}), schema::ErrorCode::INVALID);
}

}  // namespace
}  // namespace viaduct::topology
