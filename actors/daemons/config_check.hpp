// Whether a configuration makes sense as a whole: what one key demands of another.
#pragma once

#include "actors/daemons/config_file.hpp"
#include "schema/identity/credentials.hpp"

namespace viaduct::actors {

// Adds to source.problems. Looks at the values alone, not at files that they name.
void check_config(ConfigSource& source);

// Whether the files that [tls] and [etcd] name are what a daemon needs: there, readable, of one kind, valid at `now`.
// Only of a configuration without other problems. Sets host.name, when it is empty, to the name in the certificate.
void check_files(ConfigSource& source, identity::TimePoint now);

// What [tls] says, for Identity::load and for TLS itself.
identity::CredentialFiles credential_files(const Config& config);
// The roles that this node's certificate must grant: those in which it speaks with other hosts.
identity::Roles needed_roles(const Config& config);

}  // namespace viaduct::actors
