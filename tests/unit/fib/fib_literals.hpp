// Entries and addresses as text.
#pragma once

#include <string_view>

#include "routing/fib/fib.hpp"

namespace viaduct::routing {

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
inline IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }
inline RouteId route_id(uint64_t number) { return RouteId(Uuid::from_words(0x1234, number)); }

inline FibEntry entry(uint64_t number, std::string_view destination, uint32_t weight = 100,
                      std::string_view source = "") {
  FibEntry out;
  out.id = route_id(number);
  out.destination = net(destination);
  out.source = source.empty() ? IpPrefix::any(out.destination.family()) : net(source);
  out.port = PortId(Uuid::from_words(7, number));
  out.weight = weight;
  return out;
}

// A Fib that is changed by making another one, as a published network's is.
class Table : public Fib {
 public:
  Table with(const FibEntry& entry) const {
    return changed([&](Table& table) { table.put(entry); });
  }
  Table without(RouteId id, const IpPrefix& destination) const {
    return changed([&](Table& table) { table.remove(id, destination); });
  }
  Table standing(PortId port, const NextHops& next_hops) const {
    return changed([&](Table& table) { table.stand(port, next_hops); });
  }

 private:
  template <class Change>
  Table changed(Change&& change) const {
    Table out = *this;
    change(out);
    return out;
  }
};

}  // namespace viaduct::routing
