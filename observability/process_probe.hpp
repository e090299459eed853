// The process itself, by the names that every Prometheus client has, and which build it is. Read from the kernel at scrape.
#pragma once

#include <string>
#include <vector>

#include "observability/metrics.hpp"

namespace viaduct::observability {

class ProcessProbe {
 public:
  // `roles`: what the daemon does, as one text.
  ProcessProbe(Registry& registry, const std::string& version, const std::string& roles);

 private:
  std::vector<ExportedCallback> exported_;
};

}  // namespace viaduct::observability
