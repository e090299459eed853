#include "flows/health/check.hpp"

#include <algorithm>

#include "flows/packet/headers.hpp"

namespace viaduct::flows::health {

namespace {

using topology::HealthCheck;
namespace tcp = wire::tcp;

constexpr std::chrono::milliseconds kFirstPause{1'000};  // RFC 6298 2.1
constexpr int kSends = 3;                                // that fit into a short time-out
constexpr std::string_view kDatagram = "viaduct health check\n";

ProbeKind kind_of(HealthCheck type) {
  if (type == HealthCheck::udp) return ProbeKind::udp;
  return type == HealthCheck::icmp ? ProbeKind::echo : ProbeKind::tcp;
}

std::vector<uint8_t> bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

std::string request_of(const CheckSpec& spec) {
  std::string host = spec.address.to_string();
  if (spec.address.is_v6()) host = "[" + host + "]";
  if (spec.port != 80) host += ":" + std::to_string(spec.port);
  return "GET " + spec.http_path + " HTTP/1.1\r\nHost: " + host +
         "\r\nUser-Agent: viaduct-health\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

bool has(const Answer& segment, uint8_t flag) { return (segment.tcp_flags & flag) != 0; }

}  // namespace

std::optional<uint16_t> parse_status(std::string_view text) {
  constexpr std::string_view kShape = "HTTP/d.d ddd";
  for (size_t i = 0; i < std::min(text.size(), kShape.size()); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return uint16_t{0};
  }
  if (text.size() <= kShape.size()) return std::nullopt;
  const char end = text[kShape.size()];
  if (end != ' ' && end != '\r' && end != '\n') return uint16_t{0};
  return static_cast<uint16_t>((text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0'));
}

Check::Check(const CheckSpec& spec, uint16_t port, uint32_t sequence, Time now, std::vector<Probe>& send)
    : spec_(spec),
      kind_(kind_of(spec.type)),
      port_(port),
      sequence_(sequence),
      end_(now + spec.timeout),
      pause_(std::min<std::chrono::milliseconds>(kFirstPause, std::chrono::milliseconds(spec.timeout) / kSends)) {
  again_ = now + pause_;
  send_current(send);
}

Probe Check::probe(uint8_t tcp_flags) const {
  Probe out{spec_.router, from_, spec_.address, kind_, port_, spec_.port, sequence_, expected_, tcp_flags};
  if (kind_ == ProbeKind::echo) out.to_port = static_cast<uint16_t>(sequence_);
  return out;
}

void Check::send_current(std::vector<Probe>& send) const {
  const bool opens = phase_ == Phase::opening;
  Probe out = probe(opens ? tcp::kSyn : static_cast<uint8_t>(tcp::kAckFlag | tcp::kPsh));
  if (kind_ != ProbeKind::tcp) {
    out.payload = bytes_of(kDatagram);
  } else if (!opens) {
    out.payload = bytes_of(request_of(spec_));
  }
  send.push_back(std::move(out));
}

void Check::send_behind_request(uint8_t tcp_flags, std::vector<Probe>& send) const {
  Probe out = probe(tcp_flags);
  if (phase_ == Phase::requested) out.sequence += static_cast<uint32_t>(request_of(spec_).size());
  send.push_back(std::move(out));
}

void Check::acknowledge(std::vector<Probe>& send) const { send_behind_request(tcp::kAckFlag, send); }

// RFC 9293 3.10.7.4: a reset counts where its sequence number is the next one.
void Check::reset(std::vector<Probe>& send) const { send_behind_request(tcp::kRst | tcp::kAckFlag, send); }

std::optional<CheckOutcome> Check::tick(Time now, std::vector<Probe>& send) {
  if (now >= end_) {
    if (kind_ == ProbeKind::udp) return CheckOutcome{CheckResult::healthy};
    if (phase_ == Phase::requested) reset(send);
    return CheckOutcome{CheckResult::no_answer};
  }
  if (now < again_) return std::nullopt;
  send_current(send);
  pause_ *= 2;
  again_ = now + pause_;
  return std::nullopt;
}

std::optional<CheckOutcome> Check::answer(const Answer& answer, Time now, std::vector<Probe>& send) {
  const uint16_t port = kind_ == ProbeKind::echo ? static_cast<uint16_t>(sequence_) : spec_.port;
  const bool quoted_echo = answer.kind != Answer::Kind::packet && kind_ == ProbeKind::echo;
  if (answer.of != kind_ || answer.from != spec_.address || answer.to_port != port_) return std::nullopt;
  if (answer.from_port != port && !quoted_echo) return std::nullopt;
  if (answer.kind == Answer::Kind::unreachable) return CheckOutcome{CheckResult::unreachable, answer.code};
  if (answer.kind == Answer::Kind::no_neighbour) return CheckOutcome{CheckResult::no_neighbour};
  if (kind_ != ProbeKind::tcp) return CheckOutcome{CheckResult::healthy};
  return phase_ == Phase::opening ? opening(answer, now, send) : requested(answer, send);
}

std::optional<CheckOutcome> Check::opening(const Answer& segment, Time now, std::vector<Probe>& send) {
  if (!has(segment, tcp::kAckFlag) || segment.acknowledged != sequence_ + 1) return std::nullopt;
  if (has(segment, tcp::kRst)) return CheckOutcome{CheckResult::refused};
  if (!has(segment, tcp::kSyn)) return std::nullopt;
  ++sequence_;
  expected_ = segment.sequence + 1;
  from_ = segment.to;
  if (spec_.type != HealthCheck::http) {
    reset(send);
    return CheckOutcome{CheckResult::healthy};
  }
  phase_ = Phase::requested;
  pause_ = std::min(pause_, kFirstPause);
  again_ = now + pause_;
  send_current(send);
  return std::nullopt;
}

std::optional<CheckOutcome> Check::requested(const Answer& segment, std::vector<Probe>& send) {
  if (segment.sequence != expected_) return std::nullopt;  // in order, or again
  if (has(segment, tcp::kRst)) return CheckOutcome{CheckResult::closed};
  if (!has(segment, tcp::kAckFlag)) return std::nullopt;
  auto outcome = read_status(segment);
  if (!outcome && has(segment, tcp::kFin)) outcome = CheckOutcome{CheckResult::closed};
  expected_ += segment.payload_bytes;
  if (outcome) {
    reset(send);
  } else if (segment.payload_bytes != 0) {
    acknowledge(send);
  }
  return outcome;
}

std::optional<CheckOutcome> Check::read_status(const Answer& segment) {
  status_line_.append(segment.payload.begin(), segment.payload.end());
  const auto status = parse_status(status_line_);
  if (!status) return std::nullopt;
  if (*status == 0) return CheckOutcome{CheckResult::not_http};
  return *status == spec_.http_status ? CheckOutcome{CheckResult::healthy}
                                      : CheckOutcome{CheckResult::wrong_status, *status};
}

}  // namespace viaduct::flows::health
