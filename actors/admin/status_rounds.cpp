// viaduct status: what every part says of itself.
#include <map>

#include "actors/admin/exchange.hpp"

namespace viaduct::actors {
namespace {

// Asks part by part, those that this daemon has; each adds what it knows.
class StatusRounds : public std::enable_shared_from_this<StatusRounds> {
 public:
  StatusRounds(const AdminExchange& exchange, std::shared_ptr<StatusContent> status)
      : exchange_(exchange), status_(std::move(status)) {
    const AdminLinks& links = exchange.links();
    add<NodeReport>(links.node(), ReportNode{}, "supervisor", [this](const NodeReport& node) {
      add_actors(node);
      add_admin();
    });
    if (links.store) {
      add<NodeReport>(links.store, ReportNode{}, "topology store", [this](const NodeReport& all) { add_actors(all); });
      add<StoreRevisions>(links.store, ReadRevisions{}, "topology store",
                          [this](const StoreRevisions& revisions) { status_->revisions = revisions; });
      add<AgentsReport>(links.store, ReadAgents{}, "topology store",
                        [this](const AgentsReport& report) { status_->agents = report; });
    }
    if (!links.store) {
      add<MirrorPosition>(links.mirror, ReadMirror{}, "topology mirror", [this](const MirrorPosition& position) {
        status_->revisions = {position.revision, position.revision};
      });
    }
    if (links.flows) add_agent(links);
  }
  void next() {
    if (at_ < steps_.size()) return steps_[at_++]();
    exchange_.with_snapshot([me = shared_from_this()](const SnapshotPtr& snapshot) {
      me->exchange_.answer(status_reply(me->exchange_.id, *me->status_, *snapshot));
    });
  }

 private:
  template <class Answer, class Part, class Question, class Take>
  void add(const Part& part, const Question& question, std::string_view name, Take take) {
    steps_.push_back([this, part, question, name, take] {
      exchange_.self->request(part, kPartTimeout, question)
          .then(
              [me = shared_from_this(), take](const Answer& answer) {
                take(answer);
                me->next();
              },
              exchange_.unavailable(name));
    });
  }
  void add_agent(const AdminLinks& links) {
    add<NodeReport>(links.devices, ReportNode{}, "devices", [this](const NodeReport& all) { add_actors(all); });
    add<DatapathReport>(links.datapath, ReportDatapath{}, "datapath",
                        [this](const DatapathReport& report) { status_->datapath = report; });
    add<FlowReport>(links.flows, ReportFlows{}, "flow controller",
                    [this](const FlowReport& report) { status_->flows = report; });
    add<TunnelReport>(links.tunnels, ReportTunnels{}, "tunnel manager",
                      [this](const TunnelReport& report) { status_->tunnels = report; });
    add<NatReport>(links.nat, ReportNat{}, "NAT leaser", [this](const NatReport& report) { status_->nat = report; });
    add<NodeReport>(links.speakers, ReportNode{}, "BGP speakers", [this](const NodeReport& all) { add_actors(all); });
    add<BgpReport>(links.speakers, ReportBgp{}, "BGP speakers",
                   [this](const BgpReport& report) { status_->bgp = report; });
    add<ClusterReport>(links.link, ReportCluster{}, "cluster link",
                       [this](const ClusterReport& report) { status_->cluster = report; });
  }
  void add_actors(const NodeReport& report) {
    auto& actors = status_->node.actors;
    actors.insert(actors.end(), report.actors.begin(), report.actors.end());
    status_->node.unlisted += report.unlisted;
  }
  void add_admin() {
    status_->node.actors.push_back(exchange_.self->state.status.report(exchange_.self->mailbox().size()));
    status_->node.actors.back().restarts = exchange_.links().restarts;
  }

  const AdminExchange exchange_;
  const std::shared_ptr<StatusContent> status_;
  std::vector<std::function<void()>> steps_;
  size_t at_ = 0;
};

// In the slow path and in the datapath.
std::vector<std::pair<std::string, uint64_t>> drops(const observability::Registry& registry) {
  std::map<std::string, uint64_t> by_reason;
  for (const auto& family : registry.collect()) {
    if (family.name != "viaduct_dropped_packets_total" && family.name != "viaduct_flow_dropped_packets_total") continue;
    for (const auto& sample : family.samples) {
      for (const auto& [label, value] : sample.labels) {
        if (label == "reason" && sample.value > 0) by_reason[value] += static_cast<uint64_t>(sample.value);
      }
    }
  }
  return {by_reason.begin(), by_reason.end()};
}

}  // namespace

void answer_status(const AdminExchange& exchange) {
  if (!exchange.links().node()) {
    return exchange.refuse({schema::ErrorCode::UNAVAILABLE, "the daemon is starting; ask again", {}}, "unavailable");
  }
  auto status = std::make_shared<StatusContent>();
  const auto& links = exchange.links();
  status->version = VIADUCT_VERSION;
  status->metrics_url = links.metrics_url;
  status->host = links.host;
  status->started = links.started;
  status->drops = drops(links.registry);
  auto rounds = std::make_shared<StatusRounds>(exchange, status);
  rounds->next();
}

}  // namespace viaduct::actors
