// Who may use the REST API, as the daemon's configuration says: the files with tokens and passwords, read and read again.
//
// Lives as long as the daemon, not as its actors: tokens that logins gave stay good when the REST gateway is restarted.
#pragma once

#include <memory>
#include <string>

#include "actors/admin/token.hpp"
#include "api/rest/keystone_access.hpp"
#include "api/rest/password_access.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct RestAccessOptions {
  bool open = false;           // everybody is an admin; for a loopback address only
  std::string tokens_file;     // empty: of tokens that are known beforehand only the admin's
  std::string passwords_file;  // empty: nobody has a password
  std::chrono::seconds token_lifetime{86'400};
  struct Keystone {
    std::string url;  // empty: no Keystone
    std::string user, password_file, project, domain, ca_file;
    std::string admin_role, reader_role, member_role;
  } keystone = {};
};

class RestAccess {
 public:
  // Null when a file makes no sense, or others may read it: `error` says which, why, and what to do.
  static std::unique_ptr<RestAccess> open(RestAccessOptions options, const AdminToken& admin,
                                          observability::RestProbe& probe, std::string& error);

  // Thread-safe, and good for longer than this.
  std::shared_ptr<const api::rest::Access> access() const { return access_; }
  // Reads the files again. All of them are taken or none: with an error what was known stays. From one thread at a time.
  void renew(std::string& error);

 private:
  RestAccess(RestAccessOptions options, const AdminToken& admin) : options_(std::move(options)), admin_(admin) {}
  struct Files;
  Files read(std::string& error) const;
  void make_keystone(std::string password, observability::RestProbe& probe);

  const RestAccessOptions options_;
  const AdminToken admin_;
  std::shared_ptr<api::rest::TokenAccess> tokens_;
  std::shared_ptr<api::rest::PasswordAccess> passwords_;  // null: no passwords
  std::shared_ptr<api::rest::KeystoneAccess> keystone_;   // null: no Keystone
  std::shared_ptr<const api::rest::Access> access_;
};

}  // namespace viaduct::actors
