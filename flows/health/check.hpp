// One check of one member, from the first packet to the result: a client that speaks just as much of a protocol as it takes
// to know.
//
//   TCP    SYN ──> SYN+ACK: healthy, RST sent | RST: refused
//   HTTP   SYN ──> SYN+ACK ──> ACK+GET ──> status line: as wanted, or not; RST sent
//   ICMP   echo request ──> echo reply: healthy
//   UDP    datagram ──> any answer: healthy | silence until the time-out: healthy too, for many protocols do not answer what
//          they do not understand
//
// All: ICMP unreachable, or no next hop: unhealthy at once. What is lost is sent again, so often that it fits into the
// time-out. TCP connections are reset, not closed: the member's kernel keeps nothing, and with a plain TCP check its program
// never sees the connection.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "flows/health/answer.hpp"
#include "topology/model/load_balancer.hpp"
#include "topology/model/member_health.hpp"

namespace viaduct::flows::health {

using Time = std::chrono::steady_clock::time_point;
using topology::CheckResult;

struct CheckSpec {
  topology::HealthCheck type = topology::HealthCheck::tcp;
  std::chrono::seconds timeout{5};
  std::string http_path = "/";
  uint16_t http_status = 200;
  RouterId router;
  IpAddress address;
  uint16_t port = 0;
  friend bool operator==(const CheckSpec&, const CheckSpec&) = default;
};

struct CheckOutcome {
  CheckResult result = CheckResult::none;
  uint16_t detail = 0;
  friend bool operator==(const CheckOutcome&, const CheckOutcome&) = default;
};

class Check {
 public:
  // Sends the first packet, from `port` (is_check_port). `sequence`: random, so that nobody guesses it.
  Check(const CheckSpec& spec, uint16_t port, uint32_t sequence, Time now, std::vector<Probe>& send);

  // Each: the outcome, if that is it. Then the check is over.
  std::optional<CheckOutcome> tick(Time now, std::vector<Probe>& send);
  std::optional<CheckOutcome> answer(const Answer& answer, Time now, std::vector<Probe>& send);
  Time deadline() const { return std::min(again_, end_); }
  ProbeKind kind() const { return kind_; }
  uint16_t port() const { return port_; }

 private:
  enum class Phase : uint8_t { opening, requested };
  Probe probe(uint8_t tcp_flags) const;
  void send_current(std::vector<Probe>& send) const;
  void send_behind_request(uint8_t tcp_flags, std::vector<Probe>& send) const;
  void acknowledge(std::vector<Probe>& send) const;
  void reset(std::vector<Probe>& send) const;
  std::optional<CheckOutcome> opening(const Answer& segment, Time now, std::vector<Probe>& send);
  std::optional<CheckOutcome> requested(const Answer& segment, std::vector<Probe>& send);
  std::optional<CheckOutcome> read_status(const Answer& segment);

  CheckSpec spec_;
  ProbeKind kind_;
  uint16_t port_;
  Phase phase_ = Phase::opening;
  uint32_t sequence_;      // next to send
  uint32_t expected_ = 0;  // next to receive
  std::optional<IpAddress> from_;
  std::string status_line_;  // its beginning, as far as it has come
  Time again_, end_;
  std::chrono::milliseconds pause_;
};

// What an HTTP answer begins with (RFC 9112 4): the status; nothing while more is needed; 0: it is not HTTP.
std::optional<uint16_t> parse_status(std::string_view beginning);

}  // namespace viaduct::flows::health
