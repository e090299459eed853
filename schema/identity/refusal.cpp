#include "schema/identity/refusal.hpp"

namespace viaduct::identity {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::malformed:
      return "malformed";
    case Reason::too_big:
      return "too_big";
    case Reason::untrusted:
      return "untrusted";
    case Reason::not_yet_valid:
      return "not_yet_valid";
    case Reason::expired:
      return "expired";
    case Reason::revoked:
      return "revoked";
    case Reason::wrong_purpose:
      return "wrong_purpose";
    case Reason::weak:
      return "weak";
    case Reason::no_host:
      return "no_host";
    case Reason::role_not_granted:
      return "role_not_granted";
    case Reason::wrong_role:
      return "wrong_role";
    case Reason::wrong_host:
      return "wrong_host";
    case Reason::replayed:
      return "replayed";
    case Reason::reflected:
      return "reflected";
    case Reason::bad_signature:
      return "bad_signature";
    case Reason::version:
      return "version";
    case Reason::name_in_use:
      return "name_in_use";
    case Reason::too_many:
      return "too_many";
  }
  return "unknown";
}

}  // namespace viaduct::identity
