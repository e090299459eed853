// Values by text that end at a time of their own, at most so many: beyond that the oldest go.
//
// Not thread-safe. Times are of whatever clock the owner goes by.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace viaduct::api::rest {

template <class Value>
class BoundedMap {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit BoundedMap(size_t most) : most_(most) {}

  // Null: never there, ended at `now`, or gone for others. Valid until the next change.
  Value* find(const std::string& key, Time now) {
    auto at = entries_.find(key);
    if (at == entries_.end()) return nullptr;
    if (now < at->second.ends) return &at->second.value;
    remove(at);
    return nullptr;
  }

  // In place of what was there; the youngest now.
  void put(const std::string& key, Value value, Time ends) {
    erase(key);
    if (entries_.size() >= most_) remove(entries_.find(order_.front()));
    order_.push_back(key);
    entries_.emplace(key, Entry{std::move(value), ends, std::prev(order_.end())});
  }

  void erase(const std::string& key) {
    auto at = entries_.find(key);
    if (at != entries_.end()) remove(at);
  }

  template <class Predicate>
  void erase_if(Predicate unwanted) {
    for (auto at = entries_.begin(); at != entries_.end();) {
      auto next = std::next(at);
      if (unwanted(at->second.value)) remove(at);
      at = next;
    }
  }

  void clear() {
    entries_.clear();
    order_.clear();
  }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Value value;
    Time ends;
    std::list<std::string>::iterator place;
  };
  using Entries = std::unordered_map<std::string, Entry>;

  void remove(typename Entries::iterator at) {
    order_.erase(at->second.place);
    entries_.erase(at);
  }

  const size_t most_;
  Entries entries_;
  std::list<std::string> order_;  // the oldest first
};

}  // namespace viaduct::api::rest
