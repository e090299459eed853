// viaduct why: what the parts of the agent know of it.
#include "actors/admin/exchange.hpp"
#include "actors/admin/why_run.hpp"

namespace viaduct::actors {
namespace {

// Asks the parts of the agent one after the other. One that does not answer is noted, and the answer goes without it: whoever
// asks why nothing arrives may ask a daemon that is in trouble.
class WhyRounds : public std::enable_shared_from_this<WhyRounds> {
 public:
  WhyRounds(const AdminExchange& exchange, const WhyRequest& request) : exchange_(exchange), request_(request) {
    const AdminLinks& links = exchange.links();
    facts_.host = links.host;
    add<DropReport>(links.flows, ReadDrops{request.port}, "flow controller", facts_.drops);
    add<DatapathReport>(links.datapath, ReportDatapath{}, "datapath", facts_.datapath);
    add<TunnelReport>(links.tunnels, ReportTunnels{}, "tunnel manager", facts_.tunnels);
    add<NatReport>(links.nat, ReportNat{}, "NAT leaser", facts_.nat);
    add<BgpReport>(links.speakers, ReportBgp{}, "BGP speakers", facts_.bgp);
    if (links.store) add<AgentsReport>(links.store, ReadAgents{}, "topology store", facts_.agents);
  }
  void next() {
    if (at_ < steps_.size()) return steps_[at_++]();
    exchange_.with_snapshot([me = shared_from_this()](const SnapshotPtr& snapshot) { me->conclude(*snapshot); });
  }

 private:
  static constexpr std::chrono::milliseconds kPatience{150};  // with one part; all of it is to be below a second

  template <class Answer, class Part, class Question>
  void add(const Part& part, const Question& question, std::string_view name, Answer& to) {
    steps_.push_back([this, part, question, name, &to] {
      exchange_.self->request(part, kPatience, question)
          .then(
              [me = shared_from_this(), &to](const Answer& answer) {
                to = answer;
                me->next();
              },
              [me = shared_from_this(), name](const caf::error&) {
                me->silent_.push_back("the daemon's " + std::string(name) +
                                      " did not answer: what it knows is missing");
                me->next();
              });
    });
  }
  void conclude(const topology::Snapshot& snapshot) {
    facts_.now = std::chrono::steady_clock::now();
    WhyResult result = run_why(request_, snapshot, exchange_.links().state, facts_);
    if (!result.error.empty()) return exchange_.refuse({schema::ErrorCode::NOT_FOUND, result.error, {}});
    result.notes.insert(result.notes.end(), silent_.begin(), silent_.end());
    exchange_.answer(why_reply(exchange_.id, result, snapshot));
  }

  const AdminExchange exchange_;
  const WhyRequest request_;
  WhyFacts facts_;
  std::vector<std::string> silent_;
  std::vector<std::function<void()>> steps_;
  size_t at_ = 0;
};

// This daemon drops nothing: who does, knows why.
void name_who_knows(const AdminExchange& exchange, PortId id) {
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    const topology::Port* port = snapshot->find(id);
    if (port == nullptr) {
      return exchange.refuse({schema::ErrorCode::NOT_FOUND, "no port " + id.to_string() + " exists", {}});
    }
    const std::string where = port->host.is_nil()
                                  ? "the host of a machine that sends to it"
                                  : "host " + name_or_id(*snapshot, {topology::Kind::host, port->host.uuid()});
    exchange.refuse(
        {schema::ErrorCode::UNAVAILABLE,
         "this host has no agent role, and therefore remembers no drops: ask " + where + " (viaduct --address)",
         {}},
        "unavailable");
  });
}

}  // namespace

void answer_why(const AdminExchange& exchange, const WhyRequest& request) {
  if (!exchange.links().flows) return name_who_knows(exchange, request.port);
  std::make_shared<WhyRounds>(exchange, request)->next();
}

}  // namespace viaduct::actors
