// A message with text, lists and nesting, made from the schema that every Cap'n Proto installation has.
#pragma once

#include <capnp/schema.capnp.h>

#include <string>

#include "schema/frame.hpp"

namespace viaduct::schema::testing {

using Sample = capnp::schema::Node;

inline Frame sample_frame(uint64_t id = 7, unsigned nested = 20) {
  capnp::MallocMessageBuilder message(16);  // words: small, so that several segments appear
  auto node = message.initRoot<Sample>();
  node.setId(id);
  node.setDisplayName("a node with a name long enough to fill some words");
  auto list = node.initNestedNodes(nested);
  for (unsigned i = 0; i < nested; ++i) {
    list[i].setId(i);
    list[i].setName("nested " + std::to_string(i));
  }
  return Frame::of(message);
}

// Visits everything in the message; the sum makes sure that it is really read.
inline uint64_t sum(Sample::Reader node) {
  uint64_t total = node.getId() + node.getDisplayName().size();
  for (auto nested : node.getNestedNodes()) total += nested.getId() + nested.getName().size();
  for (auto annotation : node.getAnnotations()) total += annotation.getId();
  return total;
}

}  // namespace viaduct::schema::testing
