#include "api/client/client.hpp"

#include <algorithm>
#include <optional>

#include "api/client/reply_json.hpp"
#include "api/client/token.hpp"

namespace viaduct::api {
namespace {

// What the daemon may take beyond a wait that it was asked for, so that its own time-out arrives.
constexpr std::chrono::milliseconds kGrace{2000};

ExitCode exit_of(schema::ErrorCode code) {
  switch (code) {
    case schema::ErrorCode::TIMEOUT:
      return ExitCode::timeout;
    case schema::ErrorCode::UNAUTHORIZED:
    case schema::ErrorCode::UNAVAILABLE:
      return ExitCode::unreachable;
    default:
      return ExitCode::refused;
  }
}

// Of a part that is missing the daemon knows why, and mostly what helps: another host, its log. Only of one that comes back
// by itself is it not said.
bool says_what_helps(std::string_view message) {
  return message.find(": ask ") != message.npos || message.find("; ask ") != message.npos ||
         message.find("`viaduct ") != message.npos;
}

std::string cure_of(schema::ErrorCode code, std::string_view message, const Credential& credential) {
  switch (code) {
    case schema::ErrorCode::UNAUTHORIZED:
      return "the token in " + credential.origin +
             " is not this daemon's: name its file with --token-file, or another daemon with --daemon";
    case schema::ErrorCode::VERSION:
      return "use the viaduct tool of the daemon's version; this one speaks protocol " +
             std::to_string(schema::PROTOCOL_MAJOR);
    case schema::ErrorCode::CONFLICT:
      return "somebody else changed it meanwhile: look at it again and repeat";
    case schema::ErrorCode::UNAVAILABLE:
      if (says_what_helps(message)) return {};
      return "try again in a moment; viaduct status shows which part is missing";
    case schema::ErrorCode::TIMEOUT:
      return "viaduct status shows how far it is; viaduct wait waits on";
    case schema::ErrorCode::INTERNAL:
      return "this is a bug of the daemon: its log (journalctl -u viaductd) says more";
    default:
      return {};
  }
}

Violation violation_of(schema::Violation::Reader reader) {
  Violation out;
  out.rule = reader.getRule().cStr();
  out.kind = reply_json(capnp::DynamicEnum(reader.getObject().getKind())).get<std::string>();
  Uuid id = uuid_of(reader.getObject().getId());
  out.id = id.is_nil() ? std::string() : id.to_string();
  out.name = reader.getName().cStr();
  out.field = reader.getField().cStr();
  out.message = reader.getMessage().cStr();
  out.cure = reader.getCure().cStr();
  for (auto mention : reader.getMentions()) {
    out.mentions.push_back({reply_json(capnp::DynamicEnum(mention.getObject().getKind())).get<std::string>(),
                            uuid_of(mention.getObject().getId()).to_string(), mention.getLabel().cStr()});
  }
  return out;
}

Failure failure_of(schema::AdminError::Reader error, const Credential& credential) {
  Failure failure;
  failure.exit = exit_of(error.getCode());
  failure.code = reply_json(capnp::DynamicEnum(error.getCode())).get<std::string>();
  failure.message = error.getMessage().cStr();
  failure.cure = cure_of(error.getCode(), failure.message, credential);
  for (auto violation : error.getViolations()) failure.violations.push_back(violation_of(violation));
  if (failure.message.empty()) failure.message = "the daemon refused the request (" + failure.code + ")";
  return failure;
}

Failure protocol_failure(std::string what) {
  return {ExitCode::unreachable,
          "protocol",
          "the daemon's answer makes no sense: " + std::move(what),
          "tool and daemon may be of different versions (viaduct version)",
          {}};
}

void fill_operation(const Operation& operation, schema::Operation::Builder builder) {
  switch (operation.action) {
    case Operation::Action::create:
      return operation.record.write(builder.initCreate());
    case Operation::Action::update:
      return operation.record.write(builder.initUpdate());
    case Operation::Action::remove: {
      auto ref = builder.initDelete();
      ref.setKind(operation.record.kind());
      set_uuid(ref.initId(), operation.record.id());
      return;
    }
  }
}

}  // namespace

void fill_operations(const std::vector<Operation>& operations, schema::Transact::Builder transact) {
  auto list = transact.initOperations(static_cast<unsigned>(operations.size()));
  for (unsigned i = 0; i < list.size(); ++i) fill_operation(operations[i], list[i]);
}

Result<std::unique_ptr<Client>> Client::open(const ClientOptions& options) {
  auto token = read_token(options.token_file);
  if (!token) return token.failure();
  auto connection = Connection::open(options.endpoint, std::chrono::steady_clock::now() + options.timeout);
  if (!connection) return connection.failure();
  return std::make_unique<Client>(std::move(*connection), Credential{std::move(*token), options.token_file},
                                  options.timeout);
}

Result<schema::Frame> Client::exchange(const Fill& fill) {
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<schema::AdminRequest>();
  request.setMajor(schema::PROTOCOL_MAJOR);
  request.setToken(kj::arrayPtr(credential_.token.data(), credential_.token.size()));
  request.setId(++last_id_);
  fill(request);
  if (request.isTransact() || request.isWhy() || request.isTrace()) {
    request.setRequest(cause_.request);
    request.setBy(cause_.by);
  }
  auto deadline = std::chrono::steady_clock::now() + timeout_;
  if (request.isTransact() || request.isWait()) deadline += kGrace;
  return transport_->exchange(schema::Frame::of(message), deadline);
}

Result<Done> Client::call(const Fill& fill, schema::AdminReply::Which expected, const Read& read) {
  auto frame = exchange(fill);
  if (!frame) return frame.failure();
  auto outcome =
      schema::with_root<schema::AdminReply>(*frame, {}, [&](schema::AdminReply::Reader reply) -> Result<Done> {
        // A daemon that could not read the request cannot echo its id.
        if (reply.isError()) return failure_of(reply.getError(), credential_);
        if (reply.getId() != last_id_) return protocol_failure("it belongs to another request");
        if (reply.which() != expected) return protocol_failure("it is of another kind than what was asked for");
        read(reply);
        return Done{};
      });
  if (!outcome) return protocol_failure(outcome.failure().text);
  return *outcome;
}

Result<std::vector<Record>> Client::list(const std::vector<Kind>& kinds, const std::string& name) {
  return list(kinds, name, {});
}

Result<std::vector<Record>> Client::list_naming(const std::vector<Kind>& kinds, const Uuid& target) {
  auto records = list(kinds, "", target);
  if (!records) return records;
  // A daemon that does not know the filter sends everything.
  std::erase_if(*records, [&](const Record& record) {
    return std::ranges::none_of(record.info().fields, [&](const Field& field) {
      const Value& value = record.get(field.name);
      const auto* list = std::get_if<std::vector<Uuid>>(&value);
      return value == Value(target) || (list != nullptr && std::ranges::find(*list, target) != list->end());
    });
  });
  return records;
}

Result<std::vector<Record>> Client::list(const std::vector<Kind>& kinds, const std::string& name, const Uuid& naming) {
  std::vector<Record> records;
  std::optional<Failure> unknown;
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto list = request.initList();
    auto wanted = list.initKinds(static_cast<unsigned>(kinds.size()));
    for (unsigned i = 0; i < wanted.size(); ++i) wanted.set(i, kinds[i]);
    list.setName(name.c_str());
    if (!naming.is_nil()) set_uuid(list.initNaming(), naming);
  };
  auto read = [&](schema::AdminReply::Reader reply) {
    for (auto object : reply.getObjects().getObjects()) {
      auto record = Record::from(object);
      if (record) {
        records.push_back(std::move(*record));
      } else if (!unknown) {
        unknown = record.failure();
      }
    }
  };
  auto done = call(fill, schema::AdminReply::OBJECTS, read);
  if (!done) return done.failure();
  if (unknown) return *unknown;
  return records;
}

Result<Json> Client::transact(const std::vector<Operation>& operations, ChangeMode mode) {
  auto fill = [&](schema::AdminRequest::Builder request) {
    auto transact = request.initTransact();
    fill_operations(operations, transact);
    transact.setDryRun(mode.dry_run);
    transact.setWaitApplied(mode.wait_applied);
    transact.setTimeoutMs(timeout_ms());
  };
  return ask(fill, schema::AdminReply::COMMITTED);
}

Result<Json> Client::ask(const Fill& fill, schema::AdminReply::Which expected) {
  Json json;
  auto done = call(fill, expected, [&](schema::AdminReply::Reader reply) {
    capnp::DynamicStruct::Reader dynamic(reply);
    KJ_IF_MAYBE (member, dynamic.which()) json = reply_json(dynamic.get(*member));
  });
  if (!done) return done.failure();
  return json;
}

}  // namespace viaduct::api
