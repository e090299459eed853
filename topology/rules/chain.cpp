#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {

void check(const Chain& chain, Inspection& inspection) {
  check_name(chain.name, "name", ref_of(chain), inspection);
  check_name(chain.tenant, "tenant", ref_of(chain), inspection);
}

}  // namespace viaduct::topology::rules
