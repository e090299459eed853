// What is sent to an etcd and made of its answers, without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "topology/store/etcd/errors.hpp"
#include "topology/store/etcd/messages.hpp"

namespace viaduct::topology::store::etcd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const KeySpace kKeys("cloud");

pb::Event& add_event(pb::WatchResponse& response, const std::string& key, int64_t revision, bool deleted = false) {
  auto& event = *response.add_events();
  event.set_type(deleted ? pb::Event::DELETE : pb::Event::PUT);
  event.mutable_kv()->set_key("cloud/" + key);
  event.mutable_kv()->set_mod_revision(revision);
  if (!deleted) event.mutable_kv()->set_value("v" + std::to_string(revision));
  return event;
}

std::vector<std::string> text_of(const Result<std::vector<WatchBatch>>& batches) {
  if (!batches) return {"error " + batches.error().text};
  std::vector<std::string> lines;
  for (const WatchBatch& batch : *batches) {
    std::string line = std::to_string(batch.revision) + ":";
    for (const auto& [kind, entry] : batch.events) {
      line += kind == WatchEvent::Kind::put ? " put " + entry.key + "=" + entry.value : " del " + entry.key;
    }
    lines.push_back(line);
  }
  return lines;
}

TEST(EtcdKeys, AreOursOrNot) {
  EXPECT_EQ(kKeys.outer("a"), "cloud/a");
  EXPECT_EQ(kKeys.inner("cloud/a/b"), "a/b");
  for (const char* other : {"cloud/", "cloud", "cloud2/a", "", "xcloud/a"}) EXPECT_FALSE(kKeys.inner(other)) << other;
}

TEST(EtcdKeys, APrefixEndsBehindAllThatBeginWithIt) {
  EXPECT_EQ(end_of_prefix("cloud/"), "cloud0");
  EXPECT_EQ(end_of_prefix("cloud/a\xff\xff"), "cloud/b");
  EXPECT_EQ(end_of_prefix("cloud/\xff"), "cloud0");
  std::mt19937 random(11);
  for (int i = 0; i < 10'000; ++i) {
    const auto some = [&](size_t longest) {
      std::string bytes(random() % (longest + 1), '\0');
      for (char& byte : bytes) byte = "\0a\x7f\x80\xfe\xff"[random() % 6];
      return bytes;
    };
    const std::string prefix = "c/" + some(4), key = "c/" + some(6), end = end_of_prefix(prefix);
    EXPECT_EQ(key.starts_with(prefix), key >= prefix && key < end) << ::testing::PrintToString(prefix + " " + key);
  }
}

TEST(EtcdTransactions, ReadWhatTheyCompare) {
  const Transaction transaction{
      {Compare::absent("a"), Compare::unchanged("b", 7), Compare::exists("c")}, {{"a", "1", LeaseId{5}}}, {"d"}};
  const auto request = to_request(kKeys, transaction);
  ASSERT_EQ(request.compare_size(), 3);
  EXPECT_TRUE(request.compare(0).has_mod_revision()) << "zero too is sent";
  EXPECT_EQ(request.compare(1).mod_revision(), 7);
  EXPECT_EQ(request.compare(2).result(), pb::Compare::GREATER);
  ASSERT_EQ(request.failure_size(), 3);
  EXPECT_EQ(request.failure(2).request_range().key(), "cloud/c");
  ASSERT_EQ(request.success_size(), 2);
  EXPECT_EQ(request.success(0).request_put().lease(), 5);
  EXPECT_EQ(request.success(1).request_delete_range().key(), "cloud/d");

  pb::TxnResponse response;
  const auto found = [&](int64_t revision) {
    auto& range = *response.add_responses()->mutable_response_range();
    if (revision != 0) range.add_kvs()->set_mod_revision(revision);
  };
  found(0), found(8), found(0);
  const Error error = conflict_in(transaction, response);
  EXPECT_EQ(error.code, ErrorCode::conflict);
  EXPECT_EQ(error.key, "b");
  EXPECT_EQ(error.revision, 8u);
  EXPECT_EQ(conflict_in(transaction, {}).code, ErrorCode::corrupt) << "an answer that lacks what was asked";
}

TEST(EtcdRanges, GoOnBehindAKey) {
  auto request = to_request(kKeys, RangeRequest{"p/", 4, "p/3", 9});
  EXPECT_EQ(request.key(), std::string("cloud/p/3\0", 10));
  EXPECT_EQ(request.range_end(), "cloud/p0");
  EXPECT_EQ(request.revision(), 9);
  request = to_request(kKeys, RangeRequest{});
  EXPECT_EQ(request.key(), "cloud/");
  EXPECT_EQ(request.range_end(), "cloud0");
}

TEST(EtcdRanges, AKeyThatIsNotOursIsAnError) {
  pb::RangeResponse response;
  response.add_kvs()->set_key("other/a");
  auto page = page_of(kKeys, {}, response);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::corrupt);
  EXPECT_THAT(page.error().text, HasSubstr("other/a"));
}

TEST(EtcdWatches, BeginOneRevisionEarlier) {
  const auto begin = [](Revision next) { return to_request(kKeys, "p", next).create_request().start_revision(); };
  EXPECT_EQ(begin(1), 1);
  EXPECT_EQ(begin(2), 1);
  EXPECT_EQ(begin(100), 99);
}

TEST(EtcdWatches, AResponseIsCutIntoRevisions) {
  pb::WatchResponse response;
  add_event(response, "a", 4);
  add_event(response, "c", 5);
  add_event(response, "b", 5, true);
  add_event(response, "a", 7);
  EXPECT_THAT(text_of(batches_of(kKeys, 5, response)), ElementsAre("5: del b put c=v5", "7: put a=v7"));
}

TEST(EtcdWatches, WhatGoesBackIsAnError) {
  pb::WatchResponse response;
  add_event(response, "a", 6);
  add_event(response, "a", 5);
  EXPECT_THAT(text_of(batches_of(kKeys, 5, response)), ElementsAre(HasSubstr("error etcd sent revision 5 behind")));
}

TEST(EtcdAnswers, DecideWhetherAWriteMayBeRepeated) {
  using grpc::StatusCode;
  const auto answer = [](StatusCode code, const char* text) { return judge({code, text}); };
  EXPECT_EQ(answer(StatusCode::UNAVAILABLE, "etcdserver: no leader"), Answer::not_handled);
  EXPECT_EQ(answer(StatusCode::UNAVAILABLE, "etcdserver: request timed out"), Answer::unknown);
  EXPECT_EQ(answer(StatusCode::UNAVAILABLE, "Socket closed"), Answer::unknown);
  EXPECT_EQ(answer(StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"), Answer::unknown);
  EXPECT_EQ(answer(StatusCode::UNKNOWN, "raft: proposal dropped"), Answer::unknown);
  EXPECT_EQ(answer(StatusCode::UNAUTHENTICATED, "etcdserver: invalid auth token"), Answer::stale_token);
  EXPECT_EQ(answer(StatusCode::PERMISSION_DENIED, "etcdserver: permission denied"), Answer::done);
  EXPECT_EQ(answer(StatusCode::OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted"), Answer::done);
}

TEST(EtcdAnswers, SayWhatToDo) {
  const Error full =
      error_of("commit", "a:1", {grpc::StatusCode::RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded"});
  EXPECT_EQ(full.code, ErrorCode::unavailable);
  EXPECT_THAT(full.text, HasSubstr("etcd: commit at a:1: "));
  EXPECT_THAT(full.text, HasSubstr("--quota-backend-bytes"));
  EXPECT_THAT(fate_unknown("commit", "a:1", {grpc::StatusCode::DEADLINE_EXCEEDED, ""}).text,
              HasSubstr("deadline_exceeded; it may have taken effect"));
  EXPECT_EQ(label(grpc::StatusCode::UNAUTHENTICATED), "unauthenticated");
}

}  // namespace
}  // namespace viaduct::topology::store::etcd
