#include "actors/cluster/host_states.hpp"

#include <functional>

#include "topology/codec.hpp"

namespace viaduct::actors {

namespace store = topology::store;
using topology::HostSession;
using topology::StateEntry;
using topology::StatePtr;
using topology::StateWrite;
using topology::StateWritten;

namespace {

// One transaction. etcd refuses more than 128 operations by default, and each has a compare, beside the session's.
constexpr size_t kOpsPerTransaction = 127;
// And more than 1.5 MB: with keys, each of which is compared, written, and read when a compare fails, this leaves a third for
// what gRPC and the namespace add.
constexpr size_t kBytesPerTransaction = size_t{1} << 20;
constexpr size_t kKeysPerOp = 3;

// Which device a fact concerns; nothing when it is not this host's to tell.
struct DeviceOf {
  const topology::Snapshot& topology;
  HostId host;
  const std::function<bool(const Uuid&)>& needs;  // whether the host does

  std::optional<Uuid> operator()(const topology::PortActive& it) const {
    const topology::Port* port = topology.find(it.port);
    if (port == nullptr || !port->is_exterior() || port->host != host) return std::nullopt;
    return port->device();
  }
  std::optional<Uuid> operator()(const topology::FloodKey& it) const {
    if (topology.find(it.bridge) == nullptr) return std::nullopt;
    return it.bridge.uuid();
  }
  std::optional<Uuid> operator()(const topology::MacClaim& it) const {
    const topology::Port* port = topology.find(it.port);
    if (port == nullptr || port->bridge != it.bridge || (port->is_exterior() && port->host != host)) {
      return std::nullopt;
    }
    return it.bridge.uuid();
  }
  std::optional<Uuid> operator()(const topology::NeighbourClaim& it) const {
    if (topology.find(BridgeId(it.device)) != nullptr) return it.device;
    const topology::Port* port = topology.find(it.port);
    if (port == nullptr || port->device() != it.device || (port->is_exterior() && port->host != host)) {
      return std::nullopt;
    }
    return it.device;
  }
  std::optional<Uuid> operator()(const topology::NatBlockClaim& it) const {
    const bool translates =
        topology.find(RouterId(it.device)) != nullptr || topology.find(BridgeId(it.device)) != nullptr;
    if (!translates || !needs(it.device)) return std::nullopt;
    return it.device;
  }
  std::optional<Uuid> operator()(const topology::HealthReport& it) const {
    if (topology.find(it.pool) == nullptr || !needs(it.pool.uuid())) return std::nullopt;
    return it.pool.uuid();
  }
  std::optional<Uuid> operator()(const topology::LearnedRoutes& it) const { return router_of(it.port); }
  std::optional<Uuid> operator()(const topology::GatewayLost& it) const { return router_of(it.port); }
  std::optional<Uuid> operator()(const topology::HostInterface&) const { return host.uuid(); }
  std::optional<Uuid> operator()(const HostSession&) const { return std::nullopt; }
  std::optional<Uuid> router_of(PortId id) const {
    const topology::Port* port = topology.find(id);
    if (port == nullptr || !port->on_router() || !port->is_exterior() || port->host != host) return std::nullopt;
    return port->device();
  }
};

uint64_t unix_nanoseconds(WallTime time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

// Ports that another host gives out, and pools that it checks, are that host's until its lease ends.
bool is_first_come(const StateWrite::Put& put) {
  return put.mode == StateWrite::Mode::restore || std::holds_alternative<topology::NatBlockClaim>(put.entry.fact) ||
         std::holds_alternative<topology::HealthReport>(put.entry.fact);
}

std::string value_of(const StateEntry& entry) { return store::to_value(topology::encode_state(entry).bytes); }

}  // namespace

// What a write comes to: operations, each with what must be true of its key.
struct HostStates::Plan {
  struct Op {
    std::string key;
    uint64_t known = 0;  // the key's revision; 0: absent
    std::optional<StateEntry> put;
  };
  std::vector<Op> ops;
  std::vector<std::string> lost;
  Keys named;  // what was put, and is not lost
};

void HostStates::follow(const StatesChanged& changed) {
  topology_ = changed.snapshot;
  if (changed.whole) {
    topology::StateIndex newer;  // what this node has written since that was said
    states_.for_each([&](const std::string&, const StatePtr& entry) {
      if (entry->revision > topology_->revision()) newer.put(*entry);
    });
    states_ = std::move(newer);
  }
  for (const auto& change : changed.changes) {
    if (change.after != nullptr) {
      // Of its own writes this node knows already, and may know newer ones.
      StatePtr known = states_.find(topology::state_key(*change.after));
      if (known == nullptr || known->revision < change.after->revision) states_.put(*change.after);
    } else {
      const std::string key = topology::state_key(*change.before);
      StatePtr known = states_.find(key);
      if (known == nullptr || known->revision > change.before->revision) continue;
      if (std::holds_alternative<HostSession>(known->fact)) telling_.erase(known->host);
      states_.erase(key);
    }
  }
}

const HostSession* HostStates::session_of(HostId host) const {
  StatePtr entry = states_.find(topology::session_key(host));
  return entry == nullptr ? nullptr : std::get_if<HostSession>(&entry->fact);
}

SessionBegun HostStates::begin(const BeginSession& request, WallTime now) {
  const std::string key = topology::session_key(request.host);
  const HostSession* old = session_of(request.host);
  if (old != nullptr && old->instance != request.instance) {
    return refuse("the id " + request.host.to_string() + " is in use by the agent of " + old->name + " (" +
                  old->instance + "); if this is a copy of that host, remove its host-id file. The id is free " +
                  std::to_string(lease_.count()) + " s after that agent was last heard");
  }
  HostSession session{request.name, request.instance, node_, unix_nanoseconds(now), 0};
  if (old != nullptr) {
    auto kept = store_.keep_alive(store::LeaseId(old->lease));
    if (kept) session.lease = old->lease;
    // Its entries may hang on that lease yet: with another one they would vanish under the host's feet.
    if (!kept && kept.error().code != store::ErrorCode::lease_not_found) {
      return refuse("the database does not say whether the lease lives: " + kept.error().text);
    }
  }
  bool fresh = session.lease == 0;
  if (fresh) {
    auto granted = store_.grant(lease_);
    if (!granted) return refuse("the database grants no lease: " + granted.error().text);
    session.lease = static_cast<uint64_t>(*granted);
  }
  StatePtr known = states_.find(key);
  StateEntry entry{request.host, {}, 0, session};
  store::Transaction transaction;
  transaction.compares.push_back(store::Compare::unchanged(key, known == nullptr ? 0 : known->revision));
  transaction.puts.push_back({key, value_of(entry), store::LeaseId(session.lease)});
  auto committed = store_.commit(transaction);
  if (!committed) return refuse("the session cannot be written: " + committed.error().text);
  entry.revision = *committed;
  states_.put(entry);
  return {"", fresh, *committed, lease_};
}

SessionKept HostStates::keep(HostId host, uint64_t epoch) {
  StatePtr entry = states_.find(topology::session_key(host));
  if (entry == nullptr || entry->revision != epoch) return {true};
  auto kept = store_.keep_alive(store::LeaseId(std::get<HostSession>(entry->fact).lease));
  return {!kept && kept.error().code == store::ErrorCode::lease_not_found};
}

StateWritten HostStates::write(const WriteStates& request) {
  StateWritten out;
  StatePtr session = states_.find(topology::session_key(request.host));
  if (session == nullptr || session->revision != request.epoch) {
    out.ended = true;
    return out;
  }
  const StateWrite& write = *request.write;
  Keys* told = told_before(request);
  if (write.ends && told == nullptr) {
    out.again = true;
    return out;
  }
  Plan plan;
  for (const auto& put : write.puts) plan_put(request.host, put, plan);
  if (told != nullptr) {
    for (const auto& key : write.deletes) told->erase(key);
    told->insert(plan.named.begin(), plan.named.end());
  }
  if (write.complete || write.ends) {  // its deletes are among the rest
    plan_rest(request.host, write.ends ? *told : plan.named, plan);
  } else {
    for (const auto& key : write.deletes) plan_delete(request.host, key, plan);
  }
  for (size_t next = 0; next < plan.ops.size();) {
    auto done = commit(request, plan, next, out);
    if (!done) return out;
    next = *done;
  }
  if (write.complete || write.ends) telling_.erase(request.host);
  out.lost = std::move(plan.lost);
  return out;
}

HostStates::Keys* HostStates::told_before(const WriteStates& request) {
  if (request.write->begins) telling_[request.host] = {request.epoch};
  const auto at = telling_.find(request.host);
  return at == telling_.end() || at->second.epoch != request.epoch ? nullptr : &at->second.put;
}

bool HostStates::needs(HostId host, const Uuid& device) {
  if (!interest_) {
    interest_.emplace(*topology_);
  } else if (asked_ != topology_) {
    interest_->follow(*topology_, topology::Delta::between(*asked_, *topology_));
  }
  asked_ = topology_;
  const bool needed = interest_->needs(host, device);
  if (!needed) ++unneeded_;
  return needed;
}

void HostStates::plan_put(HostId host, const StateWrite::Put& put, Plan& plan) {
  StateEntry entry = put.entry;
  entry.host = host;
  std::string key = topology::state_key(entry);
  const std::function<bool(const Uuid&)> host_needs = [&](const Uuid& needed) { return needs(host, needed); };
  auto device = std::visit(DeviceOf{*topology_, host, host_needs}, entry.fact);
  StatePtr known = states_.find(key);
  bool of_another = known != nullptr && known->host != host;
  if (!device || (of_another && is_first_come(put))) return plan.lost.push_back(std::move(key));
  entry.device = *device;
  plan.named.insert(key);
  if (known != nullptr && !of_another && known->fact == entry.fact && known->device == entry.device) return;
  plan.ops.push_back({std::move(key), known == nullptr ? 0 : known->revision, std::move(entry)});
}

void HostStates::plan_delete(HostId host, const std::string& key, Plan& plan) const {
  StatePtr known = states_.find(key);
  if (known == nullptr || known->host != host || std::holds_alternative<HostSession>(known->fact)) return;
  plan.ops.push_back({key, known->revision, std::nullopt});
}

// What the host has said before and does not say any more.
void HostStates::plan_rest(HostId host, const Keys& named, Plan& plan) const {
  states_.for_each_of_host(host, [&](const std::string& key, const StatePtr&) {
    if (!named.contains(key)) plan_delete(host, key, plan);
  });
}

std::optional<size_t> HostStates::commit(const WriteStates& request, Plan& plan, size_t from, StateWritten& out) {
  const HostSession* session = session_of(request.host);
  const std::string session_key = topology::session_key(request.host);
  store::Transaction transaction;
  transaction.compares.push_back(store::Compare::unchanged(session_key, request.epoch));
  size_t end = from;
  for (size_t bytes = 0; end < plan.ops.size() && end - from < kOpsPerTransaction; ++end) {
    const Plan::Op& op = plan.ops[end];
    std::string value = op.put ? value_of(*op.put) : std::string();
    bytes += value.size() + kKeysPerOp * op.key.size();
    if (end > from && bytes > kBytesPerTransaction) break;
    transaction.compares.push_back(store::Compare::unchanged(op.key, op.known));
    if (op.put) {
      transaction.puts.push_back({op.key, std::move(value), store::LeaseId(session->lease)});
    } else {
      transaction.deletes.push_back(op.key);
    }
  }
  auto committed = store_.commit(transaction);
  if (!committed) {
    const auto& error = committed.error();
    out.ended = error.code == store::ErrorCode::lease_not_found ||
                (error.code == store::ErrorCode::conflict && error.key == session_key);
    if (!out.ended) out.error = error.text;
    return std::nullopt;
  }
  for (size_t i = from; i < end; ++i) {
    Plan::Op& op = plan.ops[i];
    if (op.put) {
      op.put->revision = *committed;
      states_.put(std::move(*op.put));
    } else {
      states_.erase(op.key);
    }
  }
  return end;
}

}  // namespace viaduct::actors
