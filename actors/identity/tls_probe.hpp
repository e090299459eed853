// Whether a TLS server is at an address, and takes this host's certificate: a connection that is made, has the server's
// first byte, and is closed. For who must know why not, and must not wait for ever.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace viaduct::actors {

// PEM.
struct TlsFiles {
  std::string ca, certificate, key;
};

// Blocks, for `patience` at most and as long as the name's resolution takes. Nothing: it does. Any thread.
std::optional<std::string> probe_tls(const std::string& host, uint16_t port, const TlsFiles& files,
                                     std::chrono::milliseconds patience);

}  // namespace viaduct::actors
