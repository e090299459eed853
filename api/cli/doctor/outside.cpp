#include "api/cli/doctor/outside.hpp"

#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "schema/identity/credentials.hpp"

namespace viaduct::api::cli {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;

std::string without_scope(std::string address) { return address.substr(0, address.find('%')); }

void add_ends(const std::string& path, std::vector<CertificateEnd>& ends) {
  std::string error;
  const auto text = identity::read_file(path, error);
  const auto chain = text ? identity::parse_pem(*text) : std::nullopt;
  if (!chain) return;  // among the problems
  for (const auto& certificate : *chain) {
    const identity::CertificateFacts facts = identity::facts_of(certificate.get());
    ends.push_back({facts.subject, facts.not_after});
  }
}

class ThisHost final : public Outside {
 public:
  FileText read(const std::string& path) const override {
    FileText out;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO must not hang the tool
    if (fd < 0) return {{}, errno};
    char buffer[65'536];
    ssize_t got = 0;
    while (out.text.size() < kMostBytes &&
           ((got = ::read(fd, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR)))
      if (got > 0) out.text.append(buffer, static_cast<size_t>(got));
    if (got < 0) out.error = errno;
    ::close(fd);
    return out;
  }

  FileFacts facts(const std::string& path) const override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {0, errno};
    return {status.st_mode & 07777U, 0};
  }

  SpaceFacts space(const std::string& path) const override {
    struct statfs status {};
    if (::statfs(path.c_str(), &status) != 0) return {0, 0, 0, errno};
    const auto block = static_cast<uint64_t>(status.f_bsize);
    return {status.f_blocks * block, status.f_bavail * block, static_cast<uint64_t>(status.f_type), 0};
  }

  std::vector<std::string> names_in(const std::string& directory) const override {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
      names.push_back(at->path().filename().string());
    return names;
  }

  std::vector<InterfaceFacts> interfaces() const override {
    std::map<std::string, InterfaceFacts> found;
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return {};
    for (const ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
      InterfaceFacts& interface = found[at->ifa_name];
      interface.name = at->ifa_name;
      interface.up = (at->ifa_flags & IFF_UP) != 0;
      if (at->ifa_addr == nullptr) continue;
      const int family = at->ifa_addr->sa_family;
      if (family != AF_INET && family != AF_INET6) continue;
      char text[NI_MAXHOST];
      const auto length = static_cast<socklen_t>(family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
      if (::getnameinfo(at->ifa_addr, length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
        interface.addresses.push_back(without_scope(text));
    }
    ::freeifaddrs(all);
    std::vector<InterfaceFacts> out;
    for (auto& [name, interface] : found) {
      interface.mtu = static_cast<uint32_t>(std::atoi(read("/sys/class/net/" + name + "/mtu").text.c_str()));
      out.push_back(std::move(interface));
    }
    return out;
  }

  ClockFacts clock() const override {
    timex state{};
    const int result = ::adjtimex(&state);
    if (result < 0) return {};
    return {true, result != TIME_ERROR && (state.status & STA_UNSYNC) == 0, std::chrono::microseconds(state.maxerror)};
  }

  std::string kernel_release() const override {
    utsname names{};
    return ::uname(&names) == 0 ? names.release : "";
  }

  CredentialFacts credentials(const CredentialPaths& paths) const override {
    CredentialFacts out;
    std::vector<identity::CredentialProblem> problems;
    (void)identity::Credentials::load({paths.ca, paths.certificate, paths.key, paths.revoked}, {}, now(), problems);
    for (auto& problem : problems) out.problems.push_back({std::move(problem.text), std::move(problem.cure)});
    add_ends(paths.certificate, out.ends);
    add_ends(paths.ca, out.ends);
    return out;
  }

  ProgramOutcome run(const std::vector<std::string>& words) const override { return run_program(words); }

  std::chrono::system_clock::time_point now() const override { return std::chrono::system_clock::now(); }
};

}  // namespace

std::unique_ptr<const Outside> this_host() { return std::make_unique<ThisHost>(); }

}  // namespace viaduct::api::cli
