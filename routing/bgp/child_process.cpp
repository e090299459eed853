#include "routing/bgp/child_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace viaduct::routing::bgp {

namespace {

constexpr size_t kMaxLineBytes = 2048;

void close_fd(int& fd) {
  if (fd >= 0) ::close(std::exchange(fd, -1));
}

// What the child needs, made before the fork: afterwards only system calls are safe.
struct Plan {
  std::vector<char*> arguments;
  int space = -1, output = -1, report = -1;
  pid_t parent = 0;
  bool change_user = false;
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
  uint64_t capabilities = 0;
};

// A step that failed, as it goes through the pipe to the parent.
struct Report {
  int error = 0;
  char step[32] = {};
};

bool keep_capabilities(uint64_t wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  for (size_t word = 0; word < data.size(); ++word) {
    const auto bits = static_cast<uint32_t>(wanted >> 32 * word);
    data[word] = {bits, bits, bits};
  }
  if (syscall(SYS_capset, &header, data.data()) != 0) return false;
  for (int one = 0; one < 64; ++one) {
    if ((wanted >> one & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, one, 0, 0) != 0) return false;
  }
  return true;
}

// In the child: the name of the step that failed, with errno. Returns only then.
const char* become(const Plan& plan) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (setpgid(0, 0) != 0) return "setpgid";  // a terminal's interrupt is for us, not for it
  if (dup2(plan.output, STDOUT_FILENO) < 0 || dup2(plan.output, STDERR_FILENO) < 0) return "dup2";
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0) return "/dev/null";
  if (plan.space >= 0 && setns(plan.space, CLONE_NEWNET) != 0) return "entering the network namespace";
  if (plan.change_user) {
    if (setgroups(plan.groups.size(), plan.groups.data()) != 0) return "setgroups";
    if (setgid(plan.group) != 0) return "setgid";
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setuid(plan.user) != 0) return "setuid";
    if (!keep_capabilities(plan.capabilities)) return "capabilities";
  }
  // After the change of user, which clears it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return "PR_SET_PDEATHSIG";
  if (getppid() != plan.parent) return "parent is gone";
  execv(plan.arguments[0], plan.arguments.data());
  return "exec";
}

[[noreturn]] void run_child(const Plan& plan) {
  Report report;
  const char* step = become(plan);
  report.error = errno;
  std::strncpy(report.step, step, sizeof report.step - 1);
  [[maybe_unused]] const ssize_t written = write(plan.report, &report, sizeof report);
  _exit(127);
}

std::error_code find_user(const std::string& name, Plan& plan) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0) return {error, std::generic_category()};
  if (found == nullptr) return std::make_error_code(std::errc::no_such_file_or_directory);
  plan.change_user = true;
  plan.user = entry.pw_uid;
  plan.group = entry.pw_gid;
  plan.groups.resize(64);
  int count = static_cast<int>(plan.groups.size());
  if (getgrouplist(name.c_str(), entry.pw_gid, plan.groups.data(), &count) < 0)
    count = static_cast<int>(plan.groups.size());
  plan.groups.resize(static_cast<size_t>(count));
  return {};
}

}  // namespace

std::string ChildExit::to_string() const {
  return signal != 0 ? std::string("killed by SIG") + sigabbrev_np(signal) : "exit status " + std::to_string(code);
}

ChildProcess::~ChildProcess() {
  if (running()) kill();
  close_fd(output_);
}

std::error_code ChildProcess::start(const ChildOptions& options, std::string& what) {
  Plan plan;
  plan.parent = getpid();
  std::vector<std::string> words = options.arguments;
  words.insert(words.begin(), options.program);
  for (std::string& word : words) plan.arguments.push_back(word.data());
  plan.arguments.push_back(nullptr);
  for (const int one : options.capabilities) plan.capabilities |= uint64_t{1} << one;
  if (!options.user.empty()) {
    if (auto error = find_user(options.user, plan)) {
      what = "user " + options.user;
      return error;
    }
  }
  std::array<int, 2> output{-1, -1}, report{-1, -1};
  std::error_code error;
  const auto fail = [&](const std::string& step) {
    error = {errno, std::system_category()};
    what = options.program + ": " + step;
  };
  // What it writes is lost when nobody reads: a daemon must not wait for its log.
  if (pipe2(output.data(), O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(report.data(), O_CLOEXEC) != 0) {
    fail("pipe");
  } else if (!options.network_namespace.empty()) {
    plan.space = open(("/run/netns/" + options.network_namespace).c_str(), O_RDONLY | O_CLOEXEC);
    if (plan.space < 0) fail("network namespace " + options.network_namespace);
  }
  plan.output = output[1];
  plan.report = report[1];
  const pid_t pid = error ? -1 : fork();
  if (pid == 0) run_child(plan);
  if (!error && pid < 0) fail("fork");
  close_fd(output[1]);
  close_fd(report[1]);
  close_fd(plan.space);
  Report found;
  if (pid > 0) {
    pid_ = pid;
    ssize_t got = 0;
    while ((got = read(report[0], &found, sizeof found)) < 0 && errno == EINTR) {
    }
    if (got == sizeof found) {  // otherwise exec has closed it
      errno = found.error;
      fail(found.step);
      collect();
    }
  }
  close_fd(report[0]);
  if (error) {
    close_fd(output[0]);
    return error;
  }
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd_ < 0) {
    fail("pidfd_open");
    kill();
    close_fd(output[0]);
    return error;
  }
  close_fd(output_);
  output_ = output[0];
  tail_.clear();
  line_.clear();
  return {};
}

std::vector<std::string> ChildProcess::read_output() {
  std::vector<std::string> out;
  std::array<char, 4096> buffer;
  for (int rounds = 0; output_ >= 0 && rounds < 64; ++rounds) {
    const ssize_t got = read(output_, buffer.data(), buffer.size());
    if (got == 0) close_fd(output_);
    if (got <= 0) break;
    const std::string_view fresh(buffer.data(), static_cast<size_t>(got));
    tail_.append(fresh);
    if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
    for (const char c : fresh) {
      if (c != '\n' && line_.size() < kMaxLineBytes) line_ += c;
      if (c == '\n') out.push_back(std::exchange(line_, {}));
    }
  }
  return out;
}

ChildExit ChildProcess::collect() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  close_fd(pidfd_);
  return WIFSIGNALED(status) ? ChildExit{0, WTERMSIG(status)} : ChildExit{WEXITSTATUS(status), 0};
}

std::optional<ChildExit> ChildProcess::reap() {
  if (!running()) return std::nullopt;
  pollfd watched{pidfd_, POLLIN, 0};
  if (poll(&watched, 1, 0) <= 0) return std::nullopt;
  return collect();
}

ChildExit ChildProcess::stop(Clock::time_point deadline) {
  if (!running()) return {};
  ::kill(pid_, SIGTERM);
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd watched{pidfd_, POLLIN, 0};
    const int ready = poll(&watched, 1, static_cast<int>(std::clamp<long>(left, 0, 60'000)));
    if (ready > 0) return collect();
    if (ready == 0 && left <= 0) return kill();
  }
}

ChildExit ChildProcess::kill() {
  if (!running()) return {};
  ::kill(pid_, SIGKILL);
  return collect();
}

}  // namespace viaduct::routing::bgp
