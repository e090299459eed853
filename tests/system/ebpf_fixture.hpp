// A datapath of the eBPF driver in a namespace, for tests that look at what is special about it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <system_error>

#include "flows/datapath/ebpf/ebpf.hpp"
#include "veth_harness.hpp"

namespace viaduct::flows {

class EbpfTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    if (!ebpf_available(why_not)) GTEST_SKIP() << why_not;
    harness_ = std::make_unique<VethHarness>([](const DatapathOptions&) { return nullptr; });
    options_.name = "vt-ebpf-" + std::to_string(getpid());
  }
  void TearDown() override {
    channel_.reset();
    if (datapath_) datapath_->destroy();
  }

  void open() {
    std::error_code error;
    datapath_ = open_ebpf(options_, error);
    ASSERT_TRUE(datapath_) << error.message();
    channel_ = datapath_->open_channel(0);
  }
  void kill() {
    channel_.reset();
    datapath_.reset();
  }
  PortNumber add_port(const std::string& interface) {
    std::error_code error;
    PortNumber number = datapath_->add_port(interface, error).number;
    EXPECT_FALSE(error) << error.message();
    return number;
  }
  InstallResult install(PortNumber port, frames::Bytes frame, FieldSet mask, const ActionList& actions) {
    FlowKey key = frames::parsed(frame, port).key;
    FlowInstall flow{Flow::make(key, mask, actions), key};
    InstallResult result;
    channel_->install(std::span(&flow, 1), std::span(&result, 1));
    return result;
  }
  uint64_t error_count(const std::string& name) {
    for (const auto& [one, count] : datapath_->error_counts()) {
      if (one == name) return count;
    }
    return 0;
  }
  std::string pins() const { return "/sys/fs/bpf/viaduct/" + options_.name; }

  static constexpr std::chrono::milliseconds kSoon{3000};
  DatapathOptions options_;
  std::unique_ptr<VethHarness> harness_;
  std::unique_ptr<Datapath> datapath_;
  std::unique_ptr<PacketChannel> channel_;
};

}  // namespace viaduct::flows
