// Chains of rules at ports, bridges and routers (devices.md 1.5).
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

using topology::NatKind;
using topology::Rule;
using topology::RuleAction;

// A packet that goes through more is dropped: rules that were not asked might have dropped it.
constexpr int kMaxChains = 128;
constexpr size_t kMaxDepth = 25;

// What a chain says to its caller.
enum class Said : uint8_t { nothing, accept, drop, reject, verdict };

// The chains that have been entered and not left: a jump back into one of them goes nowhere.
using Calls = SmallVector<ChainId, kMaxDepth>;

class Evaluation {
 public:
  Evaluation(Walk& walk, const RuleContext& context) : walk_(walk), context_(context) {}

  Said chain(ChainId id) {
    walk_.tag(tag::device(id));
    const ChainView* view = walk_.network().chain(id);
    if (view == nullptr) {
      walk_.tag(tag::absent(id));
      return Said::nothing;
    }
    if (++walk_.chains > kMaxChains || calls_.size() == kMaxDepth) {
      walk_.drop(DropReason::too_many_chains);
      return Said::verdict;
    }
    walk_.verdict.mask.add(view->rules.reads(walk_.key));
    if (walk_.key.fragment != Fragment::none && view->rules.tells_fragments()) walk_.know_connection();
    note(*view, Stage::chain, [&] { return name_of(*view); });
    calls_.push_back(id);
    const Said said = rules(*view);
    calls_.pop_back();
    return said;
  }

 private:
  Said rules(const ChainView& view) {
    const PortId in = context_.in == nullptr ? PortId{} : context_.in->id;
    const PortId out = context_.out == nullptr ? PortId{} : context_.out->id;
    RuleIndex::Candidates candidates = view.rules.candidates(walk_.key, in, out);
    uint32_t behind = 0;
    FlowKey asked = walk_.key;
    while (const Rule* rule = candidates.next()) {
      if (rule->position <= behind || !matches(walk_, rule->condition, context_)) continue;
      behind = rule->position;
      bool left = false;
      const Said said = apply(view, *rule, left);
      if (said != Said::nothing || left) return said;
      // A translation has changed what rules are found by.
      if (walk_.key != asked) {
        asked = walk_.key;
        walk_.verdict.mask.add(view.rules.reads(walk_.key));
        candidates = view.rules.candidates(walk_.key, in, out);
      }
    }
    return Said::nothing;
  }

  // `left`: the rule has ended this chain, and the caller's next rule decides.
  Said apply(const ChainView& view, const Rule& rule, bool& left) {
    if (rule.nat != NatKind::none) {
      met(view, rule);
      const Translated translated = translate(walk_, rule, context_);
      if (translated == Translated::failed) return Said::verdict;
      walk_.rule = nullptr;
      if (translated == Translated::not_applicable) return Said::nothing;
    }
    note(view, Stage::rule, [&] {
      return "rule " + std::to_string(rule.position) + " of " + name_of(view) + ": " + text_of(rule.action);
    });
    switch (rule.action) {
      case RuleAction::accept:
        return Said::accept;
      case RuleAction::drop:
        met(view, rule);
        return Said::drop;
      case RuleAction::reject:
        met(view, rule);
        return Said::reject;
      case RuleAction::return_:
        left = true;
        return Said::nothing;
      case RuleAction::continue_:
        return Said::nothing;
      case RuleAction::jump:
        return jump(rule.jump);
    }
    return Said::nothing;
  }

  Said jump(ChainId to) {
    if (std::find(calls_.begin(), calls_.end(), to) == calls_.end()) return chain(to);
    walk_.note(DeviceKind::chain, to.uuid(), Stage::chain, [] { return std::string("a loop: not entered again"); });
    return Said::nothing;
  }

  void met(const ChainView& view, const Rule& rule) {
    walk_.rule_chain = view.id;
    walk_.rule = &rule;
  }

  static std::string name_of(const ChainView& view) { return view.name.empty() ? view.id.to_string() : view.name; }
  static std::string text_of(RuleAction action) {
    switch (action) {
      case RuleAction::accept:
        return "accept";
      case RuleAction::drop:
        return "drop";
      case RuleAction::reject:
        return "reject";
      case RuleAction::return_:
        return "return";
      case RuleAction::continue_:
        return "continue";
      case RuleAction::jump:
        return "jump";
    }
    return "unknown";
  }
  template <std::invocable F>
  void note(const ChainView& view, Stage stage, F&& text) {
    walk_.note(DeviceKind::chain, view.id.uuid(), stage, text);
  }

  Walk& walk_;
  const RuleContext& context_;
  Calls calls_;
};

}  // namespace

Filtered apply_chain(Walk& walk, ChainId chain, const RuleContext& context) {
  if (chain.is_nil()) return Filtered::accept;
  switch (Evaluation(walk, context).chain(chain)) {
    case Said::nothing:
    case Said::accept:
      return Filtered::accept;
    case Said::drop:
      walk.drop(DropReason::dropped_by_rule);
      return Filtered::drop;
    case Said::reject:
      return Filtered::reject;
    case Said::verdict:
      return Filtered::drop;
  }
  return Filtered::accept;
}

const PortView* refuse_by_rule(Walk& walk, PortDevice device) {
  if (device == PortDevice::bridge) return walk.drop(DropReason::rejected_by_rule);
  answer_unreachable(walk, Unreachable::prohibited);
  return walk.drop_once(DropReason::rejected_by_rule);
}

}  // namespace viaduct::flows::simulation
