#include "flows/table/flow_ages.hpp"

#include <algorithm>

namespace viaduct::flows {

void FlowAges::append(List& list, Neighbours Flow::*links, uint32_t flow) {
  flows_[flow].*links = {list.tail, kNone};
  if (list.tail != kNone) {
    (flows_[list.tail].*links).next = flow;
  } else {
    list.head = flow;
  }
  list.tail = flow;
  ++list.count;
}

void FlowAges::unlink(List& list, Neighbours Flow::*links, uint32_t flow) {
  const Neighbours around = flows_[flow].*links;
  (around.previous != kNone ? (flows_[around.previous].*links).next : list.head) = around.next;
  (around.next != kNone ? (flows_[around.next].*links).previous : list.tail) = around.previous;
  --list.count;
}

void FlowAges::rank(PortNumber port, uint32_t before, uint32_t after) {
  if (before == 0) {
    ranking_.emplace(after, port);
    return;
  }
  auto node = ranking_.extract({before, port});
  if (after == 0) return;
  node.value().first = after;
  ranking_.insert(std::move(node));
}

void FlowAges::add(uint32_t flow, PortNumber port, Time now) {
  flows_.grow_to(flow + 1);
  if (all_.tail != kNone) now = std::max(now, flows_[all_.tail].last_used);
  flows_[flow].last_used = now;
  flows_[flow].port = port;
  append(all_, &Flow::in_all, flow);
  List& list = ports_[port];
  append(list, &Flow::in_port, flow);
  rank(port, list.count - 1, list.count);
}

void FlowAges::use(uint32_t flow, Time now) {
  flows_[flow].last_used = std::max(now, flows_[all_.tail].last_used);
  unlink(all_, &Flow::in_all, flow);
  append(all_, &Flow::in_all, flow);
  List& list = ports_[flows_[flow].port];
  unlink(list, &Flow::in_port, flow);
  append(list, &Flow::in_port, flow);
}

void FlowAges::remove(uint32_t flow) {
  unlink(all_, &Flow::in_all, flow);
  const auto of_port = ports_.find(flows_[flow].port);
  unlink(of_port->second, &Flow::in_port, flow);
  rank(of_port->first, of_port->second.count + 1, of_port->second.count);
  if (of_port->second.count == 0) ports_.erase(of_port);
}

std::optional<uint32_t> FlowAges::oldest() const {
  return all_.head == kNone ? std::nullopt : std::optional(all_.head);
}

std::optional<uint32_t> FlowAges::oldest(PortNumber port) const {
  const auto found = ports_.find(port);
  return found == ports_.end() ? std::nullopt : std::optional(found->second.head);
}

std::optional<uint32_t> FlowAges::victim(PortNumber newcomer) const {
  if (ranking_.empty()) return std::nullopt;
  const auto [most, fullest] = *ranking_.rbegin();
  const size_t own = count(newcomer);
  return oldest(own != 0 && own + 1 >= most ? newcomer : fullest);
}

size_t FlowAges::count(PortNumber port) const {
  const auto found = ports_.find(port);
  return found == ports_.end() ? 0 : found->second.count;
}

std::vector<uint32_t> FlowAges::flows_of(PortNumber port) const {
  std::vector<uint32_t> out;
  const auto found = ports_.find(port);
  if (found == ports_.end()) return out;
  out.reserve(found->second.count);
  for (uint32_t flow = found->second.head; flow != kNone; flow = flows_[flow].in_port.next) out.push_back(flow);
  return out;
}

size_t FlowAges::memory_bytes() const {
  constexpr size_t kPortBytes = 160;  // of map, set and allocator for each port
  return flows_.capacity() * sizeof(Flow) + ports_.size() * kPortBytes;
}

}  // namespace viaduct::flows
