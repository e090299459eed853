#include "flows/datapath/ebpf/upcall_ring.hpp"

#include <bpf/libbpf.h>

#include <atomic>
#include <utility>

namespace viaduct::flows::ebpf {

UpcallRing::UpcallRing(int ring, Visitor visit)
    : fd_(ring), visit_(std::move(visit)), buffer_(ring_buffer__new(ring, &UpcallRing::on_record, this, nullptr)) {}

UpcallRing::~UpcallRing() { ring_buffer__free(buffer_); }

void UpcallRing::consume() {
  if (buffer_ != nullptr) ring_buffer__consume(buffer_);
}

// libbpf moves the consumer's position behind the record also when the answer is negative.
int UpcallRing::on_record(void* self, void* record, size_t bytes) {
  if (bytes < sizeof(vd_upcall)) return 0;
  const auto& upcall = *static_cast<const vd_upcall*>(record);
  if (upcall.frame_bytes > bytes - sizeof(vd_upcall)) return 0;
  return static_cast<UpcallRing*>(self)->visit_(upcall) == RingStep::go_on ? 0 : -1;
}

void return_credit(vd_port& port, const vd_upcall& upcall) {
  std::atomic_ref(port.queued).fetch_sub(1);
  std::atomic_ref(port.queued_bytes).fetch_sub(upcall.record_bytes);
}

}  // namespace viaduct::flows::ebpf
