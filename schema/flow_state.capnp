# The state of connections, from the host that has it to hosts that may see the next packet. In a tunnel between two
# hosts, in frames of one message each (flows/replication/state_frame.hpp); lost, doubled and reordered as tunnels do.
#
# Evolution: fields are only added, at the end. A receiver ignores what it does not know, and an update of a kind that it
# does not know is acknowledged and dropped: the sender could do nothing else.
@0xb1d9f0263c7a5e12;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");
using Topology = import "topology.capnp";

# One entry of the connection table (flows/state/connection_table.hpp).
struct ConnectionUpdate {
  kind @0 :UInt8;         # ConnectionKind
  proto @1 :UInt8;
  srcPort @2 :UInt16;
  dstPort @3 :UInt16;
  src @4 :Topology.IpAddress;
  dst @5 :Topology.IpAddress;
  device @6 :Topology.Uuid;
  ended @7 :Bool;         # it is no more; what follows says nothing
  address @8 :Topology.IpAddress;
  port @9 :UInt16;
  seenForward @10 :UInt8;
  seenBack @11 :UInt8;
  idle @12 :UInt32;       # milliseconds since its last packet
  tenant @13 :UInt32;
  portAccount @14 :UInt64;
  ends @15 :List(Topology.Uuid);  # ports where its packets enter and leave the virtual network, as far as known
  ownership @16 :UInt8;   # flows/replication/state_frame.hpp: Ownership; one that a receiver does not know is 0
}

struct FlowStateFrame {
  sender @0 :Topology.Uuid;    # host
  receiver @1 :Topology.Uuid;
  life @2 :UInt64;             # random, of this life of the sender; never 0
  union {
    batch :group {
      sequence @3 :UInt64;     # 1, 2, 3, ... to this receiver in this life; a batch that is sent again keeps its own
      updates @4 :List(ConnectionUpdate);
    }
    acknowledge :group {
      ofLife @5 :UInt64;       # whose batches
      sequences @6 :List(UInt64);
    }
    ask :group {               # for what the receiver knows that enters or leaves at these ports, which have moved
      ofSender @7 :UInt64;     # the question's number; asked again until it is answered
      ports @8 :List(Topology.Uuid);
    }
    handed :group {            # what was asked for has been acknowledged
      toReceiver @9 :UInt64;
    }
  }
}
