// One worker's side of the datapath: see PacketChannel.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ovs/raw_sender.hpp"
#include "flows/datapath/ovs/state.hpp"
#include "flows/datapath/ovs/tag_memory.hpp"
#include "flows/match/apply.hpp"

namespace viaduct::flows::ovs {

class OvsChannel final : public PacketChannel {
 public:
  static constexpr size_t kBatch = 64;  // flows or packets that go to the kernel in one system call

  OvsChannel(std::shared_ptr<State> state, unsigned worker, NetlinkSocket requests);
  ~OvsChannel() override;

  size_t poll(std::span<Upcall> out, std::chrono::milliseconds timeout) override;
  void wake() override;
  void install(std::span<const FlowInstall> flows, std::span<InstallResult> results) override;
  size_t execute(std::span<PacketOut> packets) override;

 private:
  class Arena;

  // What is still to be asked of the kernel about a flow of a batch.
  enum class Step : uint8_t {
    none,
    insert,
    update,       // the kernel said that it is there
    update_full,  // there is no room for a new one
  };
  // Whether the message of a slot became an upcall.
  bool decode(size_t slot, Upcall& out);
  void install_batch(std::span<const FlowInstall> flows, std::span<InstallResult> results);
  void send_inserts(std::span<const FlowInstall> flows, std::span<InstallResult> results, std::span<Step> steps);
  void send_updates(std::span<const FlowInstall> flows, std::span<InstallResult> results, std::span<const Step> steps);
  void put_flow(const FlowInstall& install, uint8_t command, uint16_t flags, size_t index);
  void note_installed(std::span<const FlowInstall> flows, std::span<const InstallResult> results);

  // Execution of the packet at `index` of a batch: rewritten here, output by the kernel.
  void execute_one(PacketOut& packet, size_t index);
  void output(const PacketOut& packet, std::span<const OutputTarget> targets, size_t index);
  void send_offloaded(const PacketOut& packet, const OutputTarget& to, size_t index);
  void put_packet(std::span<const uint8_t> frame, PortNumber in_port, std::span<const OutputTarget> targets,
                  size_t index);
  void refuse(size_t index, std::string_view why);
  void flush_batch();

  std::shared_ptr<State> state_;
  const unsigned worker_;
  UpcallQueue& queue_;
  NetlinkSocket socket_;
  MessageBatch batch_;
  std::unique_ptr<Arena> arena_;
  RawSender raw_;
  TagMemory tags_;
  std::array<bool, kBatch> refused_{};
  std::vector<FlowId> installed_;
};

}  // namespace viaduct::flows::ovs
