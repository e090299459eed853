// What an agent's BGP speakers look like from outside; as the others: probes.hpp.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "observability/metrics.hpp"

namespace viaduct::observability {

// One peer of one port.
struct BgpPeerNumbers {
  std::string router, port, port_id, peer;  // names, or ids; names may be others' too
  bool established = false;
  uint64_t prefixes_in = 0, prefixes_out = 0;
};
// One speaker.
struct BgpSpeakerNumbers {
  std::string router, port, port_id;
  bool running = false;
  uint64_t prefixes = 0;  // in use
  uint64_t surplus = 0;   // told beyond the limits
};

class BgpProbe {
 public:
  explicit BgpProbe(Registry& registry);
  // All that there are; who is not among them is no longer shown.
  void observed(std::vector<BgpSpeakerNumbers> speakers, std::vector<BgpPeerNumbers> peers);
  void turned(bool up);  // a session was established, or has ended
  void daemon_restarted(std::string_view daemon);
  void refused(std::string_view reason, uint64_t routes);  // more of them
  void malformed(uint64_t messages);
  void problems(uint64_t now);  // what keeps peers from being spoken with

 private:
  template <class Numbers, class Show>
  ExportedCallback exported(std::string_view name, std::string_view help, const std::vector<Numbers>& all, Show show);

  Registry& registry_;
  Gauge& problems_;
  Counter& ups_;
  Counter& downs_;
  Counter& malformed_;
  mutable std::mutex mutex_;
  std::vector<BgpSpeakerNumbers> speakers_;
  std::vector<BgpPeerNumbers> peers_;
  ExportedCallback running_, prefixes_, surplus_, up_, in_, out_;
};

}  // namespace viaduct::observability
