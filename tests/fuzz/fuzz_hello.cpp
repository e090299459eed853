// Bytes from whoever can open a connection: the messages of the hello, decoded, and their proofs verified.
//
// The first byte chooses: raw bytes as one of the four messages, or a good proof, encoded, with bytes of it replaced as
// the input says, so that what is behind the decoder is reached.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "actors/identity/handshake.hpp"
#include "api/certificates/authority.hpp"
#include "api/certificates/key_file.hpp"

namespace {

using namespace viaduct;
using actors::Identity;

const identity::TimePoint kNow = std::chrono::system_clock::from_time_t(1'800'000'000);

void require(bool good) {
  if (!good) std::abort();
}

// An authority and two hosts of it, made once: keys are random, what is fuzzed are the bytes between them.
struct Network {
  Network() {
    std::string pattern = (std::filesystem::temp_directory_path() / "viaduct-fuzz-XXXXXX").string();
    const std::filesystem::path directory = mkdtemp(pattern.data());
    certificates::Validity validity = certificates::Validity::days(kNow, 1);
    std::string error;
    auto ca = certificates::Authority::make("ca", validity, error);
    require(ca.has_value());
    auto authority = certificates::Authority::load(ca->certificate, ca->key, error);
    require(authority.has_value());
    agent = load(directory, *authority, {"h1", std::nullopt, {true, false}, {}, validity}, ca->certificate);
    cluster = load(directory, *authority, {"db1", std::nullopt, {false, true}, {}, validity}, ca->certificate);
    std::filesystem::remove_all(directory);
    exchange = {actors::make_challenge(), actors::make_challenge(), {1, 2, 3}};
    proof = actors::encode(agent->prove(identity::Role::agent, exchange)).bytes;
  }

  static std::unique_ptr<Identity> load(const std::filesystem::path& directory,
                                        const certificates::Authority& authority,
                                        const certificates::HostRequest& request, const std::string& ca) {
    std::string error;
    auto issued = authority.issue(request, error);
    require(issued.has_value());
    identity::CredentialFiles files{directory / "ca", directory / "pem", directory / "key", ""};
    using certificates::Existing;
    require(certificates::write_private(files.ca, ca, Existing::replace).empty());
    require(certificates::write_private(files.certificate, issued->certificate, Existing::replace).empty());
    require(certificates::write_private(files.key, issued->key, Existing::replace).empty());
    std::vector<identity::CredentialProblem> problems;
    auto loaded = Identity::load(files, request.roles, kNow, problems);
    require(loaded != nullptr);
    return loaded;
  }

  std::unique_ptr<Identity> agent, cluster;
  actors::Exchange exchange;
  std::vector<uint8_t> proof;
};

const Network& network() {
  static const Network made;
  return made;
}

// Nobody who does not have the key is believed.
void judge(std::span<const uint8_t> bytes, bool changed) {
  auto decoded = actors::decode_hello_proof(bytes);
  const auto* proof = std::get_if<actors::Proof>(&decoded);
  if (proof == nullptr) return;
  auto verified = network().cluster->verify(*proof, identity::Role::agent, network().exchange, kNow);
  const auto* peer = std::get_if<actors::PeerIdentity>(&verified);
  require(peer == nullptr || !changed || peer->host == "h1");
  if (const auto* refusal = std::get_if<identity::Refusal>(&verified)) require(!refusal->text.empty());
}

void talk(std::span<const uint8_t> bytes) {
  actors::ClusterHandshake node(*network().cluster);
  node.on_hello(bytes);
  node.on_proof(bytes, kNow);
  actors::AgentHandshake agent(*network().agent, HostId::random(), "h1");
  agent.start();
  agent.on_reply(bytes, kNow);
  (void)actors::decode_hello_result(bytes);
}

// Pairs of position (two bytes) and value.
void change(std::span<const uint8_t> input) {
  std::vector<uint8_t> bytes = network().proof;
  for (; input.size() >= 3; input = input.subspan(3)) bytes[(input[0] << 8 | input[1]) % bytes.size()] = input[2];
  judge(bytes, bytes != network().proof);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::span<const uint8_t> input(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      talk(input);
      break;
    case 1:
      judge(input, true);
      break;
    default:
      change(input);
  }
  return 0;
}
