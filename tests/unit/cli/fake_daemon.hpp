// A daemon in a thread: the admin socket, the topology's real rules, canned answers for the rest. And the tool, run
// against it in this process.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/cli/run.hpp"
#include "schema/admin.capnp.h"
#include "schema/frame.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::api::cli {

class FakeDaemon {
 public:
  using Answer = std::function<void(schema::AdminRequest::Reader, schema::AdminReply::Builder)>;

  FakeDaemon();
  ~FakeDaemon();
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  const std::string& token_file() const { return token_file_; }

  // Answers requests of this kind instead of the usual.
  void answer(schema::AdminRequest::Which which, Answer answer);
  // Sends these bytes to every request and closes.
  void answer_with_bytes(std::vector<uint8_t> bytes);
  void stay_silent();
  // As daemons did before they knew that filter of a list.
  void ignore_naming();
  // Called once, before the next transaction is handled.
  void before_transaction(std::function<void(FakeDaemon&)> hook);

  topology::Snapshot snapshot();
  // Commits, and fails the test if the rules refuse.
  void commit(topology::Object object);
  // What was asked, in Cap'n Proto's text form without token and id; oldest first.
  std::vector<std::string> requests();
  int connections() const { return connections_; }  // accepted so far
  static constexpr const char* kHostId = "11111111-1111-4111-8111-111111111111";

 private:
  enum class Mood : uint8_t { serve, bytes, silent };

  void accept_all();
  void serve(int fd);
  std::vector<uint8_t> reply_to(const schema::Frame& frame);
  void usual(schema::AdminRequest::Reader request, schema::AdminReply::Builder reply);
  void transact(schema::Transact::Reader request, schema::AdminReply::Builder reply);
  void list(schema::ListObjects::Reader request, schema::ObjectList::Builder reply);

  int listener_ = -1;
  uint16_t port_ = 0;
  std::string token_file_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::mutex mutex_;  // guards what is below
  Mood mood_ = Mood::serve;
  bool knows_naming_ = true;
  std::vector<uint8_t> bytes_;
  std::map<schema::AdminRequest::Which, Answer> answers_;
  std::function<void(FakeDaemon&)> hook_;
  topology::Snapshot snapshot_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
  Json json() const { return Json::parse(out); }
};

// Runs the tool against a daemon, or against nothing.
struct Tool {
  explicit Tool(const FakeDaemon& daemon) : address(daemon.address()), token_file(daemon.token_file()) {}
  Tool() = default;

  Outcome operator()(std::vector<std::string> arguments) const;

  std::string address;
  std::string token_file;
  std::string input;
  Terminal terminal = Terminal::batch;
};

}  // namespace viaduct::api::cli
