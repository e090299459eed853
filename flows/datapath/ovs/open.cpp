#include <unistd.h>

#include "flows/datapath/ovs/control.hpp"
#include "flows/datapath/ovs/ovs_datapath.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr size_t kReplyBytes = 4 << 20;

std::unique_ptr<Requests> connect(std::string& why_not, std::error_code& error) {
  auto families = resolve_families(why_not);
  if (!families) {
    error = std::make_error_code(std::errc::operation_not_supported);
    return nullptr;
  }
  NetlinkSocket socket = NetlinkSocket::open(0, kReplyBytes, error);
  if (error) {
    why_not = error.message();
    return nullptr;
  }
  return std::make_unique<Requests>(*families, std::move(socket));
}

}  // namespace

bool ovs_available(std::string& why_not) {
  std::error_code error;
  auto requests = connect(why_not, error);
  if (!requests) return false;
  // Reading is allowed to everybody; only an administrator of the network namespace may change anything. The index -1
  // belongs to no datapath.
  error = requests->delete_datapath(-1);
  if (error == std::errc::operation_not_permitted) {
    why_not = "the Open vSwitch module is there, but this process may not use it (CAP_NET_ADMIN)";
    return false;
  }
  return true;
}

std::unique_ptr<Datapath> open_ovs(const DatapathOptions& options, std::error_code& error) {
  error.clear();
  std::string why_not;
  auto requests = connect(why_not, error);
  if (!requests) return nullptr;
  int index = requests->find_datapath(options.name, error);
  if (error) return nullptr;
  bool found = index != 0;
  if (found) {
    error = requests->set_features(index);
  } else {
    index = requests->create_datapath(options.name, error);
  }
  if (error) return nullptr;
  auto state = std::make_shared<State>(requests->families(), index, options, requests->probe_actions(index),
                                       requests->measure_credit(index), error);
  if (error) return nullptr;
  auto datapath = std::make_unique<OvsDatapath>(std::move(state), std::move(requests), error);
  if (!error && found) error = datapath->adopt();
  if (error) return nullptr;
  return datapath;
}

}  // namespace viaduct::flows::ovs
