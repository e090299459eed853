#include "api/cli/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;  // NOLINT: POSIX has it so

namespace viaduct::api::cli {
namespace {

using ProcessClock = std::chrono::steady_clock;

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) == 0) read_end = ends[0], write_end = ends[1];
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    if (read_end >= 0) ::close(read_end);
    close_write_end();
  }
  void close_write_end() {
    if (write_end >= 0) ::close(write_end);
    write_end = -1;
  }
};

// The child's id, or minus the error.
pid_t spawn(const std::vector<std::string>& words, int output) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? child : -error;
}

// Reads until the end of the output; what stopped it before that, or empty.
std::string read_all(int fd, ProcessClock::time_point deadline, size_t most, std::string& output) {
  std::array<char, 16'384> buffer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - ProcessClock::now()).count();
    pollfd entry{fd, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return "it took too long";
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};
    output.append(buffer.data(), std::min(static_cast<size_t>(got), most - output.size()));
    if (output.size() == most) return "it printed more than " + std::to_string(most) + " bytes";
  }
}

// Its status as of waitpid. Who says nothing more may still run: until the deadline.
int end_of(pid_t child, ProcessClock::time_point deadline, std::string& problem) {
  constexpr int kPauseMs = 5;
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended != 0 && !(ended < 0 && errno == EINTR)) return status;
    if (problem.empty() && ProcessClock::now() > deadline) {
      problem = "it took too long";
      ::kill(child, SIGKILL);
    }
    ::poll(nullptr, 0, kPauseMs);
  }
}

}  // namespace

ProgramOutcome run_program(const std::vector<std::string>& words, const ProgramLimits& limits) {
  ProgramOutcome out;
  Pipe pipe;
  if (pipe.read_end < 0) {
    out.problem = std::strerror(errno);
    return out;
  }
  const pid_t child = spawn(words, pipe.write_end);
  pipe.close_write_end();
  if (child < 0) {
    out.problem = words.front() + ": " + std::strerror(-child);
    return out;
  }
  const auto deadline = ProcessClock::now() + limits.time;
  out.problem = read_all(pipe.read_end, deadline, limits.bytes, out.output);
  if (!out.problem.empty()) ::kill(child, SIGKILL);
  const int status = end_of(child, deadline, out.problem);
  if (!out.problem.empty()) return out;
  if (WIFEXITED(status)) {
    out.status = WEXITSTATUS(status);
    if (out.status == 127 && out.output.empty()) out.problem = words.front() + ": cannot be run";
  } else {
    out.problem = "it was killed by signal " + std::to_string(WTERMSIG(status));
  }
  return out;
}

}  // namespace viaduct::api::cli
