// The contract's values as etcd's messages and back. No network: what etcd sent may be anything, and is checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topology/store/etcd/rpc.pb.h"
#include "topology/store/store.hpp"

namespace viaduct::topology::store::etcd {

namespace pb = ::etcdserverpb;

// Where our keys lie among those of the etcd: "viaduct/" before each.
class KeySpace {
 public:
  explicit KeySpace(const std::string& name) : prefix_(name + "/") {}
  std::string outer(std::string_view key) const { return prefix_ + std::string(key); }
  // Nothing: it is not ours.
  std::optional<std::string> inner(std::string_view outer_key) const;
  // What nobody writes, for the empty key is not allowed; readable by whoever may read ours.
  const std::string& no_key() const { return prefix_; }

 private:
  std::string prefix_;
};

// The first key behind all that begin with `prefix`, which must not be all 0xff.
std::string end_of_prefix(std::string prefix);

pb::TxnRequest to_request(const KeySpace& keys, const Transaction& transaction);
// The first compare that did not hold, of a response that did not succeed.
Error conflict_in(const Transaction& transaction, const pb::TxnResponse& response);

pb::RangeRequest to_request(const KeySpace& keys, const RangeRequest& request);
Result<RangePage> page_of(const KeySpace& keys, const RangeRequest& request, pb::RangeResponse& response);

// From `next` on. Asks for one revision more: etcd grants a watch from the compacted revision itself, the contract
// does not.
pb::WatchRequest to_request(const KeySpace& keys, const std::string& prefix, Revision next);
// The batches of a response, without revisions below `next`; takes the values out of it.
Result<std::vector<WatchBatch>> batches_of(const KeySpace& keys, Revision next, pb::WatchResponse& response);

}  // namespace viaduct::topology::store::etcd
