#include "routing/bgp/frr_daemon.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "observability/log.hpp"

namespace viaduct::routing::bgp {

namespace log = observability::log;
using log::Component;

FrrDaemonProcess::FrrDaemonProcess(std::string name, ChildOptions options, std::vector<std::string> sockets)
    : name_(std::move(name)), options_(std::move(options)), sockets_(std::move(sockets)) {}

void FrrDaemonProcess::start(Time now) {
  for (const std::string& path : sockets_) ::unlink(path.c_str());  // a dead daemon's
  ++starts_;
  started_at_ = answered_at_ = next_probe_ = now;
  last_words_.clear();
  std::string what;
  if (auto error = child_.start(options_, what)) {
    last_end_ = what + ": " + error.message();
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    may_start_at_ = now + pause_;
    log::error(Component::routing, "cannot start a daemon", {{"daemon", name_}, {"reason", last_end_}});
    return;
  }
  last_pid_ = child_.pid();
  log::info(Component::routing, "daemon started", {{"daemon", name_}, {"pid", last_pid_}, {"starts", starts_}});
}

bool FrrDaemonProcess::advance(Time now) {
  for (const std::string& line : child_.read_output()) {
    log::debug(Component::routing, "daemon says", {{"daemon", name_}, {"line", line}});
    if (!line.empty()) last_words_ = line;
  }
  if (!running() || ready_ || now < next_probe_) return false;
  next_probe_ = now + kProbeInterval;
  for (size_t i = sockets_.size(); i-- > 0;) {
    if (!vty_.open(sockets_[i])) continue;
    if (now > started_at_ + kStartPatience) {
      log::error(Component::routing, "daemon does not open its socket", {{"daemon", name_}, {"socket", sockets_[i]}});
      kill(now);
    }
    return false;
  }
  ready_ = true;
  answered_at_ = now;
  command("enable", now);
  return ready_;
}

std::optional<std::string> FrrDaemonProcess::reap(Time now) {
  if (const auto exit = child_.reap()) ended(*exit, now);
  return std::exchange(ended_, false) ? std::optional(last_end_) : std::nullopt;
}

void FrrDaemonProcess::ended(const ChildExit& exit, Time now) {
  for (const std::string& line : child_.read_output()) {
    if (!line.empty()) last_words_ = line;
  }
  ready_ = false;
  ended_ = true;
  vty_.close();
  last_end_ = exit.to_string() + (last_words_.empty() ? "" : ": " + last_words_);
  pause_ = now - started_at_ >= kLongLife ? std::chrono::milliseconds(0)
                                          : std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  may_start_at_ = now + pause_;
  std::error_code ignored;  // what it keeps for its crash log
  std::filesystem::remove_all("/var/tmp/frr/" + name_ + "." + std::to_string(last_pid_), ignored);
  const auto level = stopping_ ? log::Level::info : log::Level::warning;
  log::log(Component::routing, level, "daemon ended",
           {{"daemon", name_}, {"pid", last_pid_}, {"reason", last_end_}, {"pause", pause_}});
}

void FrrDaemonProcess::kill(Time now) {
  if (running()) ended(child_.kill(), now);
}

void FrrDaemonProcess::stop(Time deadline) {
  stopping_ = true;
  if (running()) ended(child_.stop(deadline), std::chrono::steady_clock::now());
}

void FrrDaemonProcess::abandon() {
  stopping_ = true;
  if (running()) ended(child_.kill(), std::chrono::steady_clock::now());
}

std::optional<FrrDaemonProcess::Time> FrrDaemonProcess::next_deadline() const {
  return running() && !ready_ ? std::optional(next_probe_) : std::nullopt;
}

void FrrDaemonProcess::add_descriptors(std::vector<pollfd>& out) const {
  if (child_.end_fd() >= 0) out.push_back({child_.end_fd(), POLLIN, 0});
  if (child_.output_fd() >= 0) out.push_back({child_.output_fd(), POLLIN, 0});
}

std::optional<VtyAnswer> FrrDaemonProcess::command(const std::string& text, Time now) {
  if (!ready_) return std::nullopt;
  const auto limit = std::chrono::steady_clock::now() + kCommandTime;
  if (!vty_.is_open()) {
    if (vty_.open(sockets_.front())) return std::nullopt;
    if (auto answer = vty_.command("enable", limit); !std::holds_alternative<VtyAnswer>(answer)) return std::nullopt;
  }
  auto answer = vty_.command(text, limit);
  if (auto* good = std::get_if<VtyAnswer>(&answer)) {
    answered_at_ = now;
    return std::move(*good);
  }
  const std::error_code error = std::get<std::error_code>(answer);
  log::warning(Component::routing, "daemon does not answer", {{"daemon", name_}, {"reason", error.message()}});
  if (now > answered_at_ + kAnswerPatience) kill(now);
  return std::nullopt;
}

}  // namespace viaduct::routing::bgp
