// A hello that an older build said and signed is still believed: the bytes mean the same, and so does what a proof signs.
//
// VIADUCT_WRITE_GOLDEN=1 writes the files that do not exist yet, all three together. It never touches one that does.
#include <cstdlib>
#include <iterator>

#include "tests/unit/identity/test_network.hpp"

namespace viaduct::identity::testing {
namespace {

using actors::Challenge;
using actors::Exchange;
using actors::Hello;
using actors::PeerIdentity;
using actors::Proof;

std::filesystem::path path_of(const std::string& name) {
  return std::filesystem::path(VIADUCT_GOLDEN_DIR) / (name + ".bin");
}

Bytes golden(const std::string& name) {
  std::ifstream file(path_of(name), std::ios::binary);
  EXPECT_TRUE(file) << "missing: " << path_of(name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Challenge counting_from(uint8_t first) {
  Challenge challenge;
  for (uint8_t& byte : challenge) byte = first++;
  return challenge;
}
const Hello kHello{{1, 0}, HostId(Uuid::from_words(0x1111'2222'3333'4444, 5)), "golden-host", counting_from(1)};
const Exchange kExchange = actors::exchange_of(kHello, {1, 0}, counting_from(100));

void write_golden() {
  TestNetwork network;
  auto put = [](const std::string& name, const auto& bytes) {
    std::ofstream(path_of(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  std::string error;
  put("hello-ca", *read_file(network.path("one.ca.pem"), error));
  put("hello", actors::encode(kHello).bytes);
  put("hello-proof", actors::encode(network.identity("golden-host", kAgent)->prove(Role::agent, kExchange)).bytes);
}

TEST(Golden, HelloAndItsProof) {
  if (std::getenv("VIADUCT_WRITE_GOLDEN") != nullptr && !std::filesystem::exists(path_of("hello-proof")))
    write_golden();
  auto hello = actors::decode_hello(golden("hello"));
  ASSERT_TRUE(std::holds_alternative<Hello>(hello));
  EXPECT_EQ(actors::encode(std::get<Hello>(hello)), actors::encode(kHello));

  // A node of today that trusts the authority of then.
  TestNetwork network;
  auto files = network.files("db1", kCluster);
  std::string error, own = *read_file(files.ca, error);
  Bytes ca = golden("hello-ca");
  network.write("both.pem", own + std::string(ca.begin(), ca.end()));
  files.ca = network.path("both.pem");
  auto proof = actors::decode_hello_proof(golden("hello-proof"));
  ASSERT_TRUE(std::holds_alternative<Proof>(proof));
  auto verified = network.identity(files)->verify(std::get<Proof>(proof), Role::agent, kExchange, kNow);
  const auto* refusal = std::get_if<Refusal>(&verified);
  ASSERT_EQ(refusal, nullptr) << refusal->text;
  EXPECT_EQ(std::get<PeerIdentity>(verified).host, "golden-host");
}

}  // namespace
}  // namespace viaduct::identity::testing
