// One request on its way through the folder, once it is clear who asks. Internal.
#pragma once

#include <string>
#include <vector>

#include "api/rest/document.hpp"
#include "api/rest/http.hpp"
#include "api/rest/problem.hpp"

namespace viaduct::api::rest {

struct Call {
  const Request& request;
  std::vector<std::string> path;  // behind the root, decoded
  Context& context;
  ChangeMode mode;

  Method method() const { return request.method; }
  std::string path_from(size_t segment) const;  // "ports/5a0c…", without the root
  std::string whole_path() const { return path_from(0); }
};

using Answer = Result<Response>;

// The body, or {} when there is none.
Result<Json> body_of(const Call& call);
// A UUID of the path; what is none names nothing.
Result<Uuid> id_of(const Call& call, size_t segment);
Response json_response(const Json& json, std::string media_type);

// Somebody else has changed something in between: to be tried again.
bool met_another(const Failure& failure);

// --- gateway.cpp -------------------------------------------------------------------------------------

Answer dispatch(Call& call);

// --- confinement.cpp: of members, who are confined to a tenant ----------------------------------------

// Whether the path is one for them.
Result<Done> admit(const Call& call);
// Whether the changes are; what they create becomes their tenant's.
Result<Done> confine(Context& context, std::vector<Operation>& operations);
// In what the topology's rules say, "another port" instead of the names of objects that are not the tenant's.
Failure without_names(Context& context, Failure failure);

// --- group_removal.cpp -------------------------------------------------------------------------------

// What becomes of the rules that name a group when it goes. Of other objects: nothing.
Result<std::vector<Operation>> without_group(Context& context, const Record& object);

// --- transactions.cpp --------------------------------------------------------------------------------

Answer answer_transactions(Call& call);

// --- objects.cpp: what holds for every resource ------------------------------------------------------

Answer answer_collection(Call& call, const Resource& resource);
Answer answer_object(Call& call, const Resource& resource);
// What a path below an object asks for.
struct Below {
  const Collection* collection;
  Uuid parent;
  std::optional<uint64_t> vlan;  // "vlans/10/mac_table": of a bridge's MAC tables, that one
  std::string place;             // of one record, as Collection::place() says it
  bool whole = false;            // the collection itself
};
// table_path.cpp. A failure: there is no such path, or the record's key makes no sense.
Result<Below> below_of(const Call& call, const Collection& collection, const Uuid& parent);

// Below `parent`: the collection itself, or one of its records by the rest of the path.
Answer answer_below(Call& call, const Collection& collection, const Uuid& parent);

// The documents of the records, as a list.
Answer list_of(Call& call, const Resource& resource, std::vector<Record> records);
// Operations that succeed or fail together. A dry run answers by itself, in `done`.
Result<Json> commit(Call& call, const Resource& resource, std::vector<Operation> operations);
// What commit() does in the end: of what changes a member is told what they have named.
Result<Json> transact(Call& call, const std::vector<Operation>& operations);
Response committed(const Call& call, const Json& outcome, int status);

// --- links.cpp: what is not like the others ----------------------------------------------------------

// Paths that are views of other objects: links, bindings, peers. Nothing: it is none of them.
std::optional<Answer> answer_view(Call& call);

// --- host_views.cpp ----------------------------------------------------------------------------------

// hosts/{id}/ports and hosts/{id}/interfaces, and what is below them.
Answer answer_host_part(Call& call, const Uuid& host);

// --- observation.cpp ---------------------------------------------------------------------------------

// node_status: this node's counters, what it knows of hosts, and what it complains of.
Answer answer_node_status(Call& call);
// ports/{id}/trace?packet=: what would become of a packet (packet_description.hpp) that enters by the port, which has to be on
// this node.
Answer answer_trace(Call& call, const Uuid& port);

// --- application.cpp ---------------------------------------------------------------------------------

Answer answer_root(Call& call);
Answer answer_system_state(Call& call);
// Whether a later version will have it, and what it is about; empty: unknown.
std::string_view later_feature(const std::vector<std::string>& path);

}  // namespace viaduct::api::rest
