#include "observability/flow_log/json.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace viaduct::observability::flow_log {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17, kIcmp = 1, kIcmpv6 = 58, kSctp = 132;
constexpr std::string_view kReplacement = "\\ufffd";

// Bytes of the UTF-8 sequence at the front; 0: none is there (RFC 3629 4).
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t at) { return at < text.size() ? static_cast<uint8_t>(text[at]) : uint8_t{0}; };
  const auto follows = [&](size_t at, uint8_t least = 0x80, uint8_t most = 0xbf) {
    return byte(at) >= least && byte(at) <= most;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool good = follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && follows(2);
    return good ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool good = follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3);
    return good ? 4 : 0;
  }
  return 0;
}

template <size_t N, class... Args>
void append_format(std::string& out, const char* format, Args... args) {
  std::array<char, N> buffer;
  const int length = std::snprintf(buffer.data(), buffer.size(), format, args...);
  out.append(buffer.data(), static_cast<size_t>(length));
}

void key(std::string_view name, std::string& out) {
  if (out.back() != '{' && out.back() != '[') out += ',';
  out += '"';
  out += name;
  out += "\":";
}
void text(std::string_view name, std::string_view value, std::string& out) {
  key(name, out);
  append_json_string(value, out);
}
void number(std::string_view name, uint64_t value, std::string& out) {
  key(name, out);
  out += std::to_string(value);
}
void uuid(std::string_view name, const Uuid& value, std::string& out) {
  if (!value.is_nil()) text(name, value.to_string(), out);
}

// "2026-11-23T12:00:00.123456Z"
void moment(std::string_view name, std::chrono::system_clock::time_point when, std::string& out) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
  const time_t seconds = micros / 1'000'000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  key(name, out);
  append_format<96>(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\"", parts.tm_year + 1900, parts.tm_mon + 1,
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(micros % 1'000'000));
}

void tuple(const Record& record, const Tuple& of, std::string& out) {
  text("src", of.src.to_string(), out);
  text("dst", of.dst.to_string(), out);
  if (record.protocol == kIcmp || record.protocol == kIcmpv6) {
    number("icmp_type", of.src_port, out);
    number("icmp_code", of.dst_port, out);
  } else if (record.protocol == kTcp || record.protocol == kUdp || record.protocol == kSctp) {
    number("src_port", of.src_port, out);
    number("dst_port", of.dst_port, out);
  }
}

void headers(const Record& record, std::string& out) {
  text("src_mac", record.src_mac.to_string(), out);
  text("dst_mac", record.dst_mac.to_string(), out);
  key("ether_type", out);
  append_format<16>(out, "\"0x%04x\"", static_cast<unsigned>(record.ether_type));
  if (record.vlan_tags > 0) number("vlan", record.vlan, out);
  if (record.vlan_tags > 1) number("inner_vlan", record.inner_vlan, out);
  if (record.ip_version == 0) return;
  number("protocol", record.protocol, out);
  tuple(record, record.before, out);
  if (record.after == record.before) return;
  key("translated", out);
  out += '{';
  tuple(record, record.after, out);
  out += '}';
}

void verdict(const Record& record, std::string& out) {
  text("verdict", to_string(record.outcome), out);
  if (record.outcome != Outcome::dropped) return;
  text("reason", record.reason, out);
  key("at", out);
  out += '{';
  if (!record.place.is_nil()) text("kind", record.place_kind, out);
  uuid("id", record.place, out);
  uuid("chain", record.chain, out);
  uuid("rule", record.rule, out);
  if (!record.rule.is_nil()) number("position", record.position, out);
  out += '}';
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    const auto c = static_cast<uint8_t>(text.front());
    if (length == 0) {
      out += kReplacement;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += text.front();
    } else if (c < 0x20 || c == 0x7f) {
      append_format<8>(out, "\\u%04x", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  out += '"';
}

void JsonWriter::port(const Uuid& id, std::string& out) const {
  if (id.is_nil()) return;
  uuid("port", id, out);
  const PortNames names = context_.names ? context_.names(id) : PortNames{};
  if (!names.name.empty()) text("name", names.name, out);
  if (!names.tenant.empty()) text("tenant", names.tenant, out);
}

void JsonWriter::places(const Record& record, std::string& out) const {
  key("ingress", out);
  out += '{';
  port(record.ingress, out);
  if (record.ingress_number != 0) number("interface", record.ingress_number, out);
  uuid("host", record.from_host, out);
  out += '}';
  key("egress", out);
  out += '[';
  for (size_t i = 0; i < std::min<size_t>(record.egress_count, Record::kEgresses); ++i) {
    const Egress& to = record.egress[i];
    out += i == 0 ? "{" : ",{";
    port(to.port, out);
    if (to.interface != 0) number("interface", to.interface, out);
    uuid("host", to.host, out);
    out += '}';
  }
  out += ']';
  if (record.egress_count > Record::kEgresses) number("egress_count", record.egress_count, out);
  key("devices", out);
  out += '[';
  for (size_t i = 0; i < record.device_count; ++i) {
    if (i > 0) out += ',';
    append_json_string(record.devices[i].to_string(), out);
  }
  out += ']';
}

void JsonWriter::matched(const Record& record, std::string& out) const {
  key("match", out);
  out += '[';
  bool first = true;
  for (size_t i = 0; i < context_.fields.size(); ++i) {
    if ((record.matched >> i & 1) == 0) continue;
    if (!std::exchange(first, false)) out += ',';
    append_json_string(context_.fields[i], out);
  }
  out += ']';
}

void JsonWriter::common(const Record& record, std::string& out) const {
  text("host", context_.host, out);
  key("id", out);
  append_format<32>(out, "\"%016llx\"", static_cast<unsigned long long>(record.serial));
  if (!record.alone) {
    key("flow", out);
    append_format<48>(out, "\"%016llx%016llx\"", static_cast<unsigned long long>(record.flow_high),
                      static_cast<unsigned long long>(record.flow_low));
  }
  verdict(record, out);
  places(record, out);
  headers(record, out);
}

void JsonWriter::decided(const Record& record, const Clocks& clocks, std::string& out) const {
  out += '{';
  text("event", record.alone ? "packet" : "start", out);
  moment("time", clocks.at(record.decided), out);
  common(record, out);
  if (!record.alone) matched(record, out);
  number("frame_bytes", record.frame_bytes, out);
  out += "}\n";
}

void JsonWriter::ended(const Record& record, const Ended& end, const Clocks& clocks, std::string& out) const {
  const Time last = std::max(end.last_used, record.decided);
  out += '{';
  text("event", "end", out);
  moment("time", clocks.at(last), out);
  moment("start", clocks.at(record.decided), out);
  common(record, out);
  number("packets", end.packets, out);
  number("bytes", end.bytes, out);
  key("duration", out);
  append_format<48>(out, "%.6f", std::chrono::duration<double>(last - record.decided).count());
  text("end_reason", to_string(end.reason), out);
  out += "}\n";
}

}  // namespace viaduct::observability::flow_log
