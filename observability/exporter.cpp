#include "observability/exporter.hpp"

#include <arpa/inet.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace viaduct::observability {
namespace {

prometheus::ClientMetric::Histogram convert(const HistogramValue& value) {
  prometheus::ClientMetric::Histogram out;
  out.sample_count = value.count;
  out.sample_sum = value.sum_seconds;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < value.buckets.size(); ++i) {
    cumulative += value.buckets[i];
    const double bound = i < kFiniteBuckets ? bucket_upper_bound_seconds(i) : std::numeric_limits<double>::infinity();
    out.bucket.push_back({cumulative, bound});
  }
  return out;
}

prometheus::ClientMetric convert(const Sample& sample, MetricKind kind) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : sample.labels) out.label.push_back({name, value});
  switch (kind) {
    case MetricKind::counter:
      out.counter.value = sample.value;
      break;
    case MetricKind::gauge:
      out.gauge.value = sample.value;
      break;
    case MetricKind::histogram:
      out.histogram = convert(sample.histogram);
      break;
  }
  return out;
}

prometheus::MetricType convert(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return prometheus::MetricType::Counter;
    case MetricKind::gauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

class RegistryView final : public prometheus::Collectable {
 public:
  explicit RegistryView(const Registry& registry) : registry_(registry) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> out;
    for (const FamilySample& family : registry_.collect()) {
      auto& converted = out.emplace_back();
      converted.name = family.name;
      converted.help = family.help;
      converted.type = convert(family.kind);
      for (const Sample& sample : family.samples) converted.metric.push_back(convert(sample, family.kind));
    }
    return out;
  }

 private:
  const Registry& registry_;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  bool parse(const std::string& address, uint16_t port) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      size = sizeof *v4;
    } else if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      size = sizeof *v6;
    }
    return size != 0;
  }
};

// The HTTP library only says that it failed; asking the kernel for the same tells why.
std::string why_not_bound(const SocketAddress& address) {
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::generic_category().message(errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int error = 0;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 || listen(fd, 1) != 0) {
    error = errno;
  }
  close(fd);
  if (error == EADDRINUSE) return "another process uses it already; choose another metrics port, or 0 for any free one";
  if (error == EADDRNOTAVAIL) return "this host does not have that address";
  if (error == EACCES) return "ports below 1024 need privileges";
  return error != 0 ? std::generic_category().message(error) : "the HTTP server did not start";
}

void knock(const SocketAddress& address) {
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  // Refused or under way: either is as good, the caller tries again.
  [[maybe_unused]] const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  close(fd);
}

std::string bracketed(const ExporterOptions& options, uint16_t port) {
  const bool v6 = options.address.find(':') != std::string::npos;
  return (v6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(port);
}

}  // namespace

struct Exporter::Server {
  ExporterOptions options;
  std::shared_ptr<RegistryView> view;  // the exposer holds it weakly
  std::unique_ptr<prometheus::Exposer> exposer;
  uint16_t port;

  Server(const Registry& registry, const ExporterOptions& wanted)
      : options(wanted),
        view(std::make_shared<RegistryView>(registry)),
        exposer(std::make_unique<prometheus::Exposer>(
            std::vector<std::string>{"listening_ports", bracketed(wanted, wanted.port), "num_threads", "2",
                                     "request_timeout_ms", "5000", "enable_keep_alive", "no"})),
        port(static_cast<uint16_t>(exposer->GetListeningPorts().at(0))) {
    exposer->RegisterCollectable(view);
  }

  // The HTTP server looks for its end only every two seconds, or when somebody connects.
  ~Server() {
    const std::jthread waker([this](const std::stop_token& stop) {
      SocketAddress own;
      own.parse(options.address, port);
      while (!stop.stop_requested()) {
        knock(own);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
    exposer.reset();
  }
};

Exporter::Exporter(std::unique_ptr<Server> server) : server_(std::move(server)) {}
Exporter::~Exporter() = default;

ExporterStart Exporter::start(const Registry& registry, const ExporterOptions& options) {
  SocketAddress address;
  if (!address.parse(options.address, options.port)) {
    return {nullptr, "metrics address '" + options.address + "' is neither an IPv4 nor an IPv6 address"};
  }
  try {
    return {std::unique_ptr<Exporter>(new Exporter(std::make_unique<Server>(registry, options))), {}};
  } catch (const std::exception&) {
    return {nullptr, "cannot serve metrics at " + bracketed(options, options.port) + ": " + why_not_bound(address)};
  }
}

uint16_t Exporter::port() const { return server_->port; }
std::string Exporter::url() const { return "http://" + bracketed(server_->options, server_->port) + "/metrics"; }

}  // namespace viaduct::observability
