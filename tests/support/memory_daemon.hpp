// The topology side of a daemon in memory: lists and transactions by the real rules, nothing else. What a client is answered
// whose transport it is.
#pragma once

#include <memory>
#include <vector>

#include "api/client/client.hpp"
#include "schema/admin.capnp.h"
#include "topology/host_state.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::support {

// Both answer as the daemon does. `naming`: whether it knows that filter of a list.
void answer_list(schema::ListObjects::Reader request, const topology::Snapshot& snapshot, bool naming,
                 schema::ObjectList::Builder reply);
// False: the request could not be decoded.
bool answer_transact(schema::Transact::Reader request, topology::Snapshot& snapshot, schema::AdminReply::Builder reply);

class MemoryDaemon {
 public:
  // One thread. Other requests are answered with an error.
  std::unique_ptr<api::Client> connect();
  std::unique_ptr<api::Transport> transport();  // of such a client
  const topology::Snapshot& snapshot() const { return snapshot_; }
  // Commits, if the rules let it pass; says whether they did.
  bool commit(const topology::Object& object);
  // A host has said so.
  void tell(const topology::StateEntry& entry) { facts_.push_back(entry); }

 private:
  class Inside;
  topology::Snapshot snapshot_;
  std::vector<topology::StateEntry> facts_;
};

}  // namespace viaduct::support
