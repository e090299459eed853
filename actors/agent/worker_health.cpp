// Answers to health checks, as packet workers meet them: from a member's port, or from another host by a tunnel.
#include "actors/agent/packet_worker.hpp"

namespace viaduct::actors {

// Only hosts that this one knows may say what members have answered.
void PacketWorker::hear_check(const flows::Upcall& upcall) {
  auto answer = flows::health::decode_answer(upcall.frame);
  const bool known = network_.get().peer_at(upcall.tunnel.src) != nullptr;
  if (!known || std::holds_alternative<flows::health::AnswerError>(answer)) return state_.health_answers.refuse();
  state_.health_answers.post(std::get<flows::health::Answer>(std::move(answer)));
}

void PacketWorker::tell_checkers() {
  for (const flows::TunnelOutput& to : verdict_.check_answer->others) {
    frames_.push_back(flows::health::encode(verdict_.check_answer->answer));
    flows::ActionList actions;
    actions.push_back(to);
    outgoing_.push_back({frames_.back(), {}, {}, actions});
  }
  if (verdict_.check_answer->here) state_.health_answers.post(std::move(verdict_.check_answer->answer));
}

}  // namespace viaduct::actors
