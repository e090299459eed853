#include "routing/bgp/namespace.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

namespace viaduct::routing::bgp {

namespace {

constexpr const char* kDirectory = "/run/netns";

std::string path_of(const std::string& name) { return std::string(kDirectory) + "/" + name; }

Problem failed(const std::string& what) { return what + ": " + std::strerror(errno); }

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool good_name(const std::string& name) {
  return !name.empty() && name.size() <= 200 && name != "." && name != ".." && name.find('/') == std::string::npos;
}

// As ip-netns(8): a mount point that is shared, so that other mount namespaces see what appears and goes.
Problem make_directory() {
  if (mkdir(kDirectory, 0755) != 0 && errno != EEXIST) return failed(std::string("making ") + kDirectory);
  if (mount("", kDirectory, "none", MS_SHARED | MS_REC, nullptr) == 0) return std::nullopt;
  if (errno != EINVAL) return failed(std::string("sharing ") + kDirectory);
  if (mount(kDirectory, kDirectory, "none", MS_BIND | MS_REC, nullptr) != 0 ||
      mount("", kDirectory, "none", MS_SHARED | MS_REC, nullptr) != 0) {
    return failed(std::string("mounting ") + kDirectory);
  }
  return std::nullopt;
}

// A file that is a namespace, not one that a maker left before it was one.
bool is_namespace(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  const File before(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  struct stat one {
  }, ours{};
  return before && fstat(file.get(), &one) == 0 && fstat(before.get(), &ours) == 0 && one.st_dev == ours.st_dev;
}

std::vector<std::string> entries(const char* directory, std::string_view prefix) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> open_directory(opendir(directory), closedir);
  if (!open_directory) return out;
  while (const dirent* entry = readdir(open_directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && name.starts_with(prefix)) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Whoever lives in there is of an earlier life of ours: nobody else knows the name.
Problem kill_processes(const std::string& name) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  std::vector<int> left = processes_in(name);
  while (!left.empty()) {
    for (const int pid : left) ::kill(pid, SIGKILL);
    if (std::chrono::steady_clock::now() > deadline) {
      return "namespace " + name + ": process " + std::to_string(left.front()) + " survives SIGKILL";
    }
    std::this_thread::yield();
    left = processes_in(name);
  }
  return std::nullopt;
}

}  // namespace

Problem run_in_namespace(const std::string& name, const std::function<void()>& body) {
  const File space(open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!space) return failed("opening network namespace " + name);
  Problem out;
  std::thread([&] {
    if (setns(space.get(), CLONE_NEWNET) != 0) {
      out = failed("entering network namespace " + name);
    } else {
      body();
    }
  }).join();
  return out;
}

Problem make_namespace(const std::string& name) {
  if (!good_name(name)) return "network namespace \"" + name + "\": not a file name";
  if (auto problem = make_directory()) return problem;
  const std::string path = path_of(name);
  if (is_namespace(path)) return std::nullopt;
  const File file(open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0));
  if (!file) return failed("making " + path);
  Problem out;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) {
      out = failed("making network namespace " + name);
    } else if (mount("/proc/thread-self/ns/net", path.c_str(), "none", MS_BIND, nullptr) != 0) {
      out = failed("mounting network namespace " + path);
    }
  }).join();
  if (out) unlink(path.c_str());
  return out;
}

Problem remove_namespace(const std::string& name, const std::string& outer) {
  const std::string path = path_of(name);
  Problem out = kill_processes(name);
  if (!outer.empty()) {
    if (auto problem = remove_link(outer); problem && !out) out = problem;
  }
  if (umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT && !out)
    out = failed("unmounting " + path);
  if (unlink(path.c_str()) != 0 && errno != ENOENT && !out) out = failed("removing " + path);
  return out;
}

Leftovers leftovers(std::string_view prefix) {
  Leftovers out;
  out.namespaces = entries(kDirectory, prefix);
  const std::unique_ptr<struct if_nameindex, void (*)(struct if_nameindex*)> all(if_nameindex(), if_freenameindex);
  for (const auto* one = all.get(); one != nullptr && one->if_index != 0; ++one) {
    if (std::string_view(one->if_name).starts_with(prefix)) out.links.emplace_back(one->if_name);
  }
  return out;
}

std::vector<int> processes_in(const std::string& name) {
  std::vector<int> out;
  struct stat space {};
  if (stat(path_of(name).c_str(), &space) != 0) return out;
  for (const std::string& entry : entries("/proc", "")) {
    if (!std::all_of(entry.begin(), entry.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
    struct stat one {};
    if (stat(("/proc/" + entry + "/ns/net").c_str(), &one) == 0 && one.st_ino == space.st_ino &&
        one.st_dev == space.st_dev) {
      out.push_back(std::stoi(entry));
    }
  }
  std::erase(out, getpid());
  return out;
}

Problem listen_in_namespace(const std::string& name, Listener& out) {
  Problem problem;
  const auto outside = run_in_namespace(name, [&] {
    out.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (out.fd < 0 || bind(out.fd, any, size) != 0 || listen(out.fd, 4) != 0 || getsockname(out.fd, any, &size) != 0) {
      problem = failed("listening on 127.0.0.1 in network namespace " + name);
    }
    out.port = ntohs(address.sin_port);
  });
  if (!outside && !problem) return std::nullopt;
  if (out.fd >= 0) close(out.fd);
  out = {};
  return outside ? outside : problem;
}

}  // namespace viaduct::routing::bgp
