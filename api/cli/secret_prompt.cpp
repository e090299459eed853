#include "api/cli/secret_prompt.hpp"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>

namespace viaduct::api::cli {
namespace {

volatile sig_atomic_t caught = 0;
void remember(int number) { caught = number; }

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

// No echo while it lives; signals interrupt a read, and are delivered when the echo is back.
class Silence {
 public:
  Silence() {
    caught = 0;
    struct sigaction wanted {};
    wanted.sa_handler = remember;
    for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &wanted, &before_[i]);
    tcgetattr(STDIN_FILENO, &terminal_);
    termios silent = terminal_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~Silence() {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_);
    for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
    if (caught != 0) raise(caught);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  std::array<struct sigaction, kSignals.size()> before_{};
  termios terminal_{};
};

std::optional<std::string> read_line() {
  std::string line;
  while (caught == 0) {
    char c = 0;
    const ssize_t got = read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    if (c == '\n') return line;
    line += c;
  }
  return std::nullopt;
}

}  // namespace

bool somebody_types(Session& session) { return &session.in() == &std::cin && isatty(STDIN_FILENO) == 1; }

std::optional<std::string> ask_secret(Session& session, const std::string& prompt) {
  if (somebody_types(session)) {
    session.err() << prompt << std::flush;
    Silence silence;
    return read_line();
  }
  std::string line;
  if (!std::getline(session.in(), line)) return std::nullopt;
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace viaduct::api::cli
