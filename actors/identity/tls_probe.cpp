#include "actors/identity/tls_probe.hpp"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "actors/identity/descriptor.hpp"
#include "schema/identity/x509.hpp"

namespace viaduct::actors {

namespace {

using Clock = std::chrono::steady_clock;
using ContextPtr = std::unique_ptr<SSL_CTX, identity::Releases<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL, identity::Releases<SSL_free>>;
using AddressesPtr = std::unique_ptr<addrinfo, identity::Releases<freeaddrinfo>>;

constexpr const char* kSilent = "it does not answer";

bool wait_for(int fd, short events, Clock::time_point deadline) {
  pollfd wait{fd, events, 0};
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return left.count() > 0 && poll(&wait, 1, static_cast<int>(left.count())) > 0;
}

std::string connect_to(const addrinfo& address, Clock::time_point deadline, Descriptor& out) {
  Descriptor made(socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (connect(made.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return std::strerror(errno);
    if (!wait_for(made.get(), POLLOUT, deadline)) return kSilent;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(made.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return std::strerror(error);
  }
  out = std::move(made);
  return {};
}

// The first address that can be reached; each has its share of the time.
std::string connect_to(const std::string& host, uint16_t port, Clock::time_point deadline, Descriptor& out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
    return gai_strerror(error);
  }
  AddressesPtr addresses(found);
  int left = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) ++left;
  std::string why = "the name has no address";
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next, --left) {
    auto share = Clock::now() + (deadline - Clock::now()) / left;
    why = connect_to(*each, share, out);
    if (why.empty()) break;
  }
  return why;
}

std::string last_error() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "the connection was closed" : reason;
}

ContextPtr context_of(const TlsFiles& files) {
  ContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr || SSL_CTX_load_verify_locations(context.get(), files.ca.c_str(), nullptr) != 1 ||
      SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return nullptr;
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

// Does `step` until it succeeds; the text says why it cannot.
template <class Step>
std::string finish(SSL* session, int fd, Clock::time_point deadline, Step step) {
  while (true) {
    ERR_clear_error();
    int result = step(session);
    if (result > 0) return {};
    int wanted = SSL_get_error(session, result);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) return last_error();
    if (!wait_for(fd, wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) return kSilent;
  }
}

std::string speak_tls(int fd, const TlsFiles& files, Clock::time_point deadline) {
  ContextPtr context = context_of(files);
  if (context == nullptr) return "the files of [tls] cannot be used: " + last_error();
  SessionPtr session(SSL_new(context.get()));
  if (session == nullptr || SSL_set_fd(session.get(), fd) != 1) return last_error();
  std::string why = finish(session.get(), fd, deadline, [](SSL* tls) { return SSL_connect(tls); });
  if (!why.empty()) {
    long verified = SSL_get_verify_result(session.get());
    if (verified == X509_V_OK) return why;
    return std::string("its certificate is not accepted: ") + X509_verify_cert_error_string(verified);
  }
  // The server judges this host's certificate when the client is through already, and says what it thinks of it here.
  char first = 0;
  why = finish(session.get(), fd, deadline, [&](SSL* tls) { return SSL_read(tls, &first, 1); });
  return why.empty() || why == kSilent ? why : "it does not accept this host's certificate: " + why;
}

}  // namespace

std::optional<std::string> probe_tls(const std::string& host, uint16_t port, const TlsFiles& files,
                                     std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  Descriptor connection;
  std::string why = connect_to(host, port, deadline, connection);
  if (why.empty()) why = speak_tls(connection.get(), files, deadline);
  if (why.empty()) return std::nullopt;
  return "no connection: " + why;
}

}  // namespace viaduct::actors
