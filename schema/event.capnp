# What has happened, for operators; and who asked for a change.
@0xd3c5a1f0b2e94807;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");

struct Event {
  struct Field {
    key @0 :Text;
    value @1 :Text;
  }
  id @0 :UInt64;       # in the journal that was asked: ascending, also over restarts
  origin @1 :UInt64;   # in the journal of the host where it happened
  at @2 :UInt64;       # nanoseconds since the Unix epoch
  kind @3 :Text;       # "port.active" (observability/event.hpp)
  level @4 :Text;      # info, warning, error
  host @5 :Text;       # where it happened, by name
  message @6 :Text;
  fields @7 :List(Field);
}

# Why the topology was changed. The value of the key that each commit writes.
struct Cause {
  request @0 :Text;    # one name for the request, from who asked to each host that applies it: letters, digits, '.', '_', '-'
  by @1 :Text;         # who asked, as the interface knows him; a tool's user is what the tool says
  node @2 :Text;       # of the cluster, that wrote it
}
