#include "api/rest/request_id.hpp"

#include "topology/address/id.hpp"
#include "topology/cause.hpp"

namespace viaduct::api::rest {

std::string request_id(std::string_view own) {
  return topology::is_request_name(own) ? std::string(own) : Uuid::random().to_string();
}

}  // namespace viaduct::api::rest
