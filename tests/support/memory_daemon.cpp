#include "tests/support/memory_daemon.hpp"

#include <capnp/message.h>

#include "topology/builder.hpp"
#include "topology/codec.hpp"

namespace viaduct::support {
namespace {

bool names(const topology::Object& object, const Uuid& target) {
  bool found = false;
  topology::for_each_reference(object, [&](topology::Reference, const Uuid& named) { found |= named == target; });
  return found;
}

}  // namespace

void answer_list(schema::ListObjects::Reader request, const topology::Snapshot& snapshot, bool naming,
                 schema::ObjectList::Builder reply) {
  const std::string name = request.getName().cStr();
  const Uuid named = naming ? topology::decode(request.getNaming()) : Uuid{};
  std::vector<topology::Object> objects;
  for (uint8_t i = 0; i < static_cast<uint8_t>(topology::Kind::count_); ++i) {
    const auto kind = static_cast<topology::Kind>(i);
    bool wanted = request.getKinds().size() == 0;
    for (auto asked : request.getKinds()) wanted = wanted || asked == topology::encode(kind);
    if (!wanted) continue;
    snapshot.for_each(kind, [&](const topology::Object& object) {
      if (!named.is_nil() && !names(object, named)) return;
      if (name.empty() || topology::name_of(object) == name || topology::id_of(object).to_string() == name) {
        objects.push_back(object);
      }
    });
  }
  reply.setRevision(snapshot.revision());
  auto list = reply.initObjects(static_cast<unsigned>(objects.size()));
  for (unsigned i = 0; i < list.size(); ++i) topology::encode(objects[i], list[i]);
}

bool answer_transact(schema::Transact::Reader request, topology::Snapshot& snapshot,
                     schema::AdminReply::Builder reply) {
  auto operations = topology::decode_operations(request);
  if (!operations) return false;
  auto built = topology::build(snapshot, *operations, snapshot.revision() + 1);
  if (!built.ok()) {
    topology::encode_refused(built.violations, reply.initError());
    return true;
  }
  auto committed = reply.initCommitted();
  topology::encode_committed(built, request.getDryRun() ? 0 : built.next.revision(), committed);
  if (request.getDryRun()) return true;
  snapshot = built.next;
  committed.setApplied(request.getWaitApplied());
  return true;
}

void answer_facts(schema::ListFacts::Reader request, const std::vector<topology::StateEntry>& facts,
                  schema::FactList::Builder reply) {
  const Uuid device = topology::decode(request.getDevice());
  std::vector<const topology::StateEntry*> wanted;
  for (const auto& entry : facts) {
    const std::string key = topology::state_key(entry);
    bool asked = request.getTables().size() == 0;
    for (auto table : request.getTables()) asked = asked || topology::state_table(key) == table.cStr();
    if (asked && (device.is_nil() || entry.device == device)) wanted.push_back(&entry);
  }
  reply.setTotal(wanted.size());
  auto list = reply.initEntries(static_cast<unsigned>(wanted.size()));
  for (unsigned i = 0; i < list.size(); ++i) topology::encode(*wanted[i], list[i]);
}

class MemoryDaemon::Inside final : public api::Transport {
 public:
  explicit Inside(MemoryDaemon& daemon) : daemon_(daemon) {}

  api::Result<schema::Frame> exchange(const schema::Frame& frame, api::Deadline) override {
    capnp::MallocMessageBuilder message;
    auto reply = message.initRoot<schema::AdminReply>();
    auto read = schema::with_root<schema::AdminRequest>(frame, {}, [&](schema::AdminRequest::Reader request) {
      reply.setId(request.getId());
      if (request.isList()) {
        answer_list(request.getList(), daemon_.snapshot_, true, reply.initObjects());
      } else if (request.isFacts()) {
        answer_facts(request.getFacts(), daemon_.facts_, reply.initFacts());
      } else if (request.isStatus()) {
        reply.initStatus();
      } else if (!request.isTransact()) {
        reply.initError().setCode(schema::ErrorCode::UNAVAILABLE);
      } else if (!answer_transact(request.getTransact(), daemon_.snapshot_, reply)) {
        auto error = reply.initError();
        error.setCode(schema::ErrorCode::INVALID);
        error.setMessage("the operations cannot be decoded");
      }
    });
    if (read) return schema::Frame::of(message);
    return api::Failure{api::ExitCode::refused, "malformed", read.failure().text, {}, {}};
  }

 private:
  MemoryDaemon& daemon_;
};

std::unique_ptr<api::Transport> MemoryDaemon::transport() { return std::make_unique<Inside>(*this); }

std::unique_ptr<api::Client> MemoryDaemon::connect() {
  return std::make_unique<api::Client>(transport(), api::Credential{}, std::chrono::seconds(10));
}

bool MemoryDaemon::commit(const topology::Object& object) {
  const bool exists = snapshot_.find(topology::ref_of(object)) != nullptr;
  const topology::Operation operation =
      exists ? topology::Operation(topology::Update{object}) : topology::Operation(topology::Create{object});
  auto built = topology::build(snapshot_, {operation}, snapshot_.revision() + 1);
  if (built.ok()) snapshot_ = built.next;
  return built.ok();
}

}  // namespace viaduct::support
