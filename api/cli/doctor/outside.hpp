// The host, as far as the doctor looks at it. Behind an interface, so that tests can be it.
//
// Nothing here changes anything, needs root, or waits without a deadline. What may not be looked at says so by its
// error.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/cli/child_process.hpp"

namespace viaduct::api::cli {

struct FileText {
  std::string text;
  int error = 0;  // errno
};
struct FileFacts {
  uint32_t mode = 0;  // permission bits
  int error = 0;      // errno; ENOENT: not there
};
struct SpaceFacts {
  uint64_t total_bytes = 0, free_bytes = 0;  // for whoever is not root
  uint64_t type = 0;                         // of the file system (statfs)
  int error = 0;
};
struct InterfaceFacts {
  std::string name;
  uint32_t mtu = 0;
  bool up = false;
  std::vector<std::string> addresses;
};
struct ClockFacts {
  bool known = false, synchronised = false;
  std::chrono::microseconds most_off{0};  // as the kernel estimates it
};

// A host's own TLS files, judged as the daemon does.
struct CredentialPaths {
  std::string ca, certificate, key, revoked;
};
struct CertificateEnd {
  std::string subject;
  std::chrono::system_clock::time_point not_after;
};
struct CredentialFacts {
  struct Problem {
    std::string text, cure;
  };
  std::vector<Problem> problems;
  std::vector<CertificateEnd> ends;  // the host's certificate and its authorities
};

class Outside {
 public:
  virtual ~Outside() = default;
  virtual FileText read(const std::string& path) const = 0;  // at most a MiB
  virtual FileFacts facts(const std::string& path) const = 0;
  virtual SpaceFacts space(const std::string& path) const = 0;
  virtual std::vector<std::string> names_in(const std::string& directory) const = 0;  // empty when it cannot be read
  virtual std::vector<InterfaceFacts> interfaces() const = 0;
  virtual ClockFacts clock() const = 0;
  virtual std::string kernel_release() const = 0;  // "6.1.0-18-amd64"
  virtual CredentialFacts credentials(const CredentialPaths& paths) const = 0;
  virtual ProgramOutcome run(const std::vector<std::string>& words) const = 0;
  virtual std::chrono::system_clock::time_point now() const = 0;
};

std::unique_ptr<const Outside> this_host();

}  // namespace viaduct::api::cli
