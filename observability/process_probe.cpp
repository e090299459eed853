#include "observability/process_probe.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace viaduct::observability {
namespace {

// Of /proc/self/stat what stands behind the name of the program, whatever that holds (proc(5)).
struct Stat {
  double cpu_seconds = 0, start_seconds = 0;  // the latter since the machine's start
  double threads = 0, virtual_bytes = 0, resident_bytes = 0;
};

Stat read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = text.rfind(')');
  Stat out;
  if (name_end == std::string::npos) return out;
  std::istringstream fields(text.substr(name_end + 1));
  std::vector<std::string> all{std::istream_iterator<std::string>(fields), {}};
  if (all.size() < 22) return out;
  const auto number = [&](size_t field) { return std::stod(all[field - 3]); };  // by proc(5)'s numbers; 3 is the first
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  out.cpu_seconds = (number(14) + number(15)) / ticks;
  out.threads = number(20);
  out.start_seconds = number(22) / ticks;
  out.virtual_bytes = number(23);
  out.resident_bytes = number(24) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return out;
}

// When the machine was started; once, so that a clock that is set later does not move the process' start.
double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

double open_files() {
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return 0;
  const auto seen = std::distance(begin(files), end(files));
  return static_cast<double>(seen > 0 ? seen - 1 : 0);  // without the one that is being read
}

double most_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

ProcessProbe::ProcessProbe(Registry& registry, const std::string& version, const std::string& roles) {
  using enum MetricKind;
  registry
      .gauge("viaduct_build_info", "Always 1: which version this is, and the roles of the daemon.",
             {{"version", version}, {"roles", roles}})
      .set(1);
  const double started = boot_time() + read_stat().start_seconds;
  exported_.push_back(registry.export_families(
      {{"process_start_time_seconds", "When the process was started, in seconds since 1970.", gauge},
       {"process_cpu_seconds_total", "CPU time that the process has used, its own and the kernel's for it.", counter},
       {"process_threads", "Threads of the process.", gauge},
       {"process_virtual_memory_bytes", "Address space of the process.", gauge},
       {"process_resident_memory_bytes", "Memory of the process that is in RAM.", gauge}},
      [started] {
        const Stat now = read_stat();
        return std::vector<std::vector<Sample>>{{{{}, started}},
                                                {{{}, now.cpu_seconds}},
                                                {{{}, now.threads}},
                                                {{{}, now.virtual_bytes}},
                                                {{{}, now.resident_bytes}}};
      }));
  exported_.push_back(
      registry.export_callback("process_open_fds", "Files that the process has open.", gauge, {}, open_files));
  exported_.push_back(
      registry.export_callback("process_max_fds", "Files that it may have open.", gauge, {}, most_files));
}

}  // namespace viaduct::observability
