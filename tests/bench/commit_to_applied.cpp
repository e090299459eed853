// Time from an operator's request to its being in force on the host, against the size of the topology.
//
//   commit_to_applied --port ADMIN_PORT --token-file FILE --pid PID [--sizes 100,1000,…] [--commits N]
//
// Speaks to a running viaductd as the tool does: each sample is one transaction with waitApplied, from sending the
// request to receiving the answer, so it holds the socket, validation, the synced write to disk, the feed, the next
// network, the datapath's port, and the invalidation of flows. Prints lines of "<what> <ports> <p50 ms> <p99 ms>", and
// "rss <ports> <MiB> <MiB at most>", "bulk <ports> <ms>" for the growth to each size.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "api/client/connection.hpp"
#include "api/client/token.hpp"
#include "topology/codec.hpp"
#include "two_namespaces.hpp"

namespace viaduct::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Operations = std::vector<topology::Operation>;

constexpr size_t kChunk = 500;  // ports created by one transaction
constexpr std::chrono::seconds kPatience{60};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "commit_to_applied: %s\n", why.c_str());
  std::exit(1);
}

// An operator: one connection, one transaction at a time.
class Operator {
 private:
  template <class F>
  static auto read(const schema::Frame& reply, F&& use) {
    auto result = schema::with_root<schema::AdminReply>(reply, {}, std::forward<F>(use));
    if (!result) give_up(result.failure().text);
    return *result;
  }

 public:
  Operator(uint16_t port, const std::string& token_file) {
    auto token = api::read_token(token_file);
    if (!token) give_up(token.failure().message);
    token_ = *token;
    auto opened = api::Connection::open({"127.0.0.1", port}, Clock::now() + kPatience);
    if (!opened) give_up(opened.failure().message);
    connection_ = std::move(*opened);
  }

  // All of `operations`, applied. Milliseconds.
  double apply(const Operations& operations) {
    const auto reply = ask([&](schema::AdminRequest::Builder request) {
      auto transact = request.initTransact();
      topology::encode_operations(operations, transact);
      transact.setWaitApplied(true);
    });
    const std::string problem = read(reply, [](schema::AdminReply::Reader answer) -> std::string {
      if (answer.isError()) return problem_of(answer.getError());
      if (!answer.isCommitted()) return "not an answer to a transaction";
      return answer.getCommitted().getApplied() ? "" : "committed, but not applied in time";
    });
    if (!problem.empty()) give_up(problem);
    return last_ms_;
  }

  // A daemon that is starting says so, and is asked again.
  HostId host() {
    for (const auto deadline = Clock::now() + kPatience; Clock::now() < deadline;) {
      const auto reply = ask([](schema::AdminRequest::Builder request) { request.setStatus(); });
      const HostId host = read(reply, [](schema::AdminReply::Reader answer) {
        return answer.isStatus() ? HostId(topology::decode(answer.getStatus().getHostId())) : HostId();
      });
      if (!host.is_nil()) return host;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    give_up("the daemon does not say its status");
  }

 private:
  static std::string problem_of(schema::AdminError::Reader error) {
    std::string text = error.getMessage().cStr();
    for (auto violation : error.getViolations()) text += std::string("; ") + violation.getMessage().cStr();
    return text;
  }
  template <class Fill>
  schema::Frame ask(Fill&& fill) {
    capnp::MallocMessageBuilder message;
    auto request = message.initRoot<schema::AdminRequest>();
    request.setMajor(schema::PROTOCOL_MAJOR);
    request.setToken({token_.data(), token_.size()});
    request.setId(++id_);
    fill(request);
    const schema::Frame frame = schema::Frame::of(message);
    const auto start = Clock::now();
    auto sent = connection_->send(frame, start + kPatience);
    if (!sent) give_up(sent.failure().message);
    auto reply = connection_->receive(start + kPatience);
    if (!reply) give_up(reply.failure().message);
    last_ms_ = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    return std::move(*reply);
  }
  std::vector<uint8_t> token_;
  std::unique_ptr<api::Connection> connection_;
  uint64_t id_ = 0;
  double last_ms_ = 0;
};

// A bridge full of bound ports, and a router beside it.
class Topology {
 public:
  explicit Topology(Operator& tool) : tool_(tool), host_(tool.host()) {
    topology::Bridge bridge;
    bridge.id = bridge_;
    bridge.name = "bench-bridge";
    topology::Router router;
    router.id = router_;
    router.name = "bench-router";
    topology::Port near, far;
    near.id = PortId::random();
    far.id = uplink_;
    near.name = "bench-near";
    far.name = "bench-far";
    near.bridge = bridge_;
    far.router = router_;
    near.peer = far.id;
    far.peer = near.id;
    far.addresses = {*IpPrefix::parse("10.0.0.1/16")};
    tool_.apply({topology::Create{bridge}, topology::Create{router}, topology::Create{near}, topology::Create{far}});
  }

  topology::Port next_port() {
    topology::Port port;
    port.id = PortId::random();
    port.name = "bench-" + std::to_string(ports_);
    port.bridge = bridge_;
    port.host = host_;
    port.interface = "fake" + std::to_string(ports_);
    return port;
  }
  // Milliseconds for all of them.
  double grow_to(size_t ports) {
    double total = 0;
    while (ports_ < ports) {
      Operations operations;
      for (size_t i = 0; i < kChunk && ports_ < ports; ++i, ++ports_)
        operations.push_back(topology::Create{next_port()});
      total += tool_.apply(operations);
    }
    return total;
  }
  // The time to add one; it is removed again.
  double add_port() {
    const topology::Port port = next_port();
    const double time = tool_.apply({topology::Create{port}});
    tool_.apply({topology::Erase{{topology::Kind::port, port.id.uuid()}}});
    return time;
  }
  double add_route() {
    topology::Route route;
    route.id = RouteId::random();
    route.router = router_;
    route.destination = *IpPrefix::parse("192.0.2.0/24");
    route.source = IpPrefix::any(IpFamily::v4);
    route.next_hop_port = uplink_;
    route.gateway = *IpAddress::parse("10.0.9.9");
    const double time = tool_.apply({topology::Create{route}});
    tool_.apply({topology::Erase{{topology::Kind::route, route.id.uuid()}}});
    return time;
  }

 private:
  Operator& tool_;
  const HostId host_;
  const BridgeId bridge_ = BridgeId::random();
  const RouterId router_ = RouterId::random();
  const PortId uplink_ = PortId::random();
  size_t ports_ = 0;
};

// "VmRSS" or "VmHWM" of a process, in MiB.
double memory_mib(const std::string& pid, const std::string& field) {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) return std::stod(line.substr(field.size() + 1)) / 1024;
  }
  return 0;
}

template <class Sample>
void report(const char* what, size_t ports, size_t commits, Sample&& sample) {
  std::vector<double> times;
  for (size_t i = 0; i < commits; ++i) times.push_back(sample());
  std::sort(times.begin(), times.end());
  std::printf("%s %zu %.3f %.3f\n", what, ports, times[times.size() / 2], times[times.size() * 99 / 100]);
}

int run(int argc, char** argv) {
  Operator tool(static_cast<uint16_t>(std::stoul(argument(argc, argv, "--port"))),
                argument(argc, argv, "--token-file"));
  const std::string pid = argument(argc, argv, "--pid");
  const size_t commits = std::stoul(argument(argc, argv, "--commits", "100"));
  std::istringstream sizes(argument(argc, argv, "--sizes", "100,1000,5000,10000"));
  Topology topology(tool);
  for (std::string size; std::getline(sizes, size, ',');) {
    const size_t ports = std::stoul(size);
    std::printf("bulk %zu %.3f\n", ports, topology.grow_to(ports));
    report("port", ports, commits, [&] { return topology.add_port(); });
    report("route", ports, commits, [&] { return topology.add_route(); });
    std::printf("rss %zu %.1f %.1f\n", ports, memory_mib(pid, "VmRSS"), memory_mib(pid, "VmHWM"));
  }
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) { return viaduct::bench::run(argc, argv); }
