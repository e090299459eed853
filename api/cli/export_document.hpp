// The topology as a document that `viaduct apply` takes: the other direction of apply_document.hpp.
//
// Applied onto the topology that it was made of, the document changes nothing; applied onto an empty one it makes an
// equal one, but for secrets. Objects stand under their parents, in the order of the kinds, sorted by what they are
// called; so two documents of similar topologies differ where those do. An object that its name does not tell from
// others, or that another one could not name without doubt, says its id.
//
// Pure. What cannot be said in the form of apply is never left out silently: it is a note, and a comment at the object.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/client/record.hpp"

namespace viaduct::api::cli {

// Which fields are told.
enum class Told : uint8_t {
  unusual,  // those that a new object would not have by itself
  all,      // so that apply also takes back what was set since
};

struct ExportedObject;
struct ExportedSection {
  const KindInfo* kind = nullptr;
  std::vector<ExportedObject> objects;
};
struct ExportedObject {
  std::vector<std::pair<std::string, Json>> fields;  // key and scalar, or array of texts
  std::vector<std::string> comments;
  std::vector<ExportedSection> sections;  // what stands under it
};

struct ExportedDocument {
  std::vector<ExportedSection> sections;
  std::vector<std::string> notes;  // what the document does not hold, or needs from elsewhere; a sentence each
  size_t objects = 0;
};

// `chosen`: the ids of those of `live` that are to be told.
ExportedDocument export_document(const std::vector<Record>& live, const std::set<Uuid>& chosen, Told told);

Json json_of(const ExportedDocument& document);  // comments are not in it

}  // namespace viaduct::api::cli
