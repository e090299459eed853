// The HTTP endpoint that Prometheus scrapes: GET /metrics.
//
// Serves with two threads of its own, on loopback unless told otherwise; there is no authentication, so any other
// address is the operator's decision. Answers are not compressed: on the same host that costs more than it saves, and a proxy
// can do it. The registry must outlive the exporter, which counts its own scrapes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "observability/metrics.hpp"

namespace viaduct::observability {

inline constexpr uint16_t kDefaultMetricsPort = 9464;

struct ExporterOptions {
  std::string address = "127.0.0.1";    // IPv4, or IPv6 without brackets
  uint16_t port = kDefaultMetricsPort;  // 0: any free one
};

class Exporter;

struct ExporterStart {
  std::unique_ptr<Exporter> exporter;  // null when it could not start
  std::string error;                   // then: why, and what to do
};

class Exporter {
 public:
  static ExporterStart start(Registry& registry, const ExporterOptions& options);
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  uint16_t port() const;
  std::string url() const;  // "http://127.0.0.1:9464/metrics"

 private:
  struct Server;
  explicit Exporter(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace viaduct::observability
