# How an agent and a cluster node prove to each other who they are, before anything else is said between them. Four
# messages, each a Frame, over a connection with TLS on both sides:
#
#   agent   -> cluster   Hello         who I am, what I speak, my nonce
#   cluster -> agent     HelloReply    my nonce and proof for yours, or why not
#   agent   -> cluster   HelloProof    my proof for your nonce
#   cluster -> agent     HelloResult   accepted, or why not
#
# What a proof signs is in actors/identity/identity.hpp. Limits: 32 bytes a nonce, 4 certificates of 16 KiB, 1 KiB a
# signature, 255 bytes a name or reason; a message beyond them is refused unread.
@0xb5d1c07e9a324f06;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");
using Topology = import "topology.capnp";

const helloMajor :UInt16 = 1;  # a node refuses another major version by name
const helloMinor :UInt16 = 0;  # grows with what is added; the lower of both is spoken

struct Proof {
  role @0 :UInt8;        # what the prover claims to be: 1 agent, 2 cluster
  answers @1 :Data;      # the nonce of the other side
  chain @2 :List(Data);  # X.509 DER: the prover's certificate, then what leads to an authority
  signature @3 :Data;
}

# Why something is refused: viaduct::identity::Reason, and words for the log.
struct Refused {
  reason @0 :UInt8;  # a reader that does not know the number goes by the text
  text @1 :Text;
}

struct Hello {
  major @0 :UInt16;
  minor @1 :UInt16;
  hostId @2 :Topology.Uuid;
  hostName @3 :Text;
  nonce @4 :Data;
}

struct HelloReply {
  major @0 :UInt16;
  minor @1 :UInt16;
  union {
    refused @2 :Refused;
    challenge :group {
      nonce @3 :Data;
      proof @4 :Proof;
    }
  }
}

struct HelloProof {
  proof @0 :Proof;
}

struct HelloResult {
  union {
    refused @0 :Refused;
    accepted :group {
      leaseMs @1 :UInt32;  # the agent counts as dead when it is silent for so long
    }
  }
}
