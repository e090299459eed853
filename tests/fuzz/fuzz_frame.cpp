// Bytes from the admin socket: cut into frames, in pieces whose sizes the input chooses, and read through.
#include <capnp/schema.capnp.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "schema/frame.hpp"

namespace {

using viaduct::schema::Frame;
using Node = capnp::schema::Node;

void visit(Node::Reader node) {
  uint64_t total = node.getId() + node.getDisplayName().size();
  for (auto nested : node.getNestedNodes()) total += nested.getId() + nested.getName().size();
  if (node.isStruct()) {
    for (auto field : node.getStruct().getFields()) total += field.getName().size();
  }
  volatile uint64_t sink = total;
  (void)sink;
}

void read(std::span<const uint8_t> bytes) { viaduct::schema::with_root<Node>(bytes, {}, visit); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const uint8_t> input(data, size);
  read(input);
  if (input.empty()) return 0;
  const size_t piece = 1 + input[0];
  input = input.subspan(1);
  viaduct::schema::FrameReader reader(64 << 10);
  while (!input.empty() && !reader.error()) {
    const size_t count = std::min(piece, input.size());
    reader.feed(input.first(count), [](Frame frame) { read(frame.bytes); });
    input = input.subspan(count);
  }
  return 0;
}
