#include "topology/deletion_policy.hpp"

namespace viaduct::topology {

std::string_view to_string(OnDelete policy) {
  switch (policy) {
    case OnDelete::cascade:
      return "cascade";
    case OnDelete::clear:
      return "clear";
    case OnDelete::refuse:
      return "refuse";
  }
  return "unknown";
}

}  // namespace viaduct::topology
