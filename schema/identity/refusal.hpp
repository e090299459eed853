// Why a certificate or a proof of identity is not accepted. Part of the wire (hello.capnp): values never change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::identity {

enum class Reason : uint8_t {
  malformed = 1,      // not what the schema or X.509 says
  too_big = 2,        // over a limit; nothing was parsed
  untrusted = 3,      // no authority of ours signed it
  not_yet_valid = 4,  // the certificate, or this host's clock
  expired = 5,
  revoked = 6,            // its fingerprint is in the list of revoked ones
  wrong_purpose = 7,      // not made for this side of a connection
  weak = 8,               // key or digest below 112 bits of security
  no_host = 9,            // names no host, or an unknown restriction
  role_not_granted = 10,  // the certificate does not have the role
  wrong_role = 11,        // the proof is for another role than asked for
  wrong_host = 12,        // the certificate is another host's, or another id's
  replayed = 13,          // answers another challenge
  reflected = 14,         // our own challenge or proof, sent back
  bad_signature = 15,     // made with another key, or about something else
  version = 16,           // speaks another major version
  name_in_use = 17,       // another host has this name or id
  too_many = 18,          // the node serves as many as it can
};
std::string_view to_string(Reason reason);

struct Refusal {
  Reason reason;
  std::string text;  // for the log and the operator: names the object and the cure
};

}  // namespace viaduct::identity
