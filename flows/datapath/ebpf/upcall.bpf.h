/* The way to user space: the frame, whole, into the ring of one worker. */
#pragma once

#include <linux/pkt_cls.h>

#include "maps.bpf.h"
#include "parse.bpf.h"

VD_INLINE __u32 worker_of(const struct vd_key* key, __u32 workers) {
  const __u32* words = (const __u32*)&key->in_port;
  __u32 hash = 0;
#pragma unroll
  for (int i = 0; i < kVdExactKeyBytes / 4; ++i) hash = (hash ^ words[i]) * 0x9e3779b1;
  hash ^= hash >> 16;
  return workers > 1 ? hash % workers : 0;
}

/* `bytes` is a constant: the kernel reserves only constant sizes. */
VD_INLINE _Bool push(struct __sk_buff* skb, void* ring, const struct vd_upcall* head, const __u32 bytes) {
  struct vd_upcall* record = bpf_ringbuf_reserve(ring, sizeof(*head) + bytes, 0);
  if (!record) return 0;
  *record = *head;
  record->record_bytes = sizeof(*head) + bytes;
  /* Written so that the verifier sees 1 <= length <= bytes whatever the compiler makes of it; that of Linux 6.1 learns
   * nothing from "not 0". */
  __u64 length = head->frame_bytes;
  asm volatile("if %0 > 0 goto +1\n\t%0 = 1" : "+r"(length));
  if (length > bytes || bpf_skb_load_bytes(skb, 0, record + 1, length)) {
    bpf_ringbuf_discard(record, 0);
    return 0;
  }
  bpf_ringbuf_submit(record, 0);
  return 1;
}

VD_INLINE __u32 record_frame_bytes(__u32 length) {
  if (length <= kVdSmallFrame) return kVdSmallFrame;
  if (length <= kVdMediumFrame) return kVdMediumFrame;
  return length <= kVdLargeFrame ? kVdLargeFrame : kVdHugeFrame;
}

VD_INLINE _Bool push_sized(struct __sk_buff* skb, void* ring, const struct vd_upcall* head) {
  switch (record_frame_bytes(head->frame_bytes)) {
    case kVdSmallFrame:
      return push(skb, ring, head, kVdSmallFrame);
    case kVdMediumFrame:
      return push(skb, ring, head, kVdMediumFrame);
    case kVdLargeFrame:
      return push(skb, ring, head, kVdLargeFrame);
    default:
      return push(skb, ring, head, kVdHugeFrame);
  }
}

/* Takes the packet's place in its port's share; 0 when there is none left. User space gives it back when it reads the
 * record. */
VD_INLINE _Bool take_credit(const struct vd_config* cfg, struct vd_port* port, __s64 bytes) {
  __s32 queued = __sync_fetch_and_add(&port->queued, 1);
  __s64 queued_bytes = __sync_fetch_and_add(&port->queued_bytes, bytes);
  if (queued < (__s32)cfg->port_credit && queued_bytes < kVdPortQueueBytes) return 1;
  __sync_fetch_and_add(&port->queued, -1);
  __sync_fetch_and_add(&port->queued_bytes, -bytes);
  return 0;
}

VD_INLINE int lose(struct vd_port_counters* counters_of_port, __u32 why) {
  count(why);
  if (counters_of_port) ++counters_of_port->upcalls_lost;
  return TC_ACT_SHOT;
}

static __noinline int upcall(struct __sk_buff* skb, struct vd_packet* packet, __u32 reason) {
  __u32 zero = 0;
  if (!packet) return TC_ACT_SHOT;
  __u32 number = packet->key.in_port;
  struct vd_config* cfg = bpf_map_lookup_elem(&config, &zero);
  struct vd_port* port = bpf_map_lookup_elem(&ports, &number);
  struct vd_port_counters* of_port = bpf_map_lookup_elem(&port_counters, &number);
  if (!cfg || !port) return TC_ACT_SHOT;
  if ((reason & ~kVdTunnelled) == kVdMiss) count(kVdMisses);
  if (skb->len > kVdHugeFrame) return lose(of_port, kVdLostTruncated);
  __u32 worker = worker_of(&packet->key, cfg->workers);
  void* ring = bpf_map_lookup_elem(&rings, &worker);
  if (!ring) return lose(of_port, kVdLostNoRing);
  __s64 bytes = sizeof(struct vd_upcall) + record_frame_bytes(skb->len);
  if (!take_credit(cfg, port, bytes)) return lose(of_port, kVdLostCredit);
  struct vd_upcall head = {
      .time_ns = bpf_ktime_get_ns(),
      .in_port = number,
      .frame_bytes = skb->len,
      .gso_size = (__u16)skb->gso_size,
      .reason = (__u8)(reason & ~kVdTunnelled),
  };
  if (reason & kVdTunnelled) head.tunnel = packet->key.tunnel;
  if (skb->vlan_present) {
    head.vlan_tci = (__u16)skb->vlan_tci;
    head.vlan_proto = bpf_ntohs((__u16)skb->vlan_proto);
  }
  if (!push_sized(skb, ring, &head)) {
    __sync_fetch_and_add(&port->queued, -1);
    __sync_fetch_and_add(&port->queued_bytes, -bytes);
    return lose(of_port, kVdLostRing);
  }
  if (of_port) ++of_port->upcalls;
  return TC_ACT_SHOT;
}
