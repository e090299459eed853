// One daemon of FRR: process, vty socket, and when it may start again.
//
//            start()                  socket answers
//   down ───────────────> starting ─────────────────> ready
//    ^                        │                         │
//    └────────── ended ───────┴─────────────────────────┘      may_start_at: now, or later each time it lives only shortly
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routing/bgp/child_process.hpp"
#include "routing/bgp/vty_client.hpp"

namespace viaduct::routing::bgp {

class FrrDaemonProcess {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds kFirstPause{100};
  static constexpr std::chrono::milliseconds kLongestPause{30'000};
  static constexpr std::chrono::seconds kLongLife{10};  // who lives as long begins anew
  static constexpr std::chrono::milliseconds kProbeInterval{10};
  static constexpr std::chrono::seconds kStartPatience{15};       // without a socket it is killed
  static constexpr std::chrono::seconds kAnswerPatience{30};      // silent for longer, it is killed
  static constexpr std::chrono::milliseconds kCommandTime{3000};  // a bgpd with many routes is busy at times

  // `sockets`: it is ready when all of them take connections; the first is its vty.
  FrrDaemonProcess(std::string name, ChildOptions options, std::vector<std::string> sockets);

  // Not before may_start_at. What fails is logged, and tried again later.
  void start(Time now);
  // What it wrote, and its sockets. True: it has just become ready.
  bool advance(Time now);
  // It has ended, by itself or by `kill`: how, once each time.
  std::optional<std::string> reap(Time now);
  void kill(Time now);
  void stop(Time deadline);  // for good
  void abandon();            // for good, without a chance to say anything

  bool running() const { return child_.running(); }
  bool ready() const { return ready_; }
  Time may_start_at() const { return may_start_at_; }
  std::optional<Time> next_deadline() const;
  void add_descriptors(std::vector<pollfd>& out) const;

  // Its answer; nothing: it is not ready, or has not answered. Whoever is silent for kAnswerPatience is killed.
  std::optional<VtyAnswer> command(const std::string& text, Time now);

  const std::string& name() const { return name_; }
  int pid() const { return child_.pid(); }
  uint64_t starts() const { return starts_; }
  const std::string& last_end() const { return last_end_; }

 private:
  void ended(const ChildExit& exit, Time now);

  const std::string name_;
  const ChildOptions options_;
  const std::vector<std::string> sockets_;
  ChildProcess child_;
  VtyClient vty_;
  bool ready_ = false;
  bool stopping_ = false;
  bool ended_ = false;  // and nobody has been told
  Time started_at_{}, may_start_at_{}, next_probe_{};
  Time answered_at_{};
  std::chrono::milliseconds pause_{0};
  uint64_t starts_ = 0;
  int last_pid_ = -1;
  std::string last_words_;
  std::string last_end_;
};

}  // namespace viaduct::routing::bgp
