#!/usr/bin/env python3
"""TCP between machines, checked byte by byte.

  talk.py listen                     answers each connection with what it sends, until it is ended
  talk.py to BYTES ADDRESS…          one connection to each; fails, and says which, when one does not work
"""
import os
import socket
import sys
import threading

PORT = 5998
PATIENCE = 10  # seconds


def answer(connection):
    with connection:
        while part := connection.recv(1 << 20):
            connection.sendall(part)


def listen():
    with socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=100) as listening:
        print("listening", flush=True)
        while True:
            threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()


def talk_to(address, size):
    said, heard = os.urandom(size), bytearray()
    with socket.create_connection((address, PORT), timeout=PATIENCE) as connection:
        sender = threading.Thread(target=lambda: (connection.sendall(said), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        while part := connection.recv(1 << 20):
            heard += part
        sender.join()
    if bytes(heard) != said:
        raise OSError(f"{len(heard)} of {size} bytes came back")


def talk_to_all(size, addresses):
    failed = 0
    for address in addresses:
        try:
            talk_to(address, size)
        except OSError as error:
            failed += 1
            print(f"{address}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(listen() if sys.argv[1] == "listen" else talk_to_all(int(sys.argv[2]), sys.argv[3:]))
