// What was dropped: each kind of drop once more through the network as it is now.
#include <algorithm>

#include "actors/admin/why_run.hpp"
#include "actors/agent/flow_prover.hpp"

namespace viaduct::actors {

namespace sim = flows::simulation;
using flows::DropReason;

namespace {

constexpr size_t kMostDrops = 64;             // that are looked at, the newest
constexpr std::chrono::seconds kLately{60};   // packets still meet it
constexpr std::chrono::seconds kJustNow{10};  // of what cannot be simulated

enum class Still : uint8_t { yes, no, unknown };

// How many bytes the place takes now; 0: any number.
size_t room(const sim::DropSite& site, const Inquiry& inquiry) {
  if (!site.host.is_nil()) {
    const auto* path = inquiry.network.locations().paths.find(site.host);
    return path == nullptr ? 0 : path->mtu;
  }
  const auto* port = site.out.is_nil() ? nullptr : inquiry.network.port(site.out);
  return port == nullptr ? 0 : port->mtu;
}

bool depends_on_more_than_headers(DropReason reason) {
  switch (reason) {
    case DropReason::malformed:
    case DropReason::bad_checksum:
    case DropReason::connections_full:
    case DropReason::park_overflow:
    case DropReason::emit_overflow:
    case DropReason::icmp_rate_limited:
    case DropReason::datapath_error:
      return true;
    default:
      return false;
  }
}

Still still(const DropNote& note, const Inquiry& inquiry) {
  constexpr size_t kEthernetBytes = 14;
  if (depends_on_more_than_headers(note.reason) || !note.example.in_port) return Still::unknown;
  if (note.reason == DropReason::packet_too_big) {
    const size_t most = room(note.site, inquiry);
    return most != 0 && note.bytes > most + kEthernetBytes ? Still::yes : Still::no;
  }
  std::vector<uint8_t> frame = specimen(note.example);
  flows::Packet packet = flows::parse(frame, note.example.in_port);
  packet.key.tunnel = note.example.tunnel;
  sim::Verdict verdict;
  const flows::StateView view = inquiry.state.view();
  sim::simulate({inquiry.network, view, packet, inquiry.facts.now, true}, verdict);
  const bool alike = verdict.outcome == sim::Outcome::drop && verdict.drop_reason == note.reason &&
                     verdict.drop_site.same_cause(note.site);
  return alike ? Still::yes : Still::no;
}

Certainty certainty_of(const DropNote& note, const Inquiry& inquiry) {
  const auto age = inquiry.facts.now - note.last;
  switch (still(note, inquiry)) {
    case Still::yes:
      return age <= kLately ? Certainty::now : Certainty::likely;
    case Still::unknown:
      return age <= kJustNow ? Certainty::now : Certainty::earlier;
    case Still::no:
      break;
  }
  return Certainty::earlier;
}

double seconds_between(flows::Time then, flows::Time now) {
  return std::max(0.0, std::chrono::duration<double>(now - then).count());
}

}  // namespace

void add_drop_causes(const Inquiry& inquiry, std::vector<Cause>& causes) {
  size_t left = kMostDrops;
  for (const DropEntry& entry : inquiry.facts.drops.drops) {
    if (left-- == 0) return;
    if (inquiry.packet && entry.note.example.ip_dst != inquiry.packet->ip_dst) continue;
    const DropNote& note = entry.note;
    Cause cause = cause_of(note.reason, note.site, note.example, note.bytes, inquiry.snapshot);
    cause.certainty = certainty_of(note, inquiry);
    cause.packets = note.packets;
    cause.first_seconds = seconds_between(entry.first, inquiry.facts.now);
    cause.last_seconds = seconds_between(note.last, inquiry.facts.now);
    if (cause.certainty != Certainty::earlier) cause = root_of(cause, note.reason, note.site, note.example, inquiry);
    causes.push_back(std::move(cause));
  }
}

}  // namespace viaduct::actors
