// The model as bytes: on disk (the store), to the agents (the feed), and with the command line (admin messages).
//
// Decoding trusts nothing. What cannot be a value of the model (an address of five bytes, an unknown kind or enumerant)
// is an error text that names the field; what can be one but breaks a rule of the topology is the builder's business.
// Functions on capnp readers may throw kj::Exception on malformed messages, as every reader does: call them inside
// schema::with_root. Functions on frames and bytes never throw.
//
// A library of its own (viaduct_topology_codec), so that the model needs no third party.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "observability/event.hpp"
#include "schema/admin.capnp.h"
#include "schema/event.capnp.h"
#include "schema/feed.capnp.h"
#include "schema/frame.hpp"
#include "schema/state.capnp.h"
#include "schema/topology.capnp.h"
#include "topology/builder.hpp"
#include "topology/cause.hpp"
#include "topology/feed.hpp"
#include "topology/host_state.hpp"
#include "topology/state_write.hpp"

namespace viaduct::topology {

inline kj::StringPtr text_of(const std::string& text) { return {text.c_str(), text.size()}; }

// A value, or why there is none.
template <class T>
class Decoded {
 public:
  Decoded(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  static Decoded failure(std::string error) { return Decoded(std::in_place_index<1>, std::move(error)); }

  explicit operator bool() const { return content_.index() == 0; }
  T& operator*() { return std::get<0>(content_); }
  const T& operator*() const { return std::get<0>(content_); }
  T* operator->() { return &std::get<0>(content_); }
  const T* operator->() const { return &std::get<0>(content_); }
  const std::string& error() const { return std::get<1>(content_); }  // only when it holds no value

 private:
  Decoded(std::in_place_index_t<1> index, std::string error) : content_(index, std::move(error)) {}
  std::variant<T, std::string> content_;
};

// --- values ----------------------------------------------------------------------------------------

void encode(const Uuid& id, schema::Uuid::Builder to);
Uuid decode(schema::Uuid::Reader from);
void encode(const IpAddress& address, schema::IpAddress::Builder to);
// nullopt in it: none was given.
Decoded<std::optional<IpAddress>> decode(schema::IpAddress::Reader from);
void encode(const IpPrefix& prefix, schema::IpPrefix::Builder to);
Decoded<IpPrefix> decode(schema::IpPrefix::Reader from);

// --- objects ---------------------------------------------------------------------------------------

std::optional<Kind> decode(schema::Kind kind);
schema::Kind encode(Kind kind);
void encode(const ObjectRef& ref, schema::ObjectRef::Builder to);
Decoded<ObjectRef> decode(schema::ObjectRef::Reader from);
void encode(const Object& object, schema::Object::Builder to);
Decoded<Object> decode(schema::Object::Reader from);

// As the store keeps it.
schema::Frame encode_object(const Object& object);
Decoded<Object> decode_object(std::span<const uint8_t> bytes);

// "/topology/<kind>/<uuid>"
inline constexpr std::string_view kObjectKeyPrefix = "/topology/";
std::string key_of(const ObjectRef& ref);
std::optional<ObjectRef> parse_key(std::string_view key);

// --- state tables ----------------------------------------------------------------------------------

void encode(const StateEntry& entry, schema::StateEntry::Builder to);
Decoded<StateEntry> decode(schema::StateEntry::Reader from);

// As the store keeps it; its revision is the key's.
schema::Frame encode_state(const StateEntry& entry);
Decoded<StateEntry> decode_state(std::span<const uint8_t> bytes);

// Bytes of the entry in a StateWrite, and in the store without its key: never fewer than they are, a few hundred more at most.
size_t encoded_bound(const StateEntry& entry);

schema::Frame encode_state_write(const StateWrite& write);
Decoded<StateWrite> decode_state_write(const schema::Frame& frame);
schema::Frame encode_state_written(const StateWritten& written);
Decoded<StateWritten> decode_state_written(const schema::Frame& frame);

// --- events, causes --------------------------------------------------------------------------------

void encode(const observability::Event& event, schema::Event::Builder to);
observability::Event decode(schema::Event::Reader from);  // its texts as long as they came
// As the store keeps it under the topology's head. Of no bytes, as an earlier version wrote, or others: an empty one.
schema::Frame encode_cause(const Cause& cause);
Cause decode_cause(std::span<const uint8_t> bytes);

// --- feed ------------------------------------------------------------------------------------------

// Feeds come from our own cluster over the actor transport, not over a framed stream: a snapshot of a large network is
// larger than kMaxFrameBytes.
inline constexpr size_t kMaxFeedBytes = size_t{256} << 20;

schema::Frame encode_feed(const FeedBatch& batch);
Decoded<FeedBatch> decode_feed(const schema::Frame& frame);
FeedItemPtr feed_item(const Object& object);
FeedItemPtr feed_item(const StateEntry& entry);

// --- admin messages --------------------------------------------------------------------------------

void encode(const Operation& operation, schema::Operation::Builder to);
Decoded<Operation> decode(schema::Operation::Reader from);
void encode_operations(const std::vector<Operation>& operations, schema::Transact::Builder to);
Decoded<std::vector<Operation>> decode_operations(schema::Transact::Reader from);

void encode(const Violation& violation, schema::Violation::Builder to);
void encode(const AppliedChange& change, schema::ChangeLine::Builder to);
// Of a result that is ok; revision 0 for a dry run.
void encode_committed(const BuildResult& result, uint64_t revision, schema::Committed::Builder to);
// Of a result that is not: the code is conflict, notFound or invalid.
void encode_refused(const std::vector<Violation>& violations, schema::AdminError::Builder to);

}  // namespace viaduct::topology
