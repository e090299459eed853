// The file of a flow log: appended to, whole lines only, opened again when it was renamed away.
//
// Threads: one; the disk may block it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "observability/flow_log/record.hpp"

namespace viaduct::observability::flow_log {

class LogFile {
 public:
  // So often it is looked whether the file is still there under its name.
  static constexpr std::chrono::seconds kLook{1};

  explicit LogFile(std::string path) : path_(std::move(path)) {}
  ~LogFile() { close(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // It can be written, as far as opening it tells: made, if it was not there. False: error() says why.
  bool prepare(Time now) { return file_ >= 0 || open(now); }
  // `lines` end with a newline. All of them or none: what the disk had room for is taken back. False: error() says why, and the next
  // call tries again. Made with mode 0640, less the umask.
  bool append(std::string_view lines, Time now);
  void reopen() { close(); }
  const std::string& error() const { return error_; }

 private:
  bool open(Time now);
  void close();
  bool is_moved() const;
  bool fail(const char* what, int problem);

  const std::string path_;
  int file_ = -1;
  Time looked_ = {};
  std::string error_;
};

}  // namespace viaduct::observability::flow_log
