#include "actors/identity/hello.hpp"

#include <algorithm>

#include "schema/hello.capnp.h"

namespace viaduct::actors {

using identity::Bytes;
using identity::Reason;
using identity::Refusal;
using identity::Role;
using schema::Frame;

namespace {

constexpr size_t kMaxTextBytes = 255;

// A value out of a reader, or why not.
template <class T>
using Read = std::variant<T, Refusal>;

Refusal malformed(const char* what) { return {Reason::malformed, what}; }

// with_root's two kinds of failure made one.
template <class Message, class T, class F>
Decoded<T> decode(std::span<const uint8_t> bytes, size_t limit, F read) {
  schema::ReadLimits limits;
  limits.max_bytes = limit;
  auto result = schema::with_root<Message>(bytes, limits, read);
  if (result) return std::move(*result);
  bool big = result.failure().error == schema::FrameError::too_big;
  return Refusal{big ? Reason::too_big : Reason::malformed, "a message of the hello: " + result.failure().text};
}

capnp::Data::Reader data_of(std::span<const uint8_t> bytes) { return {bytes.data(), bytes.size()}; }
Bytes bytes_of(capnp::Data::Reader data) { return {data.begin(), data.end()}; }

std::optional<Challenge> challenge_of(capnp::Data::Reader data) {
  Challenge challenge;
  if (data.size() != challenge.size()) return std::nullopt;
  std::copy(data.begin(), data.end(), challenge.begin());
  return challenge;
}

std::string printable(capnp::Text::Reader text) {
  std::string out(text.begin(), std::min<size_t>(text.size(), kMaxTextBytes));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return out;
}

void write(schema::Proof::Builder out, const Proof& proof) {
  out.setRole(static_cast<uint8_t>(proof.role));
  out.setAnswers(data_of(proof.answers));
  auto chain = out.initChain(static_cast<unsigned>(proof.chain.size()));
  for (unsigned i = 0; i < chain.size(); ++i) chain.set(i, data_of(proof.chain[i]));
  out.setSignature(data_of(proof.signature));
}

Read<Proof> read_proof(schema::Proof::Reader in) {
  Proof proof;
  if (in.getRole() != static_cast<uint8_t>(Role::agent) && in.getRole() != static_cast<uint8_t>(Role::cluster))
    return malformed("a proof for a role that does not exist");
  proof.role = static_cast<Role>(in.getRole());
  auto answers = challenge_of(in.getAnswers());
  if (!answers) return malformed("a nonce that has not 32 bytes");
  proof.answers = *answers;
  if (in.getChain().size() > identity::kMaxChain || in.getSignature().size() > kMaxSignatureBytes)
    return Refusal{Reason::too_big, "a proof with too many certificates or too large a signature"};
  for (auto certificate : in.getChain()) {
    if (certificate.size() > identity::kMaxCertificateBytes)
      return Refusal{Reason::too_big, "a proof with too large a certificate"};
    proof.chain.push_back(bytes_of(certificate));
  }
  proof.signature = bytes_of(in.getSignature());
  return proof;
}

void write(schema::Refused::Builder out, const Refusal& refusal) {
  out.setReason(static_cast<uint8_t>(refusal.reason));
  out.setText(refusal.text.substr(0, kMaxTextBytes));
}

Refusal read_refusal(schema::Refused::Reader in) {
  return {static_cast<Reason>(in.getReason()), printable(in.getText())};
}

Read<Hello> read_hello(schema::Hello::Reader in) {
  Hello hello;
  hello.version = {in.getMajor(), in.getMinor()};
  hello.host_id = HostId(Uuid::from_words(in.getHostId().getHigh(), in.getHostId().getLow()));
  auto name = in.getHostName();
  if (name.size() == 0 || name.size() > kMaxHostNameBytes) return malformed("a host name that is empty or too long");
  hello.host_name.assign(name.begin(), name.size());
  auto nonce = challenge_of(in.getNonce());
  if (!nonce) return malformed("a nonce that has not 32 bytes");
  hello.nonce = *nonce;
  return hello;
}

Read<HelloReply> read_reply(schema::HelloReply::Reader in) {
  HelloReply reply{{in.getMajor(), in.getMinor()}, Refusal{}};
  if (in.isRefused()) {
    reply.content = read_refusal(in.getRefused());
    return reply;
  }
  if (!in.isChallenge()) return malformed("a reply of an unknown kind");
  auto nonce = challenge_of(in.getChallenge().getNonce());
  if (!nonce) return malformed("a nonce that has not 32 bytes");
  auto proof = read_proof(in.getChallenge().getProof());
  if (auto* refusal = std::get_if<Refusal>(&proof)) return *refusal;
  reply.content = HelloChallenge{*nonce, std::get<Proof>(std::move(proof))};
  return reply;
}

}  // namespace

Version own_version() { return {schema::HELLO_MAJOR, schema::HELLO_MINOR}; }

Frame encode(const Hello& hello) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::Hello>();
  out.setMajor(hello.version.major);
  out.setMinor(hello.version.minor);
  out.getHostId().setHigh(hello.host_id.uuid().high());
  out.getHostId().setLow(hello.host_id.uuid().low());
  out.setHostName(hello.host_name);
  out.setNonce(data_of(hello.nonce));
  return Frame::of(message);
}

Frame encode(const HelloReply& reply) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::HelloReply>();
  out.setMajor(reply.version.major);
  out.setMinor(reply.version.minor);
  if (const auto* refusal = std::get_if<Refusal>(&reply.content)) {
    write(out.initRefused(), *refusal);
  } else {
    const auto& challenge = std::get<HelloChallenge>(reply.content);
    auto group = out.initChallenge();
    group.setNonce(data_of(challenge.nonce));
    write(group.initProof(), challenge.proof);
  }
  return Frame::of(message);
}

Frame encode(const Proof& proof) {
  capnp::MallocMessageBuilder message;
  write(message.initRoot<schema::HelloProof>().initProof(), proof);
  return Frame::of(message);
}

Frame encode(const HelloResult& result) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::HelloResult>();
  if (const auto* refusal = std::get_if<Refusal>(&result)) {
    write(out.initRefused(), *refusal);
  } else {
    out.initAccepted().setLeaseMs(static_cast<uint32_t>(std::get<HelloAccepted>(result).lease.count()));
  }
  return Frame::of(message);
}

// Readers return a Read<T>; decode() puts a failure of the framing beside it.
namespace {

template <class Message, class T, class F>
Decoded<T> flattened(std::span<const uint8_t> bytes, size_t limit, F read) {
  auto decoded = decode<Message, Read<T>>(bytes, limit, read);
  if (auto* refusal = std::get_if<1>(&decoded)) return std::move(*refusal);
  return std::get<0>(std::move(decoded));
}

}  // namespace

Decoded<Hello> decode_hello(std::span<const uint8_t> bytes) {
  return flattened<schema::Hello, Hello>(bytes, kMaxHelloBytes, read_hello);
}

Decoded<HelloReply> decode_hello_reply(std::span<const uint8_t> bytes) {
  return flattened<schema::HelloReply, HelloReply>(bytes, kMaxProofBytes, read_reply);
}

Decoded<Proof> decode_hello_proof(std::span<const uint8_t> bytes) {
  auto read = [](schema::HelloProof::Reader in) { return read_proof(in.getProof()); };
  return flattened<schema::HelloProof, Proof>(bytes, kMaxProofBytes, read);
}

Decoded<HelloResult> decode_hello_result(std::span<const uint8_t> bytes) {
  auto read = [](schema::HelloResult::Reader in) -> HelloResult {
    if (in.isRefused()) return read_refusal(in.getRefused());
    if (in.isAccepted()) return HelloAccepted{std::chrono::milliseconds(in.getAccepted().getLeaseMs())};
    return malformed("a result of an unknown kind");
  };
  return decode<schema::HelloResult, HelloResult>(bytes, kMaxHelloBytes, read);
}

Exchange exchange_of(const Hello& hello, const Version& of_cluster, const Challenge& cluster_nonce) {
  Exchange exchange{hello.nonce, cluster_nonce, {}};
  Bytes& out = exchange.context;
  for (uint16_t word : {hello.version.major, hello.version.minor, of_cluster.major, of_cluster.minor}) {
    out.push_back(static_cast<uint8_t>(word >> 8));
    out.push_back(static_cast<uint8_t>(word));
  }
  const auto& id = hello.host_id.uuid().bytes();
  out.insert(out.end(), id.begin(), id.end());
  out.insert(out.end(), hello.host_name.begin(), hello.host_name.end());  // the last: needs no length
  return exchange;
}

}  // namespace viaduct::actors
