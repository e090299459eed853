#include "routing/underlay/liveness.hpp"

#include <algorithm>

namespace viaduct::routing::underlay {
namespace {

uint32_t discriminator_from(const RandomSource& random) {
  uint32_t drawn = random();
  while (drawn == 0) drawn = random();
  return drawn;
}

template <size_t Count>
const char* name_in(const char* const (&names)[Count], size_t at) {
  return names[at];
}

}  // namespace

const char* to_string(ChangeReason reason) {
  constexpr const char* kNames[] = {"handshake", "silence", "peer_says_down", "administrative"};
  return name_in(kNames, static_cast<size_t>(reason));
}

const char* to_string(ProbeFate fate) {
  constexpr const char* kNames[] = {"accepted",   "overtaken",    "duplicate",  "wrong_discriminator",
                                    "admin_down", "unknown_peer", "not_for_us", "foreign_address"};
  static_assert(std::size(kNames) == kProbeFates);
  return name_in(kNames, static_cast<size_t>(fate));
}

LivenessOptions limited(LivenessOptions options) {
  options.interval = std::clamp(options.interval, kMinProbeInterval, kMaxProbeInterval);
  options.silent_interval = std::clamp(options.silent_interval, options.interval, kMaxProbeInterval);
  options.multiplier = std::clamp<uint8_t>(options.multiplier, 1, kMaxMultiplier);
  return options;
}

LivenessFsm::LivenessFsm(HostId self, HostId peer, const RandomSource& random, const LivenessOptions& options, Time now)
    : self_(self),
      peer_(peer),
      random_(random),
      options_(limited(options)),
      discriminator_(discriminator_from(random)),
      born_(now),
      since_(now),
      pace_(options_.interval),
      floor_(options_.interval),
      to_us_(options_.loss_window),
      to_peer_(options_.loss_window) {
  next_send_ = now + Microseconds(random_below(random_, static_cast<uint32_t>(options_.interval.count())));
}

// --- what comes -----------------------------------------------------------------------------------------------------

ProbeFate LivenessFsm::receive(const Probe& probe, Time now, LivenessActions& out) {
  const auto refuse = [this](ProbeFate fate) {
    ++refused_;
    return fate;
  };
  if (state_ == LivenessState::admin_down) return refuse(ProbeFate::admin_down);
  if (detect_at_ && now >= *detect_at_) fall_silent(now, out);
  if (!believed(probe)) return refuse(ProbeFate::wrong_discriminator);
  if (probe.my_discriminator != remote_.discriminator) meet(probe);
  const ProbeFate fate = note_sequence(probe.sequence);
  if (fate == ProbeFate::duplicate) return refuse(fate);
  ++received_;
  to_us_.update(remote_.highest - remote_.base, remote_.count);
  if (fate == ProbeFate::overtaken) return fate;
  note_remote(probe, now);
  if (probe.your_discriminator == discriminator_) note_echo(probe, now);
  obey(probe.state, now, out);
  return fate;
}

// RFC 5880 6.8.6, and more: once the peer has named our discriminator, nothing else will do.
bool LivenessFsm::believed(const Probe& probe) const {
  if (remote_.confirmed && probe.my_discriminator != remote_.discriminator) return false;
  if (probe.your_discriminator == discriminator_) return true;
  const bool first_contact = probe.state == LivenessState::down || probe.state == LivenessState::admin_down;
  return !remote_.confirmed && probe.your_discriminator == 0 && first_contact;
}

// A life of the peer that is new to us: its numbers begin where we find them.
void LivenessFsm::meet(const Probe& probe) {
  remote_ = Remote{};
  remote_.discriminator = probe.my_discriminator;
  remote_.base = remote_.highest = probe.sequence - 1;
  to_us_ = LossWindow(options_.loss_window);
  to_peer_ = LossWindow(options_.loss_window);
}

ProbeFate LivenessFsm::note_sequence(uint64_t sequence) {
  if (sequence > remote_.highest) {
    const uint64_t ahead = sequence - remote_.highest;
    remote_.seen = ahead < kHistory ? remote_.seen << ahead : std::bitset<kHistory>();
    remote_.seen.set(0);
    remote_.highest = sequence;
    ++remote_.count;
    return ProbeFate::accepted;
  }
  const uint64_t behind = remote_.highest - sequence;
  if (behind >= kHistory || sequence <= remote_.base || remote_.seen.test(behind)) return ProbeFate::duplicate;
  remote_.seen.set(behind);
  ++remote_.count;
  return ProbeFate::overtaken;
}

void LivenessFsm::note_remote(const Probe& probe, Time now) {
  remote_.desired_interval = probe.desired_interval;
  remote_.required_interval = probe.required_interval;
  remote_.multiplier = probe.multiplier;
  remote_.sent_at = probe.sent_at;
  remote_.heard_at = now;
  if (probe.your_discriminator == discriminator_) remote_.confirmed = true;
  heard_ = true;
  unanswered_ = 0;
  detect_at_ = now + detection_time();
  excuses_ = 0;
  next_send_ = std::min(next_send_, now + interval());  // was slow, while there was nobody
}

// What the peer says of our probes. Numbers that cannot be are not believed.
void LivenessFsm::note_echo(const Probe& probe, Time now) {
  if (probe.heard_highest > sequence_) return;
  if (!remote_.echo_base) remote_.echo_base = probe.heard_highest - probe.heard_count;
  // Those on their way are not lost; when the peer hears nothing any more, its number stands still and ours goes on.
  const uint64_t settled = sequence_ > options_.multiplier ? sequence_ - options_.multiplier : 0;
  const uint64_t expected = std::max(probe.heard_highest, settled);
  if (expected >= *remote_.echo_base) to_peer_.update(expected - *remote_.echo_base, probe.heard_count);
  if (announced_from_ != 0 && probe.heard_highest >= announced_from_) keep_announced_pace();
  if (probe.heard_highest <= echoed_) return;
  echoed_ = probe.heard_highest;
  const auto age = age_at(now);
  if (probe.echo_sent_at > age || probe.echo_delay > age - probe.echo_sent_at) return;
  const Microseconds sample(age - probe.echo_sent_at - probe.echo_delay);
  round_trip_ = round_trip_ ? (*round_trip_ * 7 + sample) / 8 : sample;
}

// RFC 5880 6.8.6: the peer's state moves ours.
void LivenessFsm::obey(LivenessState heard, Time now, LivenessActions& out) {
  using State = LivenessState;
  if (heard == State::admin_down) {
    if (state_ != State::down) enter(State::down, ChangeReason::peer_says_down, now, out);
    return;
  }
  switch (state_) {
    case State::down:
      if (heard == State::down) enter(State::init, ChangeReason::handshake, now, out);
      if (heard == State::init) enter(State::up, ChangeReason::handshake, now, out);
      return;
    case State::init:
      if (heard != State::down) enter(State::up, ChangeReason::handshake, now, out);
      return;
    case State::up:
      if (heard == State::down) enter(State::down, ChangeReason::peer_says_down, now, out);
      return;
    case State::admin_down:
      return;
  }
}

// --- time -----------------------------------------------------------------------------------------------------------

void LivenessFsm::tick(Time now, LivenessActions& out) {
  if (detect_at_ && now >= *detect_at_) fall_silent(now, out);
  if (now >= next_send_) send(now, out);
}

void LivenessFsm::excuse(Time now) {
  const Time until = now + std::max(floor_, remote_.desired_interval);
  if (!detect_at_ || until <= *detect_at_ || excuses_ >= kExcuses) return;
  detect_at_ = until;
  ++excuses_;
}

Time LivenessFsm::next_deadline() const { return detect_at_ ? std::min(*detect_at_, next_send_) : next_send_; }

// Another life of the peer may be believed from now on.
void LivenessFsm::fall_silent(Time now, LivenessActions& out) {
  detect_at_.reset();
  heard_ = false;
  remote_.confirmed = false;
  keep_announced_pace();  // nobody is left who goes by the old one
  if (state_ == LivenessState::init || state_ == LivenessState::up) {
    enter(LivenessState::down, ChangeReason::silence, now, out);
  }
}

void LivenessFsm::enter(LivenessState state, ChangeReason reason, Time now, LivenessActions& out) {
  out.changes.push_back({peer_, state_, state, reason});
  ++changes_;
  state_ = state;
  since_ = now;
  send(now, out);
}

void LivenessFsm::send(Time now, LivenessActions& out) {
  Probe probe;
  probe.sender = self_;
  probe.receiver = peer_;
  probe.state = state_;
  probe.multiplier = options_.multiplier;
  probe.my_discriminator = discriminator_;
  probe.your_discriminator = remote_.discriminator;
  // Said some probes before it is done, so that a peer who hears us while we do not hear it counts by the right pace.
  const bool slow_soon = !heard_ && unanswered_ >= options_.silent_after / 2;
  probe.desired_interval = slow_soon || slow() ? options_.silent_interval : options_.interval;
  probe.required_interval = options_.interval;
  probe.sequence = ++sequence_;
  probe.heard_highest = remote_.count == 0 ? 0 : remote_.highest;
  probe.heard_count = remote_.count;
  probe.sent_at = age_at(now);
  if (remote_.count > 0) {
    probe.echo_sent_at = remote_.sent_at;
    probe.echo_delay = std::chrono::duration_cast<Probe::Microseconds>(now - remote_.heard_at);
  }
  ++unanswered_;
  out.send.push_back(probe);
  next_send_ = now + jittered(interval());
}

bool LivenessFsm::slow() const {
  if (state_ == LivenessState::admin_down) return true;
  return state_ == LivenessState::down && !heard_ && unanswered_ >= options_.silent_after;
}

LivenessFsm::Microseconds LivenessFsm::interval() const {
  if (slow()) return options_.silent_interval;
  return heard_ ? std::max(pace_, remote_.required_interval) : pace_;
}

LivenessFsm::Microseconds LivenessFsm::jittered(Microseconds interval) const {
  const auto least = interval * 3 / 4;
  const auto most = options_.multiplier == 1 ? interval * 9 / 10 : interval;
  return least + Microseconds(random_below(random_, static_cast<uint32_t>((most - least).count()) + 1));
}

LivenessFsm::Microseconds LivenessFsm::detection_time() const {
  return remote_.multiplier * std::max(floor_, remote_.desired_interval);
}

Probe::Microseconds LivenessFsm::age_at(Time now) const {
  return std::chrono::duration_cast<Probe::Microseconds>(now - born_);
}

// --- the operator ---------------------------------------------------------------------------------------------------

void LivenessFsm::configure(const LivenessOptions& options, Time now) {
  options_ = limited(options);
  pace_ = std::min(pace_, options_.interval);
  floor_ = std::max(floor_, options_.interval);
  announced_from_ = sequence_ + 1;
  if (!heard_) keep_announced_pace();
  next_send_ = std::min(next_send_, now + jittered(interval()));
}

void LivenessFsm::keep_announced_pace() {
  pace_ = floor_ = options_.interval;
  announced_from_ = 0;
}

void LivenessFsm::set_admin(Admin admin, Time now, LivenessActions& out) {
  const bool disabled = state_ == LivenessState::admin_down;
  if (disabled == (admin == Admin::disabled)) return;
  detect_at_.reset();
  heard_ = false;
  remote_.confirmed = false;
  unanswered_ = 0;
  enter(disabled ? LivenessState::down : LivenessState::admin_down, ChangeReason::administrative, now, out);
}

LivenessStats LivenessFsm::stats() const {
  LivenessStats out;
  out.state = state_;
  out.since = since_;
  out.sent = sequence_;
  out.received = received_;
  out.refused = refused_;
  out.changes = changes_;
  out.loss_to_us = heard_ || received_ == 0 ? to_us_.ratio() : std::optional(1.0);
  out.loss_to_peer = to_peer_.ratio();
  out.round_trip = round_trip_;
  return out;
}

}  // namespace viaduct::routing::underlay
