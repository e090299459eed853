// The file that `viaduct apply` takes, read and checked for form: known keys, scalars where scalars belong, nothing
// twice. What the values mean is found out against the live topology (apply_plan.hpp).
//
//   bridges:                         # the plural of every kind of the table is a section
//     - name: blue
//       tenant: acme                 # keys: the options of `create`, or the names in JSON
//       ports:                       # a kind may be nested under its parent …
//         - name: vm1
//           interface: vt-vm1        # host: of the daemon, unless named
//         - {name: blue-r1, peer: r1-blue}
//       static-neighbours:
//         - {ip: 10.0.1.10, mac: "02:00:00:00:00:10"}
//   routers:
//     - name: r1
//       ports:
//         - {name: r1-blue, addresses: [10.0.1.1/24, "fd00:1::1/64"], mtu: 1500}
//       routes:
//         - {to: 0.0.0.0/0, via: 10.0.1.254, port: r1-blue}
//         - {to: 10.9.0.0/16, blackhole: true}
//       as-number: 65000
//       bgp-peers:
//         - {name: tor1, ip: 192.0.2.1, as-number: 65001, import-filter: [permit 10.0.0.0/8 le 24]}
//       bgp-networks:
//         - {prefix: 198.51.100.0/24}
//   routes:                          # … or stand alone and name it
//     - {router: r1, to: 10.8.0.0/16, reject: true}
//   tunnel-zones:
//     - name: underlay
//       type: vxlan
//       tunnel-zone-hosts:
//         - {host: node-1, ip: 192.0.2.1}
//   chains:
//     - name: web
//       rules:                       # in their order: positions 10, 20, … unless they say others
//         - {ip-proto: tcp, l4-dst: 80}
//         - {not-ip-src: 10.0.0.0/8, drop: true}
//   bindings:                        # ports of this file to interfaces, when they are kept apart from the topology
//     - {port: vm2, interface: vt-vm2, host: node-1}
//
// Any object may say its `id:` (a UUID). Then it is the live object with this id, or a new one that gets it, whatever it is
// called: for what has no name, or shares it, and to rename. Where another object is named, such an id is understood, too.
//
// A field that is not named stays as it is; `none` (or ~) clears one. But a rule is what the file says of it, and nothing
// else: half of the rule that was at its position must not stay.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client/kinds.hpp"
#include "api/client/outcome.hpp"
#include "topology/address/id.hpp"

namespace viaduct::api::cli {

inline constexpr size_t kMaxDocumentBytes = size_t{16} << 20;

struct Position {
  int line = 0;  // from 1
  int column = 0;
};

struct GivenField {
  std::vector<std::string> texts;
  Position at;
};

struct DesiredObject {
  const KindInfo* kind = nullptr;
  Position at;
  std::map<std::string_view, GivenField> fields;  // by Field::name
  std::optional<size_t> parent;                   // index of the object that it is nested under
  std::string_view parent_field;                  // which of its fields names the parent
  std::optional<Uuid> id;                         // when the file says it

  std::string name() const;  // empty for kinds without one
};

struct Document {
  std::string file;                    // for messages
  std::vector<DesiredObject> objects;  // parents before what is nested under them
};

Result<Document> parse_document(const std::string& text, const std::string& file);

// "topology.yaml:12:5: …"
Failure document_error(const std::string& file, Position at, std::string message, std::string cure = {});

}  // namespace viaduct::api::cli
