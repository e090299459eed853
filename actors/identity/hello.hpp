// The messages of the hello (schema/hello.capnp) as values. Decoding is bounded, and refuses with a reason.
#pragma once

#include <variant>

#include "actors/identity/identity.hpp"
#include "schema/frame.hpp"

namespace viaduct::actors {

inline constexpr size_t kMaxHelloBytes = 4096;
inline constexpr size_t kMaxProofBytes = 80'000;  // kMaxChain certificates, a signature, and room
inline constexpr size_t kMaxHostNameBytes = 255;

struct Version {
  uint16_t major = 0;
  uint16_t minor = 0;
  friend bool operator==(const Version&, const Version&) = default;
};
Version own_version();

struct Hello {
  Version version;
  HostId host_id;
  std::string host_name;
  Challenge nonce{};
};

struct HelloChallenge {
  Challenge nonce{};
  Proof proof;
};
struct HelloReply {
  Version version;
  std::variant<HelloChallenge, identity::Refusal> content;
};

struct HelloAccepted {
  std::chrono::milliseconds lease{};
};
using HelloResult = std::variant<HelloAccepted, identity::Refusal>;

schema::Frame encode(const Hello& hello);
schema::Frame encode(const HelloReply& reply);
schema::Frame encode(const Proof& proof);
schema::Frame encode(const HelloResult& result);

template <class T>
using Decoded = std::variant<T, identity::Refusal>;
Decoded<Hello> decode_hello(std::span<const uint8_t> bytes);
Decoded<HelloReply> decode_hello_reply(std::span<const uint8_t> bytes);
Decoded<Proof> decode_hello_proof(std::span<const uint8_t> bytes);
// Outside: the message is unreadable; inside: the cluster node refused.
Decoded<HelloResult> decode_hello_result(std::span<const uint8_t> bytes);

// Everything that the proofs of this exchange vouch for.
Exchange exchange_of(const Hello& hello, const Version& of_cluster, const Challenge& cluster_nonce);

}  // namespace viaduct::actors
