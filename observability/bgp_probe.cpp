#include "observability/bgp_probe.hpp"

#include <utility>

namespace viaduct::observability {

template <class Numbers, class Show>
ExportedCallback BgpProbe::exported(std::string_view name, std::string_view help, const std::vector<Numbers>& all,
                                    Show show) {
  return registry_.export_callback(name, help, MetricKind::gauge, [this, &all, show] {
    std::lock_guard lock(mutex_);
    std::vector<Sample> samples;
    for (const Numbers& one : all) {
      Labels labels{{"router", one.router}, {"port", one.port}, {"port_id", one.port_id}};
      if constexpr (requires { one.peer; }) labels.emplace_back("peer", one.peer);
      samples.push_back({std::move(labels), static_cast<double>(show(one))});
    }
    return samples;
  });
}

BgpProbe::BgpProbe(Registry& registry)
    : registry_(registry),
      problems_(registry.gauge("viaduct_bgp_problems", "What keeps BGP peers from being spoken with.")),
      ups_(registry.counter("viaduct_bgp_session_changes_total", "BGP sessions that were established or have ended.",
                            {{"to", "up"}})),
      downs_(registry.counter("viaduct_bgp_session_changes_total", "BGP sessions that were established or have ended.",
                              {{"to", "down"}})),
      malformed_(registry.counter("viaduct_bgp_route_messages_malformed_total",
                                  "Messages of zebra's that contradicted themselves and were ignored.")),
      running_(exported("viaduct_bgp_speaker_running", "1 when the port's BGP speaker runs, else 0.", speakers_,
                        [](const auto& one) { return one.running ? 1.0 : 0.0; })),
      prefixes_(exported("viaduct_bgp_prefixes", "Prefixes learned behind the port and in use.", speakers_,
                         [](const auto& one) { return one.prefixes; })),
      surplus_(exported("viaduct_bgp_prefixes_over_limit",
                        "Pairs of prefix and gateway beyond the peers' limits, unused.", speakers_,
                        [](const auto& one) { return one.surplus; })),
      up_(exported("viaduct_bgp_peer_up", "1 when the session with the peer is established, else 0.", peers_,
                   [](const auto& one) { return one.established ? 1.0 : 0.0; })),
      in_(exported("viaduct_bgp_peer_prefixes_received", "Prefixes from the peer that its import filter let through.",
                   peers_, [](const auto& one) { return one.prefixes_in; })),
      out_(exported("viaduct_bgp_peer_prefixes_sent", "Prefixes announced to the peer.", peers_,
                    [](const auto& one) { return one.prefixes_out; })) {}

void BgpProbe::observed(std::vector<BgpSpeakerNumbers> speakers, std::vector<BgpPeerNumbers> peers) {
  std::lock_guard lock(mutex_);
  speakers_ = std::move(speakers);
  peers_ = std::move(peers);
}

void BgpProbe::turned(bool up) { (up ? ups_ : downs_).add(); }

void BgpProbe::daemon_restarted(std::string_view daemon) {
  registry_
      .counter("viaduct_bgp_daemon_restarts_total", "Daemons of FRR that ended by themselves and were started again.",
               {{"daemon", std::string(daemon)}})
      .add();
}

void BgpProbe::refused(std::string_view reason, uint64_t routes) {
  registry_
      .counter("viaduct_bgp_routes_refused_total", "Routes of BGP peers that were not taken, by reason.",
               {{"reason", std::string(reason)}})
      .add(routes);
}

void BgpProbe::malformed(uint64_t messages) { malformed_.add(messages); }
void BgpProbe::problems(uint64_t now) { problems_.set(static_cast<double>(now)); }

}  // namespace viaduct::observability
