// A real etcd of some members on this machine, on ports of its own, gone with the object.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/eventually.hpp"
#include "tests/unit/store/temporary_directory.hpp"
#include "topology/store/etcd/etcd_store.hpp"

namespace viaduct::topology::store::testing {

// Certificates of one authority, for servers at 127.0.0.1 and a client, made in `directory`.
struct Certificates {
  explicit Certificates(const std::filesystem::path& directory);
  std::filesystem::path authority, server, server_key, client, client_key;
};

struct EtcdClusterOptions {
  size_t members = 3;
  std::vector<std::string> flags = {"--max-txn-ops=10000", "--max-request-bytes=10485760",
                                    "--grpc-keepalive-min-time=1s"};
  const Certificates* tls = nullptr;  // for clients; they must show a certificate
};

class EtcdCluster {
 public:
  explicit EtcdCluster(EtcdClusterOptions options = {});  // started and ready
  EtcdCluster(const EtcdCluster&) = delete;
  EtcdCluster& operator=(const EtcdCluster&) = delete;
  ~EtcdCluster();

  std::vector<std::string> endpoints() const;
  // With the endpoints, TLS, and time-outs for tests.
  EtcdOptions options(const std::string& name_space) const;

  void start(size_t member);
  void kill(size_t member);  // as by kill -9
  void freeze(size_t member);
  void thaw(size_t member);
  void stop_all();
  void start_all();  // and waits until they are ready
  void wait_until_ready();
  size_t leader();
  // Runs etcdctl with these arguments, and throws when it fails.
  void control(const std::string& arguments) const;

 private:
  struct Member {
    std::string name, client, peer;  // host:port
    pid_t pid = -1;
  };
  struct Seen {
    uint64_t member = 0, leader = 0;  // by etcd's numbers; 0: does not answer, or knows none
  };
  Seen ask(const Member& member) const;
  std::vector<std::string> arguments_of(const Member& member) const;

  const EtcdClusterOptions options_;
  TemporaryDirectory directory_;
  std::vector<Member> members_;
};

}  // namespace viaduct::topology::store::testing
