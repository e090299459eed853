#!/usr/bin/env python3
"""What somebody without a certificate of ours can send to a cluster node's port.

  cluster_attack.py ADDRESS PORT CA FOREIGN_CERTIFICATE FOREIGN_KEY

Each kind of attack prints its name and "refused" or "taken"; idle connections are held until the standard input ends.
"""
import contextlib
import os
import socket
import ssl
import struct
import sys

PATIENCE = 5  # seconds
# CAF's own header: operation, padding, flags, payload length, operation data, source and destination actor.
LYING = struct.pack("!BBBBIQQQ", 0, 0, 0, 0, 0xFFFFFFF0, 3, 0, 0)


def connect(address):
    return socket.create_connection(address, timeout=PATIENCE)


def ended(connection):
    """Whether the other end has closed it, saying nothing but perhaps TLS's alert."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        try:
            while len(connection.recv(65536)) > 0:
                pass
        except TimeoutError:
            return False
    return True


def throw(address, *parts):
    with connect(address) as connection:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
        return ended(connection)


def garbage(address, _):
    return all(throw(address, os.urandom(size)) for size in (1, 100, 65536) for _ in range(10))


def lying_lengths(address, _):
    hello = bytes.fromhex("160301ffff010000fffc0303") + os.urandom(32)  # a record and a hello longer than what comes
    return all(throw(address, part) for part in (LYING, LYING + os.urandom(1 << 20), hello, hello + os.urandom(1 << 20)))


def truncated(address, _):
    hello = bytes.fromhex("1603010100010000fc0303") + os.urandom(100)
    return all(throw(address, hello[:length]) for length in range(1, len(hello), 10))


def in_tls(address, context, *parts):
    """In TLS 1.3 the handshake ends for the client before the server has looked at its certificate."""
    try:
        with connect(address) as plain, context.wrap_socket(plain) as connection:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                for part in parts:
                    connection.sendall(part)
            return ended(connection)
    except (ConnectionError, ssl.SSLError):
        return True


def context_of(files, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(files["ca"])
    if certificate:
        context.load_cert_chain(files["certificate"], files["key"])
    return context


def without_certificate(address, files):
    context = context_of(files, False)
    return all(in_tls(address, context, LYING, os.urandom(size)) for size in (0, 1 << 20) for _ in range(5))


def foreign_certificate(address, files):
    context = context_of(files, True)
    return all(in_tls(address, context, LYING, os.urandom(size)) for size in (0, 1 << 20) for _ in range(5))


def short_connections(address, _):
    for _ in range(200):
        connect(address).close()
    return True


ATTACKS = [garbage, lying_lengths, truncated, without_certificate, foreign_certificate, short_connections]


def main(host, port, ca, certificate, key):
    address, files = (host, int(port)), {"ca": ca, "certificate": certificate, "key": key}
    for attack in ATTACKS:
        print(attack.__name__, "refused" if attack(address, files) else "taken", flush=True)
    with contextlib.ExitStack() as held:
        for _ in range(200):
            held.enter_context(connect(address))
        print("idle_connections held", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
