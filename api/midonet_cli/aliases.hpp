// Short names for objects: "router0", and "port1" below it, which is "router0:port1".
//
// A name is given when an object is seen first, counted below the object above, and never given again. They are kept in a file
// between sessions, each with the topology that it is of.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::api::midonet_cli {

class Aliases {
 public:
  enum class Mode : uint8_t {
    off,
    known,  // those that there are are understood, and no new ones are given: of scripts
    given,
  };

  explicit Aliases(Mode mode = Mode::off) : mode_(mode) {}

  bool gives() const { return mode_ == Mode::given; }
  bool understands() const { return mode_ != Mode::off; }
  // Of the object below `parent` (a UUID; empty: the root), new when there is none. Only when gives().
  std::string give(const std::string& parent, std::string_view prefix, const std::string& uuid);
  // "port1" below `parent`, or "router0:port1" at the root: the UUID.
  std::optional<std::string> find(const std::string& parent, std::string_view alias) const;
  // Its own, and those of what is below it. The numbers are not given again.
  void forget(const std::string& uuid);
  // All of the root, and one level below.
  std::vector<std::string> all() const;

  // The text of a file: lines "TOPOLOGY PARENT|- ALIAS UUID". Only those of `topology` are taken; what is no such line is ignored.
  void load(std::string_view text, const std::string& topology);
  // `text` with the lines of `topology` as they are now, and all others.
  std::string save(std::string_view text, const std::string& topology) const;
  bool changed() const { return changed_; }

 private:
  struct Space {
    std::map<std::string, std::string, std::less<>> uuids;  // by alias
    std::map<std::string, std::string, std::less<>> names;  // by UUID
    std::map<std::string, uint64_t, std::less<>> next;      // number, by prefix
  };
  void add(Space& space, const std::string& alias, const std::string& uuid);

  const Mode mode_;
  std::map<std::string, Space, std::less<>> spaces_;  // by the UUID of the object above
  bool changed_ = false;
};

}  // namespace viaduct::api::midonet_cli
