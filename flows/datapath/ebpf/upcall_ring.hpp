// One worker's ring, from the reader's side.
#pragma once

#include <cstdint>
#include <functional>

#include "flows/datapath/ebpf/layout.h"

struct ring_buffer;

namespace viaduct::flows::ebpf {

enum class RingStep : uint8_t {
  go_on,
  enough,  // this one was taken, leave the next
};

class UpcallRing {
 public:
  // The frame lies behind the head and is valid during the call.
  using Visitor = std::function<RingStep(const vd_upcall&)>;
  // `ring` outlives this object.
  UpcallRing(int ring, Visitor visit);
  UpcallRing(const UpcallRing&) = delete;
  UpcallRing& operator=(const UpcallRing&) = delete;
  ~UpcallRing();
  // Hands over what is there; waits for nothing.
  void consume();
  // Readable when something is there.
  int fd() const { return fd_; }

 private:
  static int on_record(void* self, void* record, size_t bytes);

  int fd_;
  Visitor visit_;
  ring_buffer* buffer_;
};

void return_credit(vd_port& port, const vd_upcall& upcall);

}  // namespace viaduct::flows::ebpf
