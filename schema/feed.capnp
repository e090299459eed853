# The change feed from the cluster to the agents.
#
# It carries entries of the network state database as they lie there: key, value, revision. So a value is encoded once,
# when it is committed, however many agents get it, and an agent's cache holds what the database holds.
@0xb6f3a4b0c8d1e702;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");
using Topology = import "topology.capnp";

struct FeedItem {
  key @0 :Text;        # "/topology/…": a topology.capnp Object; "/state/…": a state.capnp StateEntry
  revision @1 :UInt64; # of its last change
  union {
    value @2 :Data;
    deleted @3 :Void;
  }
}

# What changed up to a revision. Batches follow each other: the next one is sent when this one is applied.
struct FeedBatch {
  revision @0 :UInt64;
  complete @1 :Bool;            # the items are all that there is; what is not named does not exist
  items @2 :List(FeedItem);
  forget @3 :List(Topology.Uuid);  # owners (topology/closure.hpp) that do not concern this agent any more, with all that is theirs
  committedAt @4 :UInt64;       # nanoseconds since the Unix epoch, for the commit-to-applied histogram; 0: unknown
  struct Request {
    revision @0 :UInt64;
    request @1 :Text;
  }
  requests @5 :List(Request);   # what the commits in it were made for, the last hundred at most
}
