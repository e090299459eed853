// OpenSSL's queue of errors belongs to a thread, and CAF runs all connections on one: what one connection left there
// (a peer that died, a handshake with rubbish) is what SSL_get_error says of the next, and each healthy one ends with it.
//
// Linked in, this library's SSL_read, SSL_write, SSL_accept and SSL_connect stand in front of OpenSSL's for the whole
// program, shared libraries included, and empty the queue before they call them. SSL_get_error(3) asks for just that.
#pragma once

namespace viaduct::actors {

// Who relies on it calls this, or the linker would leave it out.
void keep_tls_errors_apart();

}  // namespace viaduct::actors
