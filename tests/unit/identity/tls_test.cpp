// What OpenSSL's TLS makes of these certificates, with the settings that the actor framework uses: both sides verify, and
// only a certificate with the role cluster is taken from a server.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>

#include "actors/identity/tls_errors.hpp"
#include "test_network.hpp"

namespace viaduct::identity::testing {
namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, Releases<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL, Releases<SSL_free>>;

ContextPtr context(const CredentialFiles& files) {
  ContextPtr made(SSL_CTX_new(TLS_method()));
  EXPECT_EQ(SSL_CTX_load_verify_locations(made.get(), files.ca.c_str(), nullptr), 1);
  EXPECT_EQ(SSL_CTX_use_certificate_chain_file(made.get(), files.certificate.c_str()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(made.get(), files.key.c_str(), SSL_FILETYPE_PEM), 1);
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(made.get()), std::chrono::system_clock::to_time_t(kNow));
  return made;
}

// Whether both sides end their handshake, over memory.
bool shake(const CredentialFiles& client_files, const CredentialFiles& server_files) {
  ContextPtr client_context = context(client_files), server_context = context(server_files);
  SessionPtr client(SSL_new(client_context.get())), server(SSL_new(server_context.get()));
  BIO *one = nullptr, *other = nullptr;
  BIO_new_bio_pair(&one, 0, &other, 0);
  SSL_set_bio(client.get(), one, one);
  SSL_set_bio(server.get(), other, other);
  SSL_set_connect_state(client.get());
  SSL_set_accept_state(server.get());
  int c = 0, s = 0;
  for (int turn = 0; turn < 10 && (c != 1 || s != 1); ++turn) {
    c = SSL_do_handshake(client.get());
    s = SSL_do_handshake(server.get());
  }
  return c == 1 && s == 1;
}

struct Tls : ::testing::Test {
  TestNetwork network;
  CredentialFiles agent = network.files("h1", kAgent);
  CredentialFiles cluster = network.files("db1", kCluster);
  CredentialFiles both = network.files("all", kBoth);
};

TEST_F(Tls, AgentsReachClusterNodes) {
  EXPECT_TRUE(shake(agent, cluster));
  EXPECT_TRUE(shake(both, both));
  EXPECT_TRUE(shake(agent, both));
}

TEST_F(Tls, WithAnAgentsCertificateNobodyIsAServer) {
  EXPECT_FALSE(shake(agent, network.files("h2", kAgent)));
  EXPECT_FALSE(shake(cluster, agent));
}

TEST_F(Tls, AnotherAuthorityIsRefusedOnBothSides) {
  Authority other = network.make_authority("two");
  auto foreign = network.files(network.request("x", kBoth), &other);
  EXPECT_FALSE(shake(foreign, cluster));
  EXPECT_FALSE(shake(agent, foreign));
}

// A connection that waits for its peer still waits, whatever another one of the same thread has left.
TEST_F(Tls, ErrorsOfAnotherConnectionAreNotThisOnes) {
  actors::keep_tls_errors_apart();
  ContextPtr client_context = context(agent);
  SessionPtr client(SSL_new(client_context.get()));
  SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(client.get());
  char byte = 0;
  const std::function<int()> calls[] = {
      [&] { return SSL_connect(client.get()); },
      [&] { return SSL_read(client.get(), &byte, 1); },
      [&] { return SSL_write(client.get(), &byte, 1); },
  };
  for (const auto& call : calls) {
    ERR_raise(ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING);
    int result = call();
    EXPECT_EQ(SSL_get_error(client.get(), result), SSL_ERROR_WANT_READ);
  }
}

}  // namespace
}  // namespace viaduct::identity::testing
