// A program that we started, in the foreground: its end is an event, its output is read and bounded, and it dies with us.
//
// The kernel ties "dies with us" to the thread that called start (PR_SET_PDEATHSIG): that thread must live as long as the
// child. It holds as long as the program does not change its user, so `user` is entered before the program starts, with the
// capabilities that it needs and no others.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace viaduct::routing::bgp {

struct ChildOptions {
  std::string program;  // absolute path
  std::vector<std::string> arguments = {};
  std::string network_namespace = {};  // a name in /run/netns; empty: the caller's
  std::string user = {};               // with all its groups; empty: the caller's
  std::vector<int> capabilities = {};  // CAP_… that it keeps as `user` (capabilities(7))
};

struct ChildExit {
  int code = 0;    // of exit(3), if signal is 0
  int signal = 0;  // that killed it
  std::string to_string() const;
};

class ChildProcess {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kTailBytes = 16 << 10;

  ChildProcess() = default;
  ~ChildProcess();  // kills
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Not while it runs. An error before exec (no such program, namespace or user) is returned; what failed is in `what`.
  std::error_code start(const ChildOptions& options, std::string& what);
  bool running() const { return pid_ > 0; }
  int pid() const { return pid_; }
  int end_fd() const { return pidfd_; }      // readable when it has ended: call reap
  int output_fd() const { return output_; }  // readable when it has written: call read_output. -1: closed

  // Takes what it has written. Complete lines go to the result; the last kTailBytes of all are kept. A child that writes
  // faster than this is called loses lines, and does not wait.
  std::vector<std::string> read_output();
  const std::string& tail() const { return tail_; }  // of this run

  // How it ended, if it did.
  std::optional<ChildExit> reap();
  // SIGTERM, and SIGKILL at `deadline`; blocks until it has ended.
  ChildExit stop(Clock::time_point deadline);
  ChildExit kill();

 private:
  ChildExit collect();

  int pid_ = -1;
  int pidfd_ = -1;
  int output_ = -1;
  std::string tail_;
  std::string line_;
};

}  // namespace viaduct::routing::bgp
