// The ports of this host's datapath as the kernel counts them; as the others: probes.hpp.
//
// Ports are told when they come and go; their counters are read when somebody scrapes, all of them once, and cost nothing
// meanwhile. Labels are made when a port comes, and shared by its samples: ten thousand ports are scraped in milliseconds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "observability/metrics.hpp"

namespace viaduct::observability {

struct PortNumbers {
  uint64_t received_packets = 0, received_bytes = 0;  // from the port into the datapath
  uint64_t sent_packets = 0, sent_bytes = 0;
  uint64_t upcalls = 0, upcalls_lost = 0;
};

// What a port is called. All of these are part of its series' identity.
struct PortName {
  std::string port;       // id
  std::string interface;  // of this host
  std::string device;     // id of the virtual device; empty: not known
  friend bool operator==(const PortName&, const PortName&) = default;
};

class PortProbe {
 public:
  struct Port {
    PortName name;
    uint32_t number = 0;  // in the datapath; 0: not there
    bool active = false;
    friend bool operator==(const Port&, const Port&) = default;
  };
  // `read` the counters of the port of this number; nothing: it is not there. Called by whoever scrapes.
  using Read = std::function<std::optional<PortNumbers>(uint32_t number)>;

  PortProbe(Registry& registry, Read read);
  // All that there should be; who is not among them is no longer shown.
  void observed(std::vector<Port> all);

 private:
  struct Shown {
    Port port;
    SampleLabels labels;
  };
  using ShownPorts = std::shared_ptr<const std::vector<Shown>>;
  std::vector<std::vector<Sample>> scrape() const;

  const Read read_;
  mutable std::mutex mutex_;
  ShownPorts ports_ = std::make_shared<const std::vector<Shown>>();
  ExportedCallback export_;
};

}  // namespace viaduct::observability
