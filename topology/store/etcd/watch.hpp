// A watch: a thread that reads one stream, and opens another one where the last stopped when it breaks. It queues
// nothing; while the callback takes its time, flow control holds the server back, which then reads from its log.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "topology/store/etcd/messages.hpp"
#include "topology/store/etcd/session.hpp"
#include "topology/store/store.hpp"

namespace viaduct::topology::store::etcd {

class EtcdWatch final : public Watch {
 public:
  EtcdWatch(std::shared_ptr<Session> session, KeySpace keys, Revision from, std::string prefix, WatchCallback callback);
  ~EtcdWatch() override;

 private:
  enum class Next : uint8_t { read_on, reconnect, ended };
  void run();
  Next follow(Server& server);  // one stream, until it breaks or the watch ends
  Next handle(Server& server, pb::WatchResponse& response, const std::string& token);
  Next refused(Server& server, const pb::WatchResponse& response, const std::string& token);
  Next deliver(pb::WatchResponse& response);
  Next end(WatchMessage reason);
  void established(const Server& server);
  void broke(Server& server, const grpc::Status& status);
  bool begin(grpc::ClientContext& context);  // false: it is to stop

  const std::shared_ptr<Session> session_;
  const KeySpace keys_;
  const std::string prefix_;
  const WatchCallback callback_;
  Revision next_;
  std::chrono::milliseconds wait_;  // before the next stream
  bool token_was_refused_ = false;  // and replaced since; a second time is a refusal of the user
  bool is_broken_ = false;          // the last stream broke, the next one has not been granted yet
  std::stop_source stop_;
  std::mutex context_mutex_;
  grpc::ClientContext* context_ = nullptr;  // of the running stream
  std::thread thread_;                      // the last member: it uses the others
};

// The revision up to which history is gone, asked of the server by a watch from `from`, which must be gone.
std::optional<Error> find_compacted(Session& session, const KeySpace& keys, Revision from);

}  // namespace viaduct::topology::store::etcd
