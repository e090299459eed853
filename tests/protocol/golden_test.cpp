// Bytes that an older build wrote are still read, and mean the same. A file that no longer decodes to its sample is an
// incompatible change: of the schema (undo it) or of a sample (write a new file beside the old one).
//
// VIADUCT_WRITE_GOLDEN=1 writes the files that do not exist yet. It never touches one that does.
#include <capnp/message.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "schema/learned.capnp.h"
#include "tests/protocol/samples.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the samples

std::filesystem::path path_of(const std::string& name) {
  return std::filesystem::path(VIADUCT_GOLDEN_DIR) / (name + ".bin");
}

// The committed bytes of `name`; written from `current` first when that was asked for.
schema::Frame golden(const std::string& name, const schema::Frame& current) {
  if (std::getenv("VIADUCT_WRITE_GOLDEN") != nullptr && !std::filesystem::exists(path_of(name))) {
    std::ofstream(path_of(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(current.bytes.data()), static_cast<std::streamsize>(current.bytes.size()));
  }
  std::ifstream file(path_of(name), std::ios::binary);
  EXPECT_TRUE(file) << "missing: " << path_of(name);
  return {{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()}};
}

template <class Message>
std::vector<uint8_t> canonical(const schema::Frame& frame) {
  auto read = schema::with_root<Message>(frame, {}, [](typename Message::Reader message) {
    const auto words = capnp::canonicalize(kj::mv(message));
    const auto bytes = words.asBytes();
    return std::vector<uint8_t>(bytes.begin(), bytes.end());
  });
  EXPECT_TRUE(read) << read.failure().text;
  return read ? *read : std::vector<uint8_t>();
}

TEST(Golden, ObjectsOfEachKind) {
  std::set<Kind> kinds;
  for (const auto& [name, object] : sample_objects()) kinds.insert(kind_of(object));
  ASSERT_EQ(kinds.size(), static_cast<size_t>(Kind::count_));
  for (const auto& [name, object] : sample_objects()) {
    const schema::Frame bytes = golden(name, encode_object(object));
    const auto decoded = decode_object(bytes.bytes);
    ASSERT_TRUE(decoded) << name << ": " << decoded.error();
    EXPECT_EQ(*decoded, object) << name;
    EXPECT_EQ(canonical<schema::Object>(encode_object(*decoded)), canonical<schema::Object>(bytes)) << name;
  }
}

void expect_feed(const std::string& name, const FeedBatch& sample) {
  SCOPED_TRACE(name);
  const schema::Frame bytes = golden(name, encode_feed(sample));
  const auto batch = decode_feed(bytes);
  ASSERT_TRUE(batch) << batch.error();
  EXPECT_TRUE(same(*batch, sample));
  EXPECT_EQ(canonical<schema::FeedBatch>(encode_feed(*batch)), canonical<schema::FeedBatch>(bytes));
}

TEST(Golden, FeedBatches) {
  expect_feed("feed", sample_feed());
  expect_feed("feed-complete", sample_complete_feed());
  expect_feed("feed-requests", sample_feed_of_requests());
}

// One fact of each kind that a host tells the cluster.
std::vector<std::pair<std::string, StateEntry>> sample_states() {
  const HostId host = sample_id<HostId>(1);
  const BridgeId bridge = sample_id<BridgeId>(2);
  const PortId port = sample_id<PortId>(4);
  const MacAddress mac = MacAddress::from_uint64(0x0200'0000'002a);
  return {
      {"state-port", {host, bridge.uuid(), 0, PortActive{port, 0x00ab'cdef}}},
      {"state-flood", {host, bridge.uuid(), 0, FloodKey{bridge, 0x00fe'dcba}}},
      {"state-mac", {host, bridge.uuid(), 0, MacClaim{bridge, 12, mac, port}}},
      {"state-neighbour",
       {host, sample_uuid(3), 0,
        NeighbourClaim{sample_uuid(3), port, IpAddress::parse("2001:db8::2a").value(), mac, 1'790'000'000}}},
      {"state-session", {host, {}, 0, HostSession{"hypervisor-1", "instance-1", "db1", 1'790'000'000'000'000'000, 77}}},
      {"state-nat-block",
       {host, sample_uuid(3), 0, NatBlockClaim{sample_uuid(3), IpAddress::parse("203.0.113.9").value(), 1'023}}},
      {"state-pool-health",
       {host, sample_uuid(5), 0,
        HealthReport{sample_id<PoolId>(5),
                     {{sample_id<PoolMemberId>(6), false, CheckResult::wrong_status, 503, 1'790'000'000},
                      {sample_id<PoolMemberId>(7)}}}}},
      {"state-learned-routes",
       {host, sample_uuid(3), 0,
        LearnedRoutes{port,
                      IpAddress::parse("2001:db8::2a").value(),
                      200,
                      {IpPrefix::parse("::/0").value(), IpPrefix::parse("2001:db8:7::/52").value(),
                       IpPrefix::parse("2001:db8:8::1/128").value()}}}},
      {"state-gateway-lost", {host, sample_uuid(3), 0, GatewayLost{port, IpAddress::parse("192.0.2.42").value()}}},
      {"state-interface",
       {host, host.uuid(), 0,
        HostInterface{"eth0",
                      mac,
                      9'000,
                      "veth",
                      true,
                      false,
                      {IpAddress::parse("192.0.2.1").value(), IpAddress::parse("2001:db8::1").value()}}}},
  };
}

TEST(Golden, StatesOfEachKind) {
  ASSERT_EQ(sample_states().size(), std::variant_size_v<HostFact>);
  for (const auto& [name, state] : sample_states()) {
    const schema::Frame bytes = golden(name, encode_state(state));
    const auto decoded = decode_state(bytes.bytes);
    ASSERT_TRUE(decoded) << name << ": " << decoded.error();
    EXPECT_EQ(*decoded, state) << name;
    EXPECT_EQ(canonical<schema::StateEntry>(encode_state(state)), canonical<schema::StateEntry>(bytes)) << name;
  }
}

TEST(Golden, AWriteOfStates) {
  StateWrite write;
  for (const auto& [name, state] : sample_states()) {
    // The golden write is older than the last kinds.
    const bool newer = state.fact.index() >= 5;
    if (name != "state-session" && !newer) write.puts.push_back({state, StateWrite::Mode::restore});
  }
  write.puts.front().mode = StateWrite::Mode::claim;
  write.deletes = {"/state/mac/gone"};
  write.complete = true;
  const schema::Frame bytes = golden("state-write", encode_state_write(write));
  const auto decoded = decode_state_write(bytes);
  ASSERT_TRUE(decoded) << decoded.error();
  ASSERT_EQ(decoded->puts.size(), write.puts.size());
  for (size_t i = 0; i < write.puts.size(); ++i) {
    EXPECT_EQ(decoded->puts[i].entry.fact, write.puts[i].entry.fact);
    EXPECT_EQ(decoded->puts[i].mode, write.puts[i].mode);
  }
  EXPECT_EQ(decoded->deletes, write.deletes);
  EXPECT_TRUE(decoded->complete);
  const StateWritten written{true, {"/state/mac/lost"}, "the disk is full"};
  const auto answer = decode_state_written(golden("state-written", encode_state_written(written)));
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_TRUE(answer->ended);
  EXPECT_EQ(answer->lost, written.lost);
  EXPECT_EQ(answer->error, written.error);
}

TEST(Golden, AWriteOfSeveral) {
  StateWrite first, last;
  first.begins = last.ends = true;
  auto decoded = decode_state_write(golden("state-write-begins", encode_state_write(first)));
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_TRUE(decoded->begins && !decoded->ends && !decoded->complete);
  decoded = decode_state_write(golden("state-write-ends", encode_state_write(last)));
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_TRUE(!decoded->begins && decoded->ends && !decoded->complete);
  StateWritten forgotten;
  forgotten.again = true;
  const auto answer = decode_state_written(golden("state-written-again", encode_state_written(forgotten)));
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_TRUE(answer->again && !answer->ended);
}

TEST(Golden, EventsOfAHost) {
  StateWrite write;
  write.events = {sample_event()};
  const auto decoded = decode_state_write(golden("state-write-events", encode_state_write(write)));
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_EQ(decoded->events, write.events);
  EXPECT_TRUE(decoded->says_nothing_of_state());
}

TEST(Golden, CausesOfCommits) {
  const Cause cause{"4f7c0c5e", "rosa", "db1"};
  EXPECT_EQ(decode_cause(golden("cause", encode_cause(cause)).bytes), cause);
  EXPECT_EQ(decode_cause({}), Cause{}) << "as earlier versions wrote it";
}

TEST(Golden, JoiningOfAHost) {
  const JoinRequest join{sample_id<HostId>(1), "hypervisor-1", "instance-1", 2042, {sample_uuid(2), sample_uuid(3)}};
  const auto request = decode_join(golden("join", encode_join(join)));
  ASSERT_TRUE(request) << request.error();
  EXPECT_EQ(request->host, join.host);
  EXPECT_EQ(request->name, join.name);
  EXPECT_EQ(request->instance, join.instance);
  EXPECT_EQ(request->revision, join.revision);
  EXPECT_EQ(request->devices, join.devices);
  const JoinAnswer joined{"", true, "db1", std::chrono::milliseconds(2500), 2043};
  const auto answer = decode_joined(golden("joined", encode_joined(joined)));
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->refused, "");
  EXPECT_TRUE(answer->fresh);
  EXPECT_EQ(answer->node, joined.node);
  EXPECT_EQ(answer->beat, joined.beat);
  EXPECT_EQ(answer->revision, joined.revision);
}

// Who is older says nothing of questions, and is asked none.
TEST(Golden, WhoTakesQuestionsSaysSo) {
  JoinRequest join{sample_id<HostId>(1), "hypervisor-1", "instance-1", 2042, {}};
  EXPECT_FALSE(decode_join(golden("join", encode_join(join)))->answers) << "as earlier versions wrote it";
  join.answers = true;
  EXPECT_TRUE(decode_join(golden("join-answers", encode_join(join)))->answers);
  JoinAnswer joined{"", true, "db1", std::chrono::milliseconds(2500), 2043};
  EXPECT_FALSE(decode_joined(golden("joined", encode_joined(joined)))->relays) << "as earlier versions wrote it";
  joined.relays = true;
  EXPECT_TRUE(decode_joined(golden("joined-relays", encode_joined(joined)))->relays);
}

TEST(Golden, QuestionsToOtherHosts) {
  const Question asked = sample_question();
  const auto question = decode_question(golden("question", encode_question(asked)));
  ASSERT_TRUE(question) << question.error();
  EXPECT_EQ(question->number, asked.number);
  EXPECT_EQ(question->port, asked.port);
  EXPECT_EQ(question->asked, asked.asked);
  EXPECT_EQ(question->by, asked.by);
  EXPECT_EQ(question->name, asked.name);
  EXPECT_EQ(question->request, asked.request);

  const auto answer = decode_answer(golden("answer", encode_answer(sample_answer())));
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->number, sample_answer().number);
  EXPECT_EQ(answer->host, "h2");
  EXPECT_EQ(answer->error, "");
  EXPECT_EQ(answer->reply, sample_answer().reply);

  const Answer none{7, "h2", "it is away", schema::ErrorCode::UNAVAILABLE, {}};
  const auto error = decode_answer(golden("answer-error", encode_answer(none)));
  ASSERT_TRUE(error) << error.error();
  EXPECT_EQ(error->error, none.error);
  EXPECT_EQ(error->code, none.code);
}

TEST(Golden, AdminTrace) {
  const schema::Frame asked = golden("admin-trace", sample_trace());
  auto read_trace = [](schema::AdminRequest::Reader request) {
    ASSERT_TRUE(request.isTrace());
    EXPECT_EQ(decode(request.getTrace().getPort()), sample_uuid(4));
    EXPECT_TRUE(request.getTrace().getRelayed());
    EXPECT_EQ(request.getTrace().getPacket().getL4Dst(), 80u);
  };
  EXPECT_TRUE(schema::with_root<schema::AdminRequest>(asked, {}, read_trace));

  const schema::Frame answer = golden("admin-trace-reply", sample_trace_reply());
  auto read_reply = [](schema::AdminReply::Reader reply) {
    ASSERT_TRUE(reply.isTrace());
    EXPECT_EQ(reply.getTrace().getHost(), "h2");
    EXPECT_EQ(reply.getTrace().getOutcome(), "forward");
    EXPECT_EQ(reply.getTrace().getOutputs()[0], "vm2");
  };
  EXPECT_TRUE(schema::with_root<schema::AdminReply>(answer, {}, read_reply));
}

// What a host keeps on its disk over an upgrade of the daemon.
TEST(Golden, LearnedEntries) {
  capnp::MallocMessageBuilder mac_message;
  auto mac = mac_message.initRoot<schema::LearnedEntry>().initMac();
  encode(sample_uuid(1), mac.initBridge());
  mac.setVlan(7);
  mac.setMac(0x02'00'00'00'00'2a);
  encode(sample_uuid(2), mac.initPort());
  const schema::Frame learned_mac = golden("learned-mac", schema::Frame::of(mac_message));
  auto read = schema::with_root<schema::LearnedEntry>(learned_mac, {}, [](schema::LearnedEntry::Reader entry) {
    ASSERT_TRUE(entry.isMac());
    EXPECT_EQ(decode(entry.getMac().getBridge()), sample_uuid(1));
    EXPECT_EQ(entry.getMac().getVlan(), 7);
    EXPECT_EQ(entry.getMac().getMac(), 0x02'00'00'00'00'2aU);
    EXPECT_EQ(decode(entry.getMac().getPort()), sample_uuid(2));
  });
  EXPECT_TRUE(read) << read.failure().text;

  capnp::MallocMessageBuilder neighbour_message;
  auto neighbour = neighbour_message.initRoot<schema::LearnedEntry>().initNeighbour();
  encode(sample_uuid(3), neighbour.initDevice());
  encode(sample_uuid(4), neighbour.initPort());
  const IpAddress address = *IpAddress::parse("fd00::2a");
  encode(address, neighbour.initAddress());
  neighbour.setMac(0x02'00'00'00'00'2b);
  const schema::Frame learned_neighbour = golden("learned-neighbour", schema::Frame::of(neighbour_message));
  read = schema::with_root<schema::LearnedEntry>(learned_neighbour, {}, [&](schema::LearnedEntry::Reader entry) {
    ASSERT_TRUE(entry.isNeighbour());
    EXPECT_EQ(decode(entry.getNeighbour().getDevice()), sample_uuid(3));
    EXPECT_EQ(decode(entry.getNeighbour().getPort()), sample_uuid(4));
    const auto decoded = decode(entry.getNeighbour().getAddress());
    ASSERT_TRUE(decoded && *decoded);
    EXPECT_EQ(**decoded, address);
    EXPECT_EQ(entry.getNeighbour().getMac(), 0x02'00'00'00'00'2bU);
  });
  EXPECT_TRUE(read) << read.failure().text;
}

TEST(Golden, AdminRequest) {
  const schema::Frame bytes = golden("admin-request", sample_request());
  auto read = schema::with_root<schema::AdminRequest>(bytes, {}, [](schema::AdminRequest::Reader request) {
    EXPECT_EQ(request.getMajor(), 1);
    EXPECT_EQ(request.getId(), 77u);
    EXPECT_TRUE(request.isTransact());
    EXPECT_TRUE(request.getTransact().getDryRun());
    EXPECT_TRUE(request.getTransact().getWaitApplied());
    EXPECT_EQ(request.getTransact().getTimeoutMs(), 2500u);
    const auto operations = decode_operations(request.getTransact());
    ASSERT_TRUE(operations) << operations.error();
    ASSERT_EQ(operations->size(), 3u);
    EXPECT_EQ(std::get<Create>((*operations)[0]).object, sample_objects()[1].second);
    EXPECT_EQ(std::get<Update>((*operations)[1]).object, Object(sample_port()));
    EXPECT_EQ(std::get<Erase>((*operations)[2]).object, (ObjectRef{Kind::route, sample_uuid(5)}));
  });
  EXPECT_TRUE(read) << read.failure().text;
  EXPECT_EQ(canonical<schema::AdminRequest>(sample_request()), canonical<schema::AdminRequest>(bytes));
}

TEST(Golden, AdminRequestsForEvents) {
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<schema::AdminRequest>();
  request.setMajor(schema::PROTOCOL_MAJOR);
  request.setRequest("4f7c0c5e");
  request.setBy("rosa");
  auto events = request.initEvents();
  events.setAfter(17);
  events.setSince(1'790'000'000'000'000'000);
  events.initKinds(1).set(0, "port");
  events.initValues(1).set(0, "hypervisor-1");
  events.setLimit(7);
  const schema::Frame bytes = golden("admin-events", schema::Frame::of(message));
  auto read = schema::with_root<schema::AdminRequest>(bytes, {}, [](schema::AdminRequest::Reader from) {
    EXPECT_EQ(from.getRequest(), "4f7c0c5e");
    EXPECT_EQ(from.getBy(), "rosa");
    ASSERT_TRUE(from.isEvents());
    EXPECT_EQ(from.getEvents().getAfter(), 17u);
    EXPECT_EQ(from.getEvents().getSince(), 1'790'000'000'000'000'000u);
    EXPECT_EQ(from.getEvents().getKinds()[0], "port");
    EXPECT_EQ(from.getEvents().getValues()[0], "hypervisor-1");
    EXPECT_EQ(from.getEvents().getLimit(), 7u);
  });
  EXPECT_TRUE(read) << read.failure().text;

  capnp::MallocMessageBuilder answer;
  auto list = answer.initRoot<schema::AdminReply>().initEvents();
  encode(sample_event(), list.initEvents(1)[0]);
  list.setMore(true);
  list.setNext(18);
  const schema::Frame reply = golden("admin-event-list", schema::Frame::of(answer));
  read = schema::with_root<schema::AdminReply>(reply, {}, [](schema::AdminReply::Reader from) {
    EXPECT_EQ(decode(from.getEvents().getEvents()[0]), sample_event());
    EXPECT_TRUE(from.getEvents().getMore());
    EXPECT_EQ(from.getEvents().getNext(), 18u);
  });
  EXPECT_TRUE(read) << read.failure().text;
}

TEST(Golden, AdminWhy) {
  const schema::Frame asked = golden("admin-why", sample_why());
  auto read = schema::with_root<schema::AdminRequest>(asked, {}, [](schema::AdminRequest::Reader request) {
    ASSERT_TRUE(request.isWhy());
    EXPECT_EQ(decode(request.getWhy().getPort()), sample_uuid(4));
    EXPECT_TRUE(request.getWhy().getRelayed());
    ASSERT_TRUE(request.getWhy().hasPacket());
    EXPECT_EQ(request.getWhy().getPacket().getL4Dst(), 80u);
  });
  EXPECT_TRUE(read) << read.failure().text;
  EXPECT_EQ(canonical<schema::AdminRequest>(sample_why()), canonical<schema::AdminRequest>(asked));

  const schema::Frame answer = golden("admin-why-reply", sample_why_reply());
  read = schema::with_root<schema::AdminReply>(answer, {}, [](schema::AdminReply::Reader reply) {
    ASSERT_TRUE(reply.isWhy());
    const auto why = reply.getWhy();
    EXPECT_EQ(why.getPort(), "vm1");
    EXPECT_EQ(why.getPortHost(), "h2");
    EXPECT_EQ(why.getNotes()[0], "a note");
    EXPECT_EQ(why.getTrace().getOutcome(), "drop");
    const auto cause = why.getCauses()[0];
    EXPECT_EQ(cause.getCause(), "dropped_by_rule");
    EXPECT_EQ(cause.getCertainty(), "traced");
    EXPECT_EQ(cause.getDeviceName(), "edge");
    EXPECT_EQ(cause.getChainName(), "web");
    EXPECT_EQ(decode(cause.getRule()), sample_uuid(7));
    EXPECT_EQ(cause.getRulePosition(), 3u);
    EXPECT_EQ(cause.getPackets(), 12u);
    EXPECT_EQ(cause.getLastSeconds(), 0.25);
    EXPECT_EQ(cause.getDirection(), "back");
    EXPECT_TRUE(cause.getOrdinary());
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(canonical<schema::AdminReply>(sample_why_reply()), canonical<schema::AdminReply>(answer));

  const schema::Frame drops = golden("admin-drops-reply", sample_drops_reply());
  read = schema::with_root<schema::AdminReply>(drops, {}, [](schema::AdminReply::Reader reply) {
    ASSERT_TRUE(reply.isDrops());
    EXPECT_EQ(reply.getDrops().getEvicted(), 5u);
    EXPECT_EQ(reply.getDrops().getDrops()[0].getReason(), "no_route");
    EXPECT_EQ(reply.getDrops().getDrops()[0].getOut(), "uplink-1");
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(canonical<schema::AdminReply>(sample_drops_reply()), canonical<schema::AdminReply>(drops));
}

TEST(Golden, AdminReplies) {
  const schema::Frame error = golden("admin-error", sample_reply());
  auto read = schema::with_root<schema::AdminReply>(error, {}, [](schema::AdminReply::Reader reply) {
    EXPECT_EQ(reply.getId(), 77u);
    EXPECT_EQ(reply.getError().getCode(), schema::ErrorCode::INVALID);
    const auto violation = reply.getError().getViolations()[0];
    EXPECT_EQ(violation.getRule(), "address_in_use");
    EXPECT_EQ(violation.getObject().getKind(), schema::Kind::PORT);
    EXPECT_EQ(violation.getName(), "uplink-1");
    EXPECT_EQ(violation.getField(), "addresses");
    EXPECT_EQ(violation.getMessage(), "192.0.2.1 is taken.");
    EXPECT_EQ(violation.getCure(), "Change it.");
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(canonical<schema::AdminReply>(sample_reply()), canonical<schema::AdminReply>(error));

  const schema::Frame committed = golden("admin-committed", sample_committed());
  read = schema::with_root<schema::AdminReply>(committed, {}, [](schema::AdminReply::Reader reply) {
    EXPECT_EQ(reply.getCommitted().getRevision(), 43u);
    EXPECT_EQ(reply.getCommitted().getChanges()[0].getAction(), "deleted");
    EXPECT_EQ(reply.getCommitted().getChanges()[0].getCause(), "cascade from router edge");
    EXPECT_EQ(decode(reply.getCommitted().getIds()[0]), sample_uuid(3));
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(canonical<schema::AdminReply>(sample_committed()), canonical<schema::AdminReply>(committed));
}

}  // namespace
}  // namespace viaduct::topology
