#include <capnp/message.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "actors/admin/replies.hpp"
#include "actors/admin/request.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {
namespace {

using schema::ErrorCode;
using testing::HasSubstr;
using Builder = schema::AdminRequest::Builder;

const std::string kSecret = "0123456789abcdef0123456789abcdef";
const AdminToken kToken{{kSecret.begin(), kSecret.end()}};

template <class Fill>
schema::Frame request(Fill fill, const std::string& token = kSecret, uint16_t major = schema::PROTOCOL_MAJOR) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::AdminRequest>();
  root.setMajor(major);
  root.setToken(kj::ArrayPtr<const uint8_t>(reinterpret_cast<const uint8_t*>(token.data()), token.size()));
  root.setId(42);
  fill(root);
  return schema::Frame::of(message);
}
schema::Frame status() {
  return request([](Builder root) { root.setStatus(); });
}

const AdminProblem* problem_of(const AdminRequest& request) { return std::get_if<AdminProblem>(&request.content); }
template <class T>
const T* command_of(const AdminRequest& request) {
  const auto* command = std::get_if<AdminCommand>(&request.content);
  return command == nullptr ? nullptr : std::get_if<T>(command);
}

TEST(AdminRequest, TheTokenDecides) {
  EXPECT_NE(command_of<StatusRequest>(decode_request(status(), kToken)), nullptr);
  for (const std::string& wrong : {std::string(), kSecret.substr(1), kSecret + "0", std::string(32, 'x')}) {
    auto decoded = decode_request(request([](Builder root) { root.setStatus(); }, wrong), kToken);
    ASSERT_NE(problem_of(decoded), nullptr) << wrong;
    EXPECT_EQ(problem_of(decoded)->code, ErrorCode::UNAUTHORIZED);
    EXPECT_EQ(decoded.id, 42) << "the answer finds its question";
  }
  auto trailing = decode_request(request([](Builder root) { root.setStatus(); }, kSecret + "\n"), kToken);
  EXPECT_EQ(problem_of(trailing), nullptr) << "an editor's newline";
  EXPECT_NE(problem_of(decode_request(status(), AdminToken{})), nullptr) << "no token matches nothing";
}

TEST(AdminRequest, AnotherMajorVersionIsRefusedByNameBeforeTheToken) {
  auto decoded = decode_request(request([](Builder root) { root.setStatus(); }, "", 9), kToken);
  ASSERT_NE(problem_of(decoded), nullptr);
  EXPECT_EQ(problem_of(decoded)->code, ErrorCode::VERSION);
  EXPECT_THAT(problem_of(decoded)->message, HasSubstr("version 9"));
}

TEST(AdminRequest, LimitsAndTimeoutsAreBounded) {
  auto wait = decode_request(request([](Builder root) { root.initWait().setTimeoutMs(~0U); }), kToken);
  ASSERT_NE(command_of<WaitApplied>(wait), nullptr);
  EXPECT_LE(command_of<WaitApplied>(wait)->timeout, std::chrono::seconds(110));
  auto plain = decode_request(request([](Builder root) { root.initWait(); }), kToken);
  EXPECT_EQ(command_of<WaitApplied>(plain)->timeout, std::chrono::seconds(10));
  auto flows = decode_request(request([](Builder root) { root.initFlows().setLimit(~0U); }), kToken);
  EXPECT_EQ(command_of<FlowsRequest>(flows)->limit, 100'000);
}

TEST(AdminRequest, ATransactionCarriesItsOperations) {
  topology::Bridge bridge{BridgeId(Uuid::from_words(1, 2)), 0, "green", "", true};
  auto decoded = decode_request(request([&](Builder root) {
                                  auto transact = root.initTransact();
                                  topology::encode_operations({topology::Create{bridge}}, transact);
                                  transact.setDryRun(true);
                                  transact.setWaitApplied(true);
                                }),
                                kToken);
  const auto* transact = command_of<TransactRequest>(decoded);
  ASSERT_NE(transact, nullptr);
  EXPECT_TRUE(transact->transaction.dry_run);
  EXPECT_TRUE(transact->wait_applied);
  ASSERT_EQ(transact->transaction.operations.size(), 1);
  EXPECT_EQ(kind_of(std::get<AdminCommand>(decoded.content)), "transact");
}

TEST(AdminRequest, ASuppositionCarriesAChangeOfBoundedSize) {
  const auto supposing = [](size_t count) {
    return decode_request(request([&](Builder root) {
                            auto suppose = root.initSuppose();
                            topology::encode(Uuid::from_words(0, 4), suppose.initTrace().initPort());
                            topology::Bridge bridge{BridgeId(Uuid::from_words(1, 2)), 0, "green", "", true};
                            topology::encode_operations(
                                std::vector<topology::Operation>(count, topology::Create{bridge}),
                                suppose.initChange());
                          }),
                          kToken);
  };
  const auto good = supposing(kMaxSupposed);
  const auto* suppose = command_of<SupposeRequest>(good);
  ASSERT_NE(suppose, nullptr);
  EXPECT_EQ(suppose->trace.port, PortId(Uuid::from_words(0, 4)));
  EXPECT_EQ(suppose->operations.size(), kMaxSupposed);
  EXPECT_EQ(kind_of(std::get<AdminCommand>(good.content)), "suppose");
  const auto large = supposing(kMaxSupposed + 1);
  ASSERT_NE(problem_of(large), nullptr);
  EXPECT_THAT(problem_of(large)->message, HasSubstr("at most 10000 operations, this has 10001"));
}

TEST(AdminRequest, WhatIsNoValueOfTheModelIsNamed) {
  auto kinds = decode_request(
      request([](Builder root) { root.initList().initKinds(1).set(0, static_cast<schema::Kind>(999)); }), kToken);
  ASSERT_NE(problem_of(kinds), nullptr);
  EXPECT_EQ(problem_of(kinds)->message, "unknown kind number 999");
  auto address =
      decode_request(request([](Builder root) { root.initTrace().initPacket().initIpSrc().initBytes(5); }), kToken);
  ASSERT_NE(problem_of(address), nullptr);
  EXPECT_THAT(problem_of(address)->message, HasSubstr("source: "));
  auto frame = decode_request(
      request([](Builder root) { root.initTrace().initPacket().initFrame(flows::kMaxUpcallBytes + 1); }), kToken);
  ASSERT_NE(problem_of(frame), nullptr);
}

// host1 in zone2; port4 of bridge3 is bound to host1
topology::Snapshot one_host() {
  topology::Snapshot snapshot;
  const auto put = [&](topology::Object object) {
    snapshot = snapshot.with(std::make_shared<const topology::Object>(std::move(object)));
  };
  const auto id = [](uint64_t number) { return Uuid::from_words(0, number); };
  put(topology::Host{HostId(id(1)), 0, "node-1"});
  put(topology::TunnelZone{TunnelZoneId(id(2)), 0, "underlay", topology::TunnelType::vxlan});
  put(topology::TunnelZoneHost{TunnelZoneHostId(id(5)), 0, TunnelZoneId(id(2)), HostId(id(1)),
                               IpAddress::parse("192.0.2.1").value()});
  put(topology::Bridge{BridgeId(id(3)), 0, "node-1", "", true});
  topology::Port port;
  port.id = PortId(id(4));
  port.name = "vm1";
  port.bridge = BridgeId(id(3));
  port.host = HostId(id(1));
  port.interface = "tap1";
  put(port);
  return snapshot;
}

std::vector<std::string> listed(const ListRequest& request) {
  std::vector<std::string> kinds;
  auto read = schema::with_root<schema::AdminReply>(
      objects_reply(1, one_host(), request), {}, [&](schema::AdminReply::Reader reply) {
        for (auto object : reply.getObjects().getObjects()) {
          kinds.emplace_back(to_string(topology::kind_of(*topology::decode(object))));
        }
      });
  EXPECT_TRUE(read);
  return kinds;
}

TEST(AdminList, ByNameByIdAndByWhatIsNamed) {
  using testing::ElementsAre;
  using topology::Kind;
  EXPECT_EQ(listed({}).size(), 5U);
  EXPECT_THAT(listed({{}, "node-1", {}}), ElementsAre("host", "bridge"));
  EXPECT_THAT(listed({{Kind::bridge}, "node-1", {}}), ElementsAre("bridge"));
  EXPECT_THAT(listed({{}, Uuid::from_words(0, 4).to_string(), {}}), ElementsAre("port"));
  EXPECT_THAT(listed({{}, "", Uuid::from_words(0, 1)}), ElementsAre("port", "tunnel-zone-host"));
  EXPECT_THAT(listed({{Kind::port}, "", Uuid::from_words(0, 1)}), ElementsAre("port"));
  EXPECT_THAT(listed({{}, "vm1", Uuid::from_words(0, 1)}), ElementsAre("port"));
  EXPECT_THAT(listed({{}, "", Uuid::from_words(0, 99)}), ElementsAre());
}

TEST(AdminList, TheFilterIsDecoded) {
  auto decoded = decode_request(
      request([](Builder root) { topology::encode(Uuid::from_words(7, 8), root.initList().initNaming()); }), kToken);
  ASSERT_NE(command_of<ListRequest>(decoded), nullptr);
  EXPECT_EQ(command_of<ListRequest>(decoded)->naming, Uuid::from_words(7, 8));
}

TEST(AdminConnections, TheFilterIsDecodedOrRefused) {
  auto good = decode_request(request([](Builder root) {
                               auto list = root.initConnections();
                               auto filter = list.initFilter();
                               filter.setKind("snat_reverse");
                               filter.setState("closing");
                               filter.setProto(6);
                               filter.setPort(443);
                               topology::encode(*IpPrefix::parse("10.0.0.0/8"), filter.initSrc());
                               list.setPairs(true);
                             }),
                             kToken);
  const auto* list = command_of<ConnectionsRequest>(good);
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->filter.kind, flows::ConnectionKind::snat_reverse);
  EXPECT_EQ(list->filter.state, flows::ConnectionState::closing);
  EXPECT_EQ(list->filter.proto, 6);
  EXPECT_EQ(list->filter.port, 443);
  EXPECT_EQ(list->filter.src, IpPrefix::parse("10.0.0.0/8"));
  EXPECT_FALSE(list->filter.dst);
  EXPECT_TRUE(list->pairs);
  EXPECT_EQ(list->limit, 1'000U);
  auto all = decode_request(request([](Builder root) { root.initFlushConnections(); }), kToken);
  ASSERT_NE(command_of<FlushConnections>(all), nullptr);
  EXPECT_EQ(command_of<FlushConnections>(all)->filter, ConnectionFilter{});
  auto unknown = decode_request(request([](Builder root) { root.initFlushConnections().setKind("nat"); }), kToken);
  ASSERT_NE(problem_of(unknown), nullptr);
  EXPECT_THAT(problem_of(unknown)->message, testing::HasSubstr("one of track, snat"));
  EXPECT_NE(
      problem_of(decode_request(
          request([](Builder root) { root.initFlushConnections().initSrc().initAddress().initBytes(5); }), kToken)),
      nullptr)
      << "it would end everything";
}

TEST(AdminRequest, RandomDamageIsARequestOrAProblemAndNeverMore) {
  std::mt19937 random(7);
  topology::Bridge bridge{BridgeId(Uuid::from_words(1, 2)), 0, "green", "", true};
  const schema::Frame good =
      request([&](Builder root) { topology::encode_operations({topology::Create{bridge}}, root.initTransact()); });
  for (int i = 0; i < 20'000; ++i) {
    schema::Frame bad = good;
    for (size_t count = random() % 8 + 1; count > 0; --count) {
      bad.bytes[random() % bad.bytes.size()] = static_cast<uint8_t>(random());
    }
    if (random() % 4 == 0) bad.bytes.resize(random() % bad.bytes.size());
    AdminRequest decoded = decode_request(bad, kToken);
    if (const auto* problem = problem_of(decoded)) {
      EXPECT_FALSE(problem->message.empty());
      (void)error_reply(decoded.id, *problem);
    }
  }
}

}  // namespace
}  // namespace viaduct::actors
