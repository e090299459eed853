# The change feed from the topology store to the agents.
@0xb6f3a4b0c8d1e702;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");
using Topology = import "topology.capnp";

struct Change {
  union {
    put @0 :Topology.Object;      # created or changed: the whole object
    delete @1 :Topology.ObjectRef;
  }
}

# One revision, or a whole snapshot. A receiver applies batches in order; `previous` that is not its own revision
# means that it missed something and must ask for a snapshot.
struct FeedBatch {
  previous @0 :UInt64;
  revision @1 :UInt64;
  snapshot @2 :Bool;           # changes are all objects that exist; what is not named does not exist
  changes @3 :List(Change);
  committedAt @4 :UInt64;      # nanoseconds since the Unix epoch, for the commit-to-applied histogram; 0: unknown
}
