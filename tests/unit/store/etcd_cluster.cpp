#include "tests/unit/store/etcd_cluster.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <utility>

#include "topology/store/etcd/rpc.grpc.pb.h"

namespace viaduct::topology::store::testing {
namespace {

using namespace std::chrono_literals;

void run(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) throw std::runtime_error("failed: " + command);
}

// Ports that were free a moment ago; all are held until all are known, so that they differ.
std::vector<std::string> free_addresses(size_t count) {
  std::vector<std::string> addresses;
  std::vector<int> sockets;
  for (size_t i = 0; i < count; ++i) {
    const int socket = sockets.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    if (bind(socket, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      throw std::runtime_error("no free port");
    }
    addresses.push_back("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  }
  for (int socket : sockets) close(socket);
  return addresses;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const Certificates* tls) {
  if (tls == nullptr) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({content_of(tls->authority), content_of(tls->client_key), content_of(tls->client)});
}

pid_t spawn(const std::vector<std::string>& arguments, const std::filesystem::path& log) {
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing running
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execvp(words[0], words.data());
    _exit(127);
  }
  close(output);
  return pid;
}

}  // namespace

Certificates::Certificates(const std::filesystem::path& directory)
    : authority(directory / "ca.pem"),
      server(directory / "server.pem"),
      server_key(directory / "server.key"),
      client(directory / "client.pem"),
      client_key(directory / "client.key") {
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
  const auto at = [&](const std::string& name) { return (directory / name).string(); };
  run("openssl req -x509 " + key + "-days 2 -subj /CN=authority -keyout " + at("ca.key") + " -out " + at("ca.pem"));
  std::ofstream(directory / "names") << "subjectAltName=IP:127.0.0.1\n";
  for (const std::string name : {"server", "client"}) {
    run("openssl req " + key + "-subj /CN=" + name + " -keyout " + at(name + ".key") + " -out " + at(name + ".csr"));
    run("openssl x509 -req -days 2 -in " + at(name + ".csr") + " -CA " + at("ca.pem") + " -CAkey " + at("ca.key") +
        " -CAcreateserial -extfile " + at("names") + " -out " + at(name + ".pem"));
  }
}

EtcdCluster::EtcdCluster(EtcdClusterOptions options) : options_(std::move(options)) {
  const auto addresses = free_addresses(2 * options_.members);
  for (size_t i = 0; i < options_.members; ++i) {
    members_.push_back({"m" + std::to_string(i), addresses[2 * i], addresses[2 * i + 1]});
  }
  start_all();
}

EtcdCluster::~EtcdCluster() { stop_all(); }

std::vector<std::string> EtcdCluster::arguments_of(const Member& member) const {
  std::string everyone;
  for (const Member& other : members_) {
    everyone += (everyone.empty() ? "" : ",") + other.name + "=http://" + other.peer;
  }
  const std::string scheme = options_.tls != nullptr ? "https://" : "http://";
  std::vector<std::string> words{"etcd",
                                 "--name=" + member.name,
                                 "--data-dir=" + (directory_.path() / member.name).string(),
                                 "--listen-client-urls=" + scheme + member.client,
                                 "--advertise-client-urls=" + scheme + member.client,
                                 "--listen-peer-urls=http://" + member.peer,
                                 "--initial-advertise-peer-urls=http://" + member.peer,
                                 "--initial-cluster=" + everyone,
                                 "--initial-cluster-token=" + directory_.path().filename().string(),
                                 "--logger=zap",
                                 "--log-level=warn"};
  if (options_.tls != nullptr) {
    words.push_back("--client-cert-auth");
    words.push_back("--trusted-ca-file=" + options_.tls->authority.string());
    words.push_back("--cert-file=" + options_.tls->server.string());
    words.push_back("--key-file=" + options_.tls->server_key.string());
  }
  words.insert(words.end(), options_.flags.begin(), options_.flags.end());
  return words;
}

std::vector<std::string> EtcdCluster::endpoints() const {
  std::vector<std::string> all;
  for (const Member& member : members_) all.push_back(member.client);
  return all;
}

EtcdOptions EtcdCluster::options(const std::string& name_space) const {
  EtcdOptions options{endpoints()};
  options.name_space = name_space;
  options.keepalive_interval = 1500ms;
  options.keepalive_timeout = 1500ms;
  if (options_.tls != nullptr) options.tls = {options_.tls->authority, options_.tls->client, options_.tls->client_key};
  return options;
}

void EtcdCluster::start(size_t member) {
  Member& it = members_.at(member);
  it.pid = spawn(arguments_of(it), directory_.path() / (it.name + ".log"));
}

void EtcdCluster::kill(size_t member) {
  pid_t& pid = members_.at(member).pid;
  if (pid <= 0) return;
  ::kill(pid, SIGKILL);
  waitpid(std::exchange(pid, -1), nullptr, 0);
}

void EtcdCluster::freeze(size_t member) { ::kill(members_.at(member).pid, SIGSTOP); }
void EtcdCluster::thaw(size_t member) { ::kill(members_.at(member).pid, SIGCONT); }

void EtcdCluster::stop_all() {
  for (size_t i = 0; i < members_.size(); ++i) kill(i);
}

void EtcdCluster::start_all() {
  for (size_t i = 0; i < members_.size(); ++i) start(i);
  wait_until_ready();
}

EtcdCluster::Seen EtcdCluster::ask(const Member& member) const {
  const auto channel = grpc::CreateChannel(member.client, credentials_of(options_.tls));
  const auto stub = etcdserverpb::Maintenance::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 500ms);
  etcdserverpb::StatusResponse response;
  if (!stub->Status(&context, {}, &response).ok()) return {};
  return {response.header().member_id(), response.leader()};
}

void EtcdCluster::wait_until_ready() {
  const bool ready = eventually([&] {
    uint64_t leader = 0;
    for (const Member& member : members_) {
      const Seen seen = ask(member);
      if (seen.leader == 0 || (leader != 0 && seen.leader != leader)) return false;
      leader = seen.leader;
    }
    return true;
  });
  if (!ready) throw std::runtime_error("etcd is not ready: " + content_of(directory_.path() / "m0.log"));
}

size_t EtcdCluster::leader() {
  size_t leader = 0;
  const bool found = eventually([&] {
    for (leader = 0; leader < members_.size(); ++leader) {
      if (members_[leader].pid <= 0) continue;
      const Seen seen = ask(members_[leader]);
      if (seen.leader != 0 && seen.leader == seen.member) return true;
    }
    return false;
  });
  if (!found) throw std::runtime_error("no member of etcd leads");
  return leader;
}

void EtcdCluster::control(const std::string& arguments) const {
  std::string command = "ETCDCTL_API=3 etcdctl ";
  if (options_.tls != nullptr) {
    command += "--cacert=" + options_.tls->authority.string() + " --cert=" + options_.tls->client.string() +
               " --key=" + options_.tls->client_key.string() + " ";
  }
  run(command + "--endpoints=" + (options_.tls != nullptr ? "https://" : "http://") + members_[0].client + " " +
      arguments);
}

}  // namespace viaduct::topology::store::testing
