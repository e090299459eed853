// What one host asks another when a port has moved (Replicator::ask).
#include <algorithm>

#include "flows/replication/replicator.hpp"

namespace viaduct::flows {

namespace {
constexpr size_t kRemembered = 256;  // questions of one host
}  // namespace

uint64_t Replicator::ask(HostId from, std::vector<PortId> ports, Time now) {
  const auto link = links_.find(from);
  if (ports.empty()) return 0;
  if (link == links_.end() || link->second.silent()) {
    ++counters_.not_answered;
    return 0;
  }
  const uint64_t number = next_question_++;
  questions_[number] = {from, std::move(ports), now, now + options_.ask_for};
  return number;
}

void Replicator::ask_again(Time now, Work& work) {
  for (auto question = questions_.begin(); question != questions_.end();) {
    auto& [number, what] = *question;
    if (what.until <= now) {
      ++counters_.not_answered;
      answered_.push_back(number);
      question = questions_.erase(question);
      continue;
    }
    if (what.again <= now) {
      work.frames.push_back({self_, what.from, life_, StateQuestion{number, what.ports}});
      what.again = now + options_.ask_again;
    }
    ++question;
  }
  work.handed = std::exchange(answered_, {});
}

void Replicator::hand_over(const StateQuestion& question, HostId to, uint64_t its_life, Time now) {
  Asked& asked = asked_[to];
  if (asked.life != its_life) asked = {its_life, {}};
  const auto known = asked.questions.find(question.number);
  if (known != asked.questions.end()) {
    if (known->second == 0) answers_.push_back({self_, to, life_, StateHandedOver{question.number}});
    return;
  }
  if (asked.questions.size() >= kRemembered) asked.questions.erase(asked.questions.begin());
  const ReplicationTicket ticket = kOwn | next_own_++;
  bool waits = false;
  for (const ConnectionEnds::Found& found : ends_.at(question.ports)) {
    counters_.handed_over += found.keys.size();
    waits = share({found.keys, {}, {&to, 1}, ticket, true}, now) || waits;
  }
  asked.questions[question.number] = ticket;
  handing_[ticket] = {to, question.number};
  if (!waits) handed_over(ticket);
}

void Replicator::handed_over(ReplicationTicket ticket) {
  const auto at = handing_.find(ticket);
  if (at == handing_.end()) return;
  const auto [to, number] = at->second;
  handing_.erase(at);
  const auto known = asked_[to].questions.find(number);
  if (known != asked_[to].questions.end()) known->second = 0;
  answers_.push_back({self_, to, life_, StateHandedOver{number}});
}

}  // namespace viaduct::flows
