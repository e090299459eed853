// Of host_checks.hpp: what the kernel can do.
#include <algorithm>
#include <charconv>
#include <utility>

#include "api/cli/doctor/host_checks.hpp"

namespace viaduct::api::cli {
namespace {

constexpr std::pair<int, int> kEbpfKernel{6, 1};
constexpr uint64_t kBpfFileSystem = 0xcafe4a11;  // BPF_FS_MAGIC
constexpr const char* kBpfDirectory = "/sys/fs/bpf";

// "6.1.0-18-amd64" is 6.1.
std::pair<int, int> version_of(const std::string& release) {
  int major = 0, minor = 0;
  const char* end = release.data() + release.size();
  const auto first = std::from_chars(release.data(), end, major);
  if (first.ptr != end && *first.ptr == '.') std::from_chars(first.ptr + 1, end, minor);
  return {major, minor};
}

enum class Module : uint8_t { there, loadable, absent, unknown };

// Whether the kernel has a module: loaded, built in, or on disk.
Module module_state(const Outside& host, const std::string& name) {
  if (host.facts("/sys/module/" + name).error == 0) return Module::there;
  const std::string directory = "/lib/modules/" + host.kernel_release() + "/";
  const FileText builtin = host.read(directory + "modules.builtin"), loadable = host.read(directory + "modules.dep");
  const std::string file = "/" + name + ".ko";
  if (builtin.text.find(file) != std::string::npos) return Module::there;
  if (loadable.text.find(file) != std::string::npos) return Module::loadable;
  return builtin.error != 0 && loadable.error != 0 ? Module::unknown : Module::absent;
}

bool is_possible(Module state) { return state == Module::there || state == Module::loadable; }

bool is_new_enough(const Outside& host) { return version_of(host.kernel_release()) >= kEbpfKernel; }

}  // namespace

Check check_kernel(const Outside& host, const std::string& datapath) {
  const std::string seen = "Linux " + host.kernel_release();
  if (is_new_enough(host)) return {"kernel", Verdict::ok, seen, {}};
  const bool ovs = datapath == "ovs" || is_possible(module_state(host, "openvswitch"));
  return {"kernel", ovs ? Verdict::warning : Verdict::failed, seen + ", and the eBPF datapath needs 6.1",
          ovs ? "use the openvswitch module (datapath.kind = \"ovs\"), or a newer kernel" : "boot a newer kernel"};
}

Check check_datapath(const Outside& host, const std::string& datapath) {
  if (datapath == "fake") {
    return {"datapath", Verdict::warning, "the daemon uses fake, a kernel in memory: no packet is carried",
            "take another datapath.kind in viaductd.toml, or leave --datapath out"};
  }
  if (!datapath.empty()) return {"datapath", Verdict::ok, "the daemon uses " + datapath, {}};
  const Module ovs = module_state(host, "openvswitch");
  if (ovs == Module::there) return {"datapath", Verdict::ok, "the openvswitch module is loaded", {}};
  if (is_new_enough(host)) return {"datapath", Verdict::ok, "eBPF is possible; openvswitch is not loaded", {}};
  if (ovs == Module::loadable)
    return {"datapath", Verdict::warning, "openvswitch is not loaded", "run: modprobe openvswitch"};
  return {"datapath", Verdict::failed, "neither the openvswitch module nor a kernel for eBPF",
          "install the module of this kernel, or boot Linux 6.1 or newer"};
}

Check check_bpf_file_system(const Outside& host, const std::string& datapath) {
  const char* name = "bpf_file_system";
  if (datapath == "ovs" || datapath == "fake")
    return {name, Verdict::skipped, "the datapath " + datapath + " needs none", {}};
  const SpaceFacts space = host.space(kBpfDirectory);
  if (space.error == 0 && space.type == kBpfFileSystem) return {name, Verdict::ok, std::string(kBpfDirectory), {}};
  return {name, Verdict::warning,
          std::string("none is mounted at ") + kBpfDirectory + "; viaductd mounts it when it starts",
          "to have it from the boot on: mount -t bpf bpf /sys/fs/bpf"};
}

Check check_tunnel_devices(const Outside& host) {
  const Module vxlan = module_state(host, "vxlan"), gre = module_state(host, "ip_gre");
  const std::string also = is_possible(gre) ? "vxlan and gre" : "vxlan";
  if (is_possible(vxlan)) return {"tunnel_devices", Verdict::ok, also, {}};
  if (vxlan == Module::unknown) {
    return {"tunnel_devices",
            Verdict::skipped,
            "vxlan is not loaded, and there is no list of modules for this kernel: it may be built in",
            {}};
  }
  return {"tunnel_devices", is_possible(gre) ? Verdict::warning : Verdict::failed, "the kernel has no vxlan",
          "use tunnel zones of type gre, or a kernel with vxlan; one host alone needs neither"};
}

Check check_tun(const Outside& host) {
  if (host.facts("/dev/net/tun").error == 0) return {"tun", Verdict::ok, "/dev/net/tun", {}};
  return {"tun", Verdict::warning, "there is no /dev/net/tun, which the tap interfaces of virtual machines need",
          "run: modprobe tun"};
}

Check check_network_namespaces(const Outside& host) {
  if (host.facts("/proc/self/ns/net").error == 0) return {"network_namespaces", Verdict::ok, "there are", {}};
  return {"network_namespaces", Verdict::failed, "the kernel has none, and BGP speakers live in some",
          "boot a kernel with CONFIG_NET_NS"};
}

}  // namespace viaduct::api::cli
