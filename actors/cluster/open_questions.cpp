#include "actors/cluster/open_questions.hpp"

#include <algorithm>

namespace viaduct::actors {

std::optional<OpenQuestions::Refusal> OpenQuestions::ask(uint64_t number, const std::string& asker, Time now) {
  std::erase_if(questions_,
                [&](const auto& each) { return each.second.late && now - each.second.deadline >= limits_.late; });
  if (questions_.size() >= limits_.open) return Refusal::host_busy;
  const auto of_asker =
      std::count_if(questions_.begin(), questions_.end(), [&](const auto& each) { return each.second.asker == asker; });
  if (static_cast<size_t>(of_asker) >= limits_.of_one_asker) return Refusal::asker_busy;
  if (!questions_.try_emplace(number, Entry{asker, now + limits_.patience}).second) return Refusal::number_used;
  return std::nullopt;
}

OpenQuestions::Fit OpenQuestions::answer(uint64_t number) {
  const auto node = questions_.extract(number);
  if (node.empty()) return Fit::unasked;
  return node.mapped().late ? Fit::late : Fit::open;
}

std::vector<uint64_t> OpenQuestions::expire(Time now) {
  std::vector<uint64_t> out;
  for (auto& [number, entry] : questions_) {
    if (entry.late || now < entry.deadline) continue;
    entry.late = true;
    out.push_back(number);
  }
  return out;
}

std::string_view to_string(OpenQuestions::Refusal refusal) {
  switch (refusal) {
    case OpenQuestions::Refusal::host_busy:
      return "host_busy";
    case OpenQuestions::Refusal::asker_busy:
      return "asker_busy";
    case OpenQuestions::Refusal::number_used:
      return "number_used";
  }
  return "unknown";
}

}  // namespace viaduct::actors
