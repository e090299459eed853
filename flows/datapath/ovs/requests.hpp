// What the control face asks of the module, one function a request. All of it may block in the kernel for
// milliseconds. One socket for questions, behind a mutex; each dump has a socket of its own, so that whoever looks at
// a hundred thousand flows holds up nobody.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ovs/action_codec.hpp"
#include "flows/datapath/ovs/families.hpp"
#include "flows/datapath/ovs/key_codec.hpp"
#include "flows/datapath/ovs/netlink_socket.hpp"
#include "flows/datapath/ovs/upcall_sockets.hpp"

namespace viaduct::flows::ovs {

struct Vport {
  PortNumber number;
  std::string interface;
  PortStats stats;  // without upcalls
};

// A flow as the module shows it.
struct RawFlow {
  std::optional<FlowId> id;  // none: made by somebody who uses no ids
  Bytes key, mask, actions;  // valid during the visit
  uint64_t packets = 0, bytes = 0;
  std::optional<uint64_t> used;  // milliseconds of CLOCK_MONOTONIC; none: no packet yet
  uint8_t tcp_flags = 0;
};

struct Marker {
  PortNumber number;
  std::string interface;
};
// The id of the flow that keeps the port `number`.
FlowId marker_id(PortNumber number);
// Nothing when it is an ordinary flow.
std::optional<Marker> parse_marker(const RawFlow& flow);

RawFlow parse_flow(Bytes attributes);
void put_flow_id(MessageBatch& out, const FlowId& id);
// Counters and idleness at `now`; without a packet the idleness counts from `installed`.
FlowStats flow_stats(const RawFlow& flow, std::chrono::steady_clock::time_point installed);

class Requests {
 public:
  Requests(const Families& families, NetlinkSocket socket) : families_(families), socket_(std::move(socket)) {}
  const Families& families() const { return families_; }

  // 0 and no error: there is none of that name.
  int find_datapath(const std::string& name, std::error_code& error);
  int create_datapath(const std::string& name, std::error_code& error);
  // The features that this driver works with, on a datapath that somebody else made.
  std::error_code set_features(int datapath);
  // Sets them again when they are others: whoever opens the datapath with Open vSwitch's tools (ovs-dpctl) switches
  // upcalls to its own way, and none would reach us. True when that was so.
  bool restore_features(int datapath, std::error_code& error);
  std::error_code delete_datapath(int datapath);
  DatapathStats datapath_stats(int datapath);

  // Ports of interfaces; the datapath's own (number 0) is not among them.
  std::vector<Vport> vports(int datapath, std::error_code& error);
  std::optional<Vport> vport(int datapath, PortNumber number);
  std::error_code add_vport(int datapath, PortNumber number, const std::string& interface,
                            std::span<const uint32_t> upcall_ids);
  std::error_code set_upcall_ids(int datapath, PortNumber number, std::span<const uint32_t> upcall_ids);
  std::error_code delete_vport(int datapath, PortNumber number);

  enum class Detail : uint8_t { statistics, all };
  std::error_code dump_flows(int datapath, Detail detail, FunctionRef<void(const RawFlow&)> visit);
  // Gives `last` what was deleted. Returns how many; flows that are not there are no error.
  size_t delete_flows(int datapath, std::span<const FlowId> ids, FunctionRef<void(const RawFlow&)> last,
                      FunctionRef<void(int)> refused);
  // Flows that exist, with new actions. Returns how many failed.
  struct Update {
    Flow flow;
    TagTypes tags;
    uint32_t upcall_id = 0;
  };
  size_t set_actions(int datapath, std::span<const Update> updates);
  // Flows that no packet matches, which keep for the next life of the daemon what the module does not: the numbers and
  // names of ports whose interface vanishes. They end with the datapath.
  std::error_code put_marker(int datapath, PortNumber number, const std::string& interface);
  void delete_marker(int datapath, PortNumber number);
  std::error_code flush_flows(int datapath);

  // Which of the actions this kernel has: tried with flows that no packet can match.
  ActionSupport probe_actions(int datapath);
  // How large a port's receive buffer has to be: both are tried, one upcall is sent to ourselves.
  CreditSize measure_credit(int datapath);

 private:
  using Build = FunctionRef<void(MessageBatch&)>;
  using Answer = FunctionRef<void(const Message&)>;
  std::error_code ask(const MessageHead& head, Build build, Answer answer);
  std::error_code ask(const MessageHead& head, Build build);
  bool accepts(int datapath, const Action& action);
  size_t measure_small_upcall(int datapath);

  Families families_;
  std::mutex mutex_;
  NetlinkSocket socket_;
  MessageBatch batch_;
};

}  // namespace viaduct::flows::ovs
