#include "topology/transaction.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "topology/closure.hpp"
#include "topology/deletion_policy.hpp"
#include "topology/parents.hpp"

namespace viaduct::topology {
namespace {

void set_revision(Object& object, uint64_t revision) {
  std::visit([&](auto& value) { value.revision = revision; }, object);
}
void set_id(Object& object, const Uuid& id) {
  std::visit([&](auto& value) { value.id = std::remove_reference_t<decltype(value.id)>(id); }, object);
}
bool equal_but_revision(const Object& stored, Object other) {
  set_revision(other, revision_of(stored));
  return stored == other;
}

// A route that leaves its source out means any source of its destination's family; a static target, its first address.
void normalise(Object& object) {
  auto* route = std::get_if<Route>(&object);
  if (route != nullptr && route->source == IpPrefix{}) route->source = IpPrefix::any(route->destination.family());
  auto* rule = std::get_if<Rule>(&object);
  if (rule == nullptr) return;
  for (NatTarget& target : rule->targets) {
    if (target.is_static() && target.last == IpAddress{}) target.last = target.first;
  }
}

// A rule that asks for one of several ports, and has none to ask for.
bool names_no_port(const Object& object) {
  const auto* rule = std::get_if<Rule>(&object);
  const auto empty = [](const Match<std::vector<PortId>>& ports) { return ports.value && ports.value->empty(); };
  return rule != nullptr && (empty(rule->condition.in_ports) || empty(rule->condition.out_ports));
}

}  // namespace

Transaction::Transaction(const Snapshot& current, uint64_t new_revision)
    : current_(current), revision_(new_revision), next_(current), inspection_(current_, next_) {}

// --- 1. operations ---------------------------------------------------------------------------------

Uuid Transaction::stage(Operation operation) {
  if (auto* create = std::get_if<Create>(&operation)) return stage_create(std::move(create->object));
  if (auto* update = std::get_if<Update>(&operation)) return stage_update(std::move(update->object));
  return stage_erase(std::get<Erase>(operation).object);
}

bool Transaction::claim(const ObjectRef& ref) {
  if (claimed_.insert(ref).second) return true;
  inspection_.report(BrokenRule::repeated_object, ref, "", "Two operations of the transaction name it.",
                     "Make one operation of them, or two transactions.");
  return false;
}

Uuid Transaction::stage_create(Object object) {
  if (id_of(object).is_nil()) set_id(object, Uuid::random());
  const ObjectRef ref = ref_of(object);
  if (!claim(ref)) return ref.id;
  const bool other_owner = is_owner(ref.kind) && std::any_of(kOwnerKinds.begin(), kOwnerKinds.end(), [&](Kind kind) {
                             return next_.find(ObjectRef{kind, ref.id}) != nullptr;
                           });
  if (next_.find(ref) || other_owner) {
    inspection_.report(BrokenRule::duplicate_id, ref, "id", "An object with the id " + ref.id.to_string() + " exists.",
                       "Leave the id out, or update the object.");
    return ref.id;
  }
  normalise(object);
  auto* port = std::get_if<Port>(&object);
  if (port != nullptr && port->on_router() && port->mac.is_zero()) port->mac = default_mac(next_, port->id);
  const auto* rule = std::get_if<Rule>(&object);
  if (rule != nullptr && rule->position == 0) unplaced_.push_back(rule->id);
  put_by_request_.insert(ref);
  put(std::move(object), "");
  return ref.id;
}

bool Transaction::is_known(const ObjectRef& ref, std::string_view verb) {
  if (ref.kind < Kind::count_ && current_.find(ref)) return true;
  inspection_.report(BrokenRule::unknown_object, ref, "",
                     "There is no " + label_of(ref, "") + " to " + std::string(verb) + ".",
                     "Check the id; it may have been deleted meanwhile.");
  return false;
}

void Transaction::check_immutable(const Object& before, const Object& after) {
  for (const ParentField& field : parents_of(before, after)) {
    if (field.before == field.after) continue;
    inspection_.report(BrokenRule::immutable_field, ref_of(before), field.name,
                       "It keeps its " + std::string(field.name) + " for as long as it exists.",
                       "Delete it and create it with the other " + std::string(field.name) + ".");
  }
}

Uuid Transaction::stage_update(Object object) {
  const ObjectRef ref = ref_of(object);
  if (!claim(ref) || !is_known(ref, "update")) return ref.id;
  const Ref<Object> stored = current_.find(ref);
  if (revision_of(object) != 0 && revision_of(object) != revision_of(*stored)) {
    inspection_.report(BrokenRule::revision_conflict, ref, "revision",
                       "The change was made for revision " + std::to_string(revision_of(object)) +
                           ", the object is at " + std::to_string(revision_of(*stored)) + ".",
                       "Read the object again and repeat the change.");
    return ref.id;
  }
  normalise(object);
  auto* rule = std::get_if<Rule>(&object);
  if (rule != nullptr && rule->position == 0) rule->position = std::get<Rule>(*stored).position;
  put_by_request_.insert(ref);
  if (equal_but_revision(*stored, object)) return ref.id;
  check_immutable(*stored, object);
  put(std::move(object), "");
  return ref.id;
}

Uuid Transaction::stage_erase(const ObjectRef& ref) {
  if (!claim(ref) || !is_known(ref, "delete")) return ref.id;
  doomed_refs_.insert(ref);
  doomed_.push_back({ref, ""});
  return ref.id;
}

void Transaction::put(Object object, std::string cause) {
  set_revision(object, revision_);
  const ObjectRef ref = ref_of(object);
  if (causes_.try_emplace(ref, std::move(cause)).second) order_.push_back(ref);
  next_.put(std::make_shared<const Object>(std::move(object)));
}

// --- 2. links --------------------------------------------------------------------------------------

bool Transaction::peer_changed(PortId id) const {
  const Port* before = current_.find(id);
  const Port* after = next_.find(id);
  const PortId old_peer = before != nullptr ? before->peer : PortId{};
  return after != nullptr && after->peer != old_peer;
}

void Transaction::unlink(const Port& port) {
  const Port* before = current_.find(port.id);
  const Port* old_peer = before != nullptr ? next_.find(before->peer) : nullptr;
  if (old_peer == nullptr || old_peer->peer != port.id || old_peer->id == port.peer) return;
  Port changed = *old_peer;
  changed.peer = {};
  put(std::move(changed), "unlinked from " + label_of(Object(port)));
}

void Transaction::link(const Port& port) {
  const Port* peer = next_.find(port.peer);
  if (peer == nullptr || peer->id == port.id || !peer->peer.is_nil()) return;  // the rules say what is wrong
  Port changed = *peer;
  changed.peer = port.id;
  put(std::move(changed), "linked with " + label_of(Object(port)));
}

void Transaction::mirror_links() {
  std::vector<PortId> changed;
  for (const ObjectRef& ref : put_by_request_) {
    if (ref.kind == Kind::port && peer_changed(PortId(ref.id))) changed.emplace_back(ref.id);
  }
  // All old links first: a port that is freed here may be linked here. Copies, since put replaces what they point to.
  for (const PortId& id : changed) unlink(Port(*next_.find(id)));
  for (const PortId& id : changed) {
    const Port port = *next_.find(id);
    if (port.is_interior()) link(port);
  }
}

// --- 3. deletions ----------------------------------------------------------------------------------

void Transaction::visit_referrers(const Doomed& doomed) {
  const std::string label = label_of(*next_.find(doomed.ref));
  for (int i = 0; i < static_cast<int>(Reference::count_); ++i) {
    const auto reference = static_cast<Reference>(i);
    if (info_of(reference).to != doomed.ref.kind) continue;
    Refusal refusal{doomed.ref, reference, {}};
    next_.for_each_referrer(reference, doomed.ref.id, [&](const Object& object) {
      const ObjectRef referrer = ref_of(object);
      switch (policy_of(reference)) {
        case OnDelete::cascade:
          if (put_by_request_.contains(referrer)) return;  // then it dangles, and the rules say so
          if (doomed_refs_.insert(referrer).second) doomed_.push_back({referrer, "cascade from " + label});
          return;
        case OnDelete::clear:
          clearings_.push_back({referrer, reference, doomed.ref.id, label + " deleted"});
          return;
        case OnDelete::refuse:
          refusal.referrers.push_back(referrer);
          return;
      }
    });
    if (!refusal.referrers.empty()) refusals_.push_back(std::move(refusal));
  }
}

void Transaction::refuse(const Refusal& refusal) {
  constexpr size_t kNamed = 3;
  std::vector<ObjectRef> remaining;
  std::copy_if(refusal.referrers.begin(), refusal.referrers.end(), std::back_inserter(remaining),
               [&](const ObjectRef& ref) { return !doomed_refs_.contains(ref); });
  if (remaining.empty()) return;
  std::string names;
  for (size_t i = 0; i < std::min(kNamed, remaining.size()); ++i) {
    names += (i == 0 ? "" : ", ") + inspection_.label(remaining[i]);
  }
  if (remaining.size() > kNamed) names += " and " + std::to_string(remaining.size() - kNamed) + " more";
  const std::string field(info_of(refusal.reference).field);
  inspection_.report(BrokenRule::still_referenced, refusal.target, "", "It is named as " + field + " by " + names + ".",
                     refusal.reference == Reference::port_host ? "Unbind these ports first." : "Change these first.");
}

void Transaction::delete_all() {
  for (size_t i = 0; i < doomed_.size(); ++i) visit_referrers(Doomed(doomed_[i]));  // the queue grows meanwhile
  for (const Refusal& refusal : refusals_) refuse(refusal);
  for (const Clearing& clearing : clearings_) {
    if (doomed_refs_.contains(clearing.referrer)) continue;
    Object object = *next_.find(clearing.referrer);
    clear_reference(object, clearing.reference, clearing.target);
    if (names_no_port(object) && !put_by_request_.contains(clearing.referrer)) {
      doomed_refs_.insert(clearing.referrer);
      doomed_.push_back({clearing.referrer, clearing.cause});
      continue;
    }
    put(std::move(object), clearing.cause);
  }
  for (Doomed& doomed : doomed_) {
    if (causes_.try_emplace(doomed.ref, std::move(doomed.cause)).second) order_.push_back(doomed.ref);
    next_.erase(doomed.ref);
  }
}

// --- 4. positions ----------------------------------------------------------------------------------

uint32_t Transaction::last_position(ChainId chain) const {
  uint32_t last = 0;
  next_.for_each_rule_of(chain, [&](const Rule& rule) { last = std::max(last, rule.position); });
  return last;
}

void Transaction::place_rules() {
  constexpr uint32_t kStep = 10;  // room for rules in between
  std::map<ChainId, uint32_t> last;
  for (const RuleId& id : unplaced_) {
    Rule rule = *next_.find(id);
    auto at = last.find(rule.chain);
    if (at == last.end()) at = last.emplace(rule.chain, last_position(rule.chain)).first;
    if (at->second > std::numeric_limits<uint32_t>::max() - kStep) continue;  // the rules say that there is no room
    rule.position = at->second += kStep;
    put(std::move(rule), "");
  }
}

// --- 5. rules and result -----------------------------------------------------------------------------

// The router that a port or a route belonged to may have lost the last thing of a family, and with it who reaches its VIPs.
void Transaction::inspect_vips(const ObjectRef& ref) {
  const Ref<Object> before = current_.find(ref);
  if (!before || (ref.kind != Kind::port && ref.kind != Kind::route)) return;
  const auto* route = std::get_if<Route>(before.get());
  const Router* router = next_.find(route != nullptr ? route->router : std::get<Port>(*before).router);
  if (router == nullptr || router->load_balancer.is_nil()) return;
  for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    const IndexKey key = IndexKey::router_family_of(router->id, family);
    if (next_.count_at(key) != 0 || current_.count_at(key) == 0) continue;
    return rules::check_vips_of(router->load_balancer, inspection_);
  }
}

void Transaction::inspect_dependents(const ObjectRef& ref, std::set<RouterId>& routers) {
  if (ref.kind != Kind::port) return;
  const Port* after = next_.find(PortId(ref.id));
  const Port* before = current_.find(PortId(ref.id));
  if (after == nullptr || !after->on_router() || (before != nullptr && before->addresses == after->addresses)) return;
  routers.insert(after->router);
  next_.for_each_route_through(after->id, [&](const Route& route) {
    if (!causes_.contains(ref_of(route))) rules::check(route, inspection_);
  });
}

// The routers on whose links BGP peers may not be any more.
void Transaction::note_links(const ObjectRef& ref, std::set<RouterId>& routers) const {
  if (ref.kind != Kind::port) return;
  const Port* before = current_.find(PortId(ref.id));
  const Port* after = next_.find(PortId(ref.id));
  const bool same = before != nullptr && after != nullptr && before->addresses == after->addresses &&
                    before->is_interior() == after->is_interior();
  for (const Port* port : {before, after}) {
    if (!same && port != nullptr && port->on_router()) routers.insert(port->router);
  }
}

void Transaction::inspect() {
  std::set<RouterId> routers;  // with new addresses
  std::set<RouterId> links;    // with other addresses or links
  for (const ObjectRef& ref : order_) {
    inspect_vips(ref);
    note_links(ref, links);
    const Ref<Object> object = next_.find(ref);
    if (!object) continue;
    std::visit([&](const auto& value) { rules::check(value, inspection_); }, *object);
    inspect_dependents(ref, routers);
  }
  // An update that changes nothing still says that its references exist.
  for (const ObjectRef& ref : put_by_request_) {
    if (causes_.contains(ref)) continue;
    std::visit([&](const auto& value) { rules::check(value, inspection_); }, *next_.find(ref));
  }
  for (const RouterId& router : routers) rules::check_subnets_of(router, inspection_);
  for (const RouterId& router : links) rules::check_peers_of(router, inspection_);
}

BuildResult Transaction::finish() {
  BuildResult result;
  result.violations = inspection_.take();
  result.next = current_;
  if (!result.violations.empty()) return result;
  result.next = std::move(next_);
  result.next.set_revision(revision_);
  result.delta.from_revision = current_.revision();
  result.delta.to_revision = revision_;
  std::stable_partition(order_.begin(), order_.end(), [&](const ObjectRef& ref) { return causes_.at(ref).empty(); });
  for (const ObjectRef& ref : order_) {
    const Ref<Object> before = current_.find(ref);
    const Ref<Object> after = result.next.find(ref);
    const Action action = !before ? Action::created : !after ? Action::deleted : Action::updated;
    result.changes.push_back({action, ref, name_of(after ? *after : *before), causes_.at(ref)});
    result.delta.changes.emplace(ref, ObjectChange{before, after});
  }
  return result;
}

}  // namespace viaduct::topology
