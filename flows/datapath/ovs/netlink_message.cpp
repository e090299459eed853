#include "flows/datapath/ovs/netlink_message.hpp"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/openvswitch.h>

#include <algorithm>

namespace viaduct::flows::ovs {

namespace {

static_assert(kMaxAttributeBytes == 0xffff - NLA_HDRLEN);

constexpr size_t kHeadBytes = NLMSG_HDRLEN + GENL_HDRLEN + sizeof(ovs_header);

template <class T>
T load(Bytes from, size_t at) {
  T out;
  std::memcpy(&out, from.data() + at, sizeof(T));
  return out;
}

}  // namespace

void MessageBatch::begin(const MessageHead& head) {
  begun_ = bytes_.size();
  bytes_.resize(begun_ + kHeadBytes);
  nlmsghdr netlink{};
  netlink.nlmsg_type = head.family;
  netlink.nlmsg_flags = static_cast<uint16_t>(head.flags | NLM_F_REQUEST);
  netlink.nlmsg_seq = head.sequence;
  genlmsghdr generic{};
  generic.cmd = head.command;
  generic.version = head.version;
  ovs_header ovs{head.datapath};
  std::memcpy(bytes_.data() + begun_, &netlink, sizeof netlink);
  std::memcpy(bytes_.data() + begun_ + NLMSG_HDRLEN, &generic, sizeof generic);
  std::memcpy(bytes_.data() + begun_ + NLMSG_HDRLEN + GENL_HDRLEN, &ovs, sizeof ovs);
}

void MessageBatch::end() {
  auto length = static_cast<uint32_t>(bytes_.size() - begun_);
  std::memcpy(bytes_.data() + begun_ + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
  ++messages_;
}

void MessageBatch::abandon() { bytes_.resize(begun_); }

void MessageBatch::put(uint16_t type, Bytes value) {
  nlattr head{static_cast<uint16_t>(NLA_HDRLEN + value.size()), type};
  size_t at = bytes_.size();
  bytes_.resize(at + NLA_HDRLEN + NLA_ALIGN(value.size()));
  std::memcpy(bytes_.data() + at, &head, sizeof head);
  if (!value.empty()) std::memcpy(bytes_.data() + at + NLA_HDRLEN, value.data(), value.size());
}

void MessageBatch::put_string(uint16_t type, std::string_view text) {
  std::vector<uint8_t> terminated(text.begin(), text.end());
  terminated.push_back(0);
  put(type, Bytes(terminated));
}

size_t MessageBatch::open_nest(uint16_t type) {
  size_t at = bytes_.size();
  put(type, Bytes{});
  return at;
}

void MessageBatch::close_nest(size_t nest) {
  auto length = static_cast<uint16_t>(bytes_.size() - nest);
  std::memcpy(bytes_.data() + nest + offsetof(nlattr, nla_len), &length, sizeof length);
}

std::optional<Attribute> next_attribute(Bytes& rest) {
  if (rest.size() < NLA_HDRLEN) return std::nullopt;
  auto head = load<nlattr>(rest, 0);
  if (head.nla_len < NLA_HDRLEN || head.nla_len > rest.size()) return std::nullopt;
  Attribute out{static_cast<uint16_t>(head.nla_type & NLA_TYPE_MASK),
                rest.subspan(NLA_HDRLEN, head.nla_len - NLA_HDRLEN)};
  rest = rest.subspan(std::min<size_t>(rest.size(), NLA_ALIGN(head.nla_len)));
  return out;
}

bool Attributes::parse(Bytes attributes) {
  values_.fill({});
  while (auto attribute = next_attribute(attributes)) {
    if (attribute->type < kTypes) values_[attribute->type] = attribute->value;
  }
  return attributes.empty();
}

std::string_view Attributes::text(unsigned type) const {
  Bytes value = (*this)[type];
  auto end = std::find(value.begin(), value.end(), uint8_t{0});
  return {reinterpret_cast<const char*>(value.data()), static_cast<size_t>(end - value.begin())};
}

std::optional<Message> next_message(Bytes& rest) {
  if (rest.size() < NLMSG_HDRLEN) return std::nullopt;
  auto head = load<nlmsghdr>(rest, 0);
  if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > rest.size()) return std::nullopt;
  Bytes body = rest.subspan(NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
  rest = rest.subspan(std::min<size_t>(rest.size(), NLMSG_ALIGN(head.nlmsg_len)));
  Message out;
  out.sequence = head.nlmsg_seq;
  out.family = head.nlmsg_type;
  if (head.nlmsg_type == NLMSG_ERROR || head.nlmsg_type == NLMSG_DONE) {
    out.done = head.nlmsg_type == NLMSG_DONE;
    if (body.size() >= sizeof(int)) out.error = -load<int>(body, 0);
    return out;
  }
  if (body.size() < GENL_HDRLEN + sizeof(ovs_header)) return out;
  out.command = load<genlmsghdr>(body, 0).cmd;
  out.datapath = load<ovs_header>(body, GENL_HDRLEN).dp_ifindex;
  out.attributes = body.subspan(GENL_HDRLEN + sizeof(ovs_header));
  return out;
}

}  // namespace viaduct::flows::ovs
