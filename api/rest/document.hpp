// Between JSON documents and records, by the table of members (resource.hpp).
//
// Input is lenient where MidoNet's is (Jackson): numbers may be texts, members that are not known are ignored, null for a
// plain boolean or number is false or 0. A member whose value makes no sense is a violation that names it; all of a body's
// are reported at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client/client.hpp"
#include "api/rest/facts.hpp"
#include "api/rest/resource.hpp"

namespace viaduct::api::rest {

// What is asked of the daemon while one request is answered, and where the answer's URIs point.
class Context {
 public:
  Context(Client& client, std::string base) : client_(client), base_(std::move(base)), facts_(client) {}

  Client& client() { return client_; }
  const std::string& base() const { return base_; }  // "http://host:8181/midonet-api/"

  // From now on what would be committed is gathered there, and seen as if it were stored. Null: not any more.
  void gather(std::vector<Operation>* operations) { gathered_ = operations; }
  std::vector<Operation>* gathered() const { return gathered_; }
  // A context for another attempt: nothing is remembered.
  Context fresh() const {
    Context out(client_, base_);
    out.gathered_ = gathered_;
    out.shows_secrets_ = shows_secrets_;
    out.tenant_ = tenant_;
    return out;
  }

  // Whether documents have passwords: of who may change them only.
  void show_secrets() { shows_secrets_ = true; }
  bool shows_secrets() const { return shows_secrets_; }

  // From now on nothing is seen but what is the tenant's (tenancy.hpp); not what no tenant owns.
  void confine(std::string tenant) { tenant_ = std::move(tenant); }
  const std::optional<std::string>& tenant() const { return tenant_; }
  // False, too, when it cannot be said now: see failure().
  bool visible(const Record& record);

  // The object, or a failure "not_found".
  Result<Record> find(Kind kind, const Uuid& id);
  // Those of the kind whose `field` names the object.
  Result<std::vector<Record>> naming(Kind kind, std::string_view field, const Uuid& id);
  // Rules of a chain, in order. Asked for once.
  const std::vector<Record>& rules_of(const Uuid& chain);
  // Empty: it has none, or there is no such object. Asked for once.
  const std::string& name_of(Kind kind, const Uuid& id);
  Facts& facts() { return facts_; }
  // Something that was asked above has not been answered: what was made of it, a document or a position, is not true.
  std::optional<Failure> failure() const { return facts_.failure() ? facts_.failure() : failure_; }
  // The daemon's status, asked for once; null: it did not answer.
  const Json& status();

 private:
  Client& client_;
  const std::string base_;
  std::vector<Operation>* gathered_ = nullptr;
  Result<Record> find_any(Kind kind, const Uuid& id);

  std::optional<std::string> tenant_;
  std::map<Uuid, Record> above_;  // what owners were found by
  std::map<Uuid, std::vector<Record>> rules_;
  std::map<Uuid, std::string> names_;
  std::optional<Json> status_;
  std::optional<Failure> failure_;
  bool shows_secrets_ = false;
  Facts facts_;
};

// One object on its way out.
class Emission {
 public:
  Emission(const Resource& resource, const Record& record, Context& context)
      : resource_(resource), record_(record), context_(context) {}

  const Record& record() const { return record_; }
  Context& context() const { return context_; }
  std::string uri() const;                                          // absolute
  std::string uri_of(std::string_view path, const Uuid& id) const;  // empty when the id is nil
  Json document() const;

 private:
  Json value(const Member& member) const;
  Json link(const Link& link) const;

  const Resource& resource_;
  const Record& record_;
  Context& context_;
};

enum class Intent : uint8_t { create, update };

// One body on its way in.
class Intake {
 public:
  Intake(const Resource& resource, const Json& body, Record& record, Intent intent, Context& context)
      : resource_(resource), body_(body), record_(record), intent_(intent), context_(context) {}

  // All members into the record, or what is wrong with them.
  Result<Done> take();

  const Json& body() const { return body_; }
  Record& record() { return record_; }
  Intent intent() const { return intent_; }
  Context& context() { return context_; }
  // The body's member; null when it has none.
  const Json& given(std::string_view member) const;
  void wrong(std::string_view member, std::string message);
  // This version does not have what the member asks for.
  void unsupported(std::string_view member, std::string_view what);
  // What has to be committed along with the object.
  std::vector<Operation>& along() { return along_; }
  // Ends the intake: something else than a member is wrong.
  void fail(Failure failure) { failure_ = std::move(failure); }
  // Conversions; what makes no sense is reported under the member's name.
  std::optional<bool> boolean(std::string_view member, const Json& value);
  std::optional<int64_t> number(std::string_view member, const Json& value, int64_t least, int64_t most);
  std::optional<std::string> text(std::string_view member, const Json& value);  // null: empty
  std::optional<Uuid> id(std::string_view member, const Json& value);           // null: nil
  std::optional<IpAddress> address(std::string_view member, const Json& value);
  std::optional<MacAddress> mac(std::string_view member,
                                const Json& value);  // one digit in a group is enough: 2:0:0:0:0:1

 private:
  // What several members say of one field.
  struct Parts {
    const Member* main = nullptr;  // that has the value, as opposed to a length or a flag
    Value value;
    std::optional<int64_t> length;
    std::string_view length_member;
    std::string mask;
    bool inverted = false;
  };
  void take_member(const Member& member, const Json& value);
  void take_part(const Member& member, const Json& value);
  void take_number(const Member& member, const Json& value);
  void take_reference(const Member& member, const Json& value);
  void take_references(const Member& member, const Json& value);
  void take_choice(const Member& member, const Json& value);
  void take_cidrs(const Member& member, const Json& value);
  void compose(std::string_view field, Parts& parts);
  const Field& field_of(const Member& member) const;

  const Resource& resource_;
  const Json& body_;
  Record& record_;
  const Intent intent_;
  Context& context_;
  std::map<std::string_view, Parts> parts_;
  std::vector<Violation> violations_;
  std::vector<Operation> along_;
  std::optional<Failure> failure_;
};

}  // namespace viaduct::api::rest
