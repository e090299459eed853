#include "flows/datapath/tunnel_interface.hpp"

#include <cstdint>
#include <cstdio>

namespace viaduct::flows {

namespace {

constexpr size_t kMaxNameBytes = 15;  // IFNAMSIZ without its end

// FNV-1a, folded to 16 bits: fixed for ever, as interfaces of an earlier life are found by it.
std::string short_hash(const std::string& text) {
  uint32_t hash = 2166136261U;
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  char digits[5];
  std::snprintf(digits, sizeof digits, "%04x", (hash ^ hash >> 16) & 0xffff);
  return digits;
}

}  // namespace

std::string tunnel_interface(const std::string& datapath, TunnelKind kind) {
  const std::string suffix = kind == TunnelKind::vxlan ? "-vxlan" : "-gre";
  if (datapath.size() + suffix.size() <= kMaxNameBytes) return datapath + suffix;
  const std::string hash = short_hash(datapath);
  return datapath.substr(0, kMaxNameBytes - suffix.size() - hash.size()) + hash + suffix;
}

}  // namespace viaduct::flows
