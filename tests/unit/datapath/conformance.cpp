#include "conformance.hpp"

#include <array>
#include <thread>

namespace viaduct::flows {

void DatapathConformance::SetUp() {
  std::string why_not;
  harness_ = GetParam().make(why_not);
  if (!harness_) GTEST_SKIP() << why_not;
}

void DatapathConformance::TearDown() {
  channels_.clear();
  if (datapath_) datapath_->destroy();
  datapath_.reset();
  harness_.reset();
}

void DatapathConformance::open(DatapathOptions options) {
  datapath_ = harness_->open(options);
  ASSERT_NE(datapath_, nullptr);
  for (unsigned worker = 0; worker < options.workers; ++worker) channels_.push_back(datapath_->open_channel(worker));
}

void DatapathConformance::kill() {
  channels_.clear();
  datapath_.reset();
  seen_.clear();
}

DatapathConformance::Guest DatapathConformance::guest() {
  Guest out{harness_->add_interface(), {}, frames::Host::number(++guests_)};
  std::error_code error;
  out.port = datapath_->add_port(out.interface, error).number;
  EXPECT_FALSE(error) << error.message();
  EXPECT_TRUE(out.port);
  return out;
}

void DatapathConformance::send(const Guest& from, const frames::Bytes& frame, const Offload& offload) {
  harness_->send(from.interface, frame, offload);
}

std::optional<DatapathConformance::Seen> DatapathConformance::next_upcall() {
  auto deadline = std::chrono::steady_clock::now() + kSoon;
  while (seen_.empty() && std::chrono::steady_clock::now() < deadline) {
    for (auto& channel : channels_) {
      std::array<Upcall, 32> batch;
      // With several workers each is asked in turn.
      size_t count = channel->poll(batch, std::chrono::milliseconds(channels_.size() == 1 ? 100 : 5));
      for (const Upcall& one : std::span(batch).first(count)) {
        seen_.push_back(
            {one.in_port, one.reason, {one.frame.begin(), one.frame.end()}, one.offload, one.received, one.tunnel});
      }
    }
  }
  if (seen_.empty()) return std::nullopt;
  Seen first = std::move(seen_.front());
  seen_.pop_front();
  return first;
}

std::optional<frames::Bytes> DatapathConformance::next_frame(const Guest& to) {
  std::optional<WireFrame> frame = harness_->receive(to.interface, kSoon);
  if (!frame) return std::nullopt;
  return std::move(frame->bytes);
}

void DatapathConformance::expect_no_upcall(const Guest& from) {
  frames::Udp marker{frames::Host::number(201), frames::Host::number(202)};
  marker.src_port = ++markers_;
  frames::Bytes frame = frames::udp4(marker);
  send(from, frame);
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->bytes, frame) << "something else came up before the marker";
}

FlowInstall DatapathConformance::flow_for(const Guest& from, const frames::Bytes& frame, FieldSet mask,
                                          const ActionList& actions) {
  frames::Bytes copy = frame;
  FlowKey key = frames::parsed(copy, from.port).key;
  return {Flow::make(key, mask, actions), key};
}

FlowInstall DatapathConformance::flow_for(PortNumber port, const Tunnel& tunnel, const frames::Bytes& frame,
                                          FieldSet mask, const ActionList& actions) {
  frames::Bytes copy = frame;
  FlowKey key = frames::parsed(copy, port).key;
  key.tunnel = tunnel;
  return {Flow::make(key, mask, actions), key};
}

InstallResult DatapathConformance::install(const FlowInstall& flow) {
  InstallResult result = InstallResult::error;
  channels_.front()->install(std::span(&flow, 1), std::span(&result, 1));
  return result;
}

void DatapathConformance::expect_rewritten(const Guest& from, const frames::Bytes& frame, FieldSet mask,
                                           const ActionList& actions, const Guest& to, const frames::Bytes& result,
                                           const Offload& offload) {
  FlowInstall flow = flow_for(from, frame, mask, actions);
  SCOPED_TRACE(flow.flow.to_string());
  InstallResult installed = install(flow);
  ASSERT_TRUE(installed == InstallResult::installed || installed == InstallResult::replaced) << int(installed);
  send(from, frame, offload);
  std::optional<WireFrame> got = harness_->receive(to.interface, kSoon);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->bytes, result);
  EXPECT_EQ(got->offload, offload);
}

size_t DatapathConformance::execute(frames::Bytes frame, const ActionList& actions, const Offload& offload) {
  PacketOut packet{frame, offload, {}, actions.view()};
  return channels_.front()->execute(std::span(&packet, 1));
}

std::vector<std::pair<FlowId, FlowStats>> DatapathConformance::flow_stats() {
  std::vector<std::pair<FlowId, FlowStats>> out;
  datapath_->dump_stats([&](const FlowId& id, const FlowStats& stats) { out.emplace_back(id, stats); });
  return out;
}

std::vector<Flow> DatapathConformance::flows() {
  std::vector<Flow> out;
  datapath_->dump_flows([&](const Flow& flow, const FlowStats&) { out.push_back(flow); });
  return out;
}

}  // namespace viaduct::flows
