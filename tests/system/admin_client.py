"""A client of the admin endpoint that makes bridges, many a second and each for itself: the tool takes a process for each.

Requests are made once by `capnp encode`, from schema/admin.capnp; then only names and ids are replaced in their bytes. Of
replies it reads what says whether a change was committed.
"""
import socket
import struct
import subprocess
import uuid

from lab import ROOT
from wire import within

MAGIC = b"VDT1"
NAME = "w0-000000"
HIGH, LOW = 0x1111222233334444, 0x5555666677778888
ERROR, COMMITTED = 0, 1
PATIENCE = 20  # seconds


def template(token):
    request = (f'(major=1, token=0x"{token.hex()}", id=1, transact=(operations=[(create=(id=(high={HIGH}, low={LOW}), '
               f'bridge=(name="{NAME}")))]))')
    return subprocess.run(["capnp", "encode", "-I", ROOT, ROOT / "schema/admin.capnp", "AdminRequest"], check=True,
                          input=request.encode(), stdout=subprocess.PIPE).stdout


def struct_at(words, at):
    """Data and pointers of the struct that the pointer at this word is for: word offsets (data, pointers)."""
    pointer = struct.unpack_from("<Q", words, at * 8)[0]
    offset = (pointer & 0xFFFFFFFF) >> 2
    data = at + 1 + offset
    return data, data + (pointer >> 32 & 0xFFFF)


def text_at(words, at):
    pointer = struct.unpack_from("<Q", words, at * 8)[0]
    start, length = at + 1 + ((pointer & 0xFFFFFFFF) >> 2), pointer >> 35
    return words[start * 8:start * 8 + length - 1].decode(errors="replace") if pointer else ""


class Answer:
    """`revision` when it was committed; else `error`."""

    def __init__(self, frame):
        segments = struct.unpack_from("<I", frame)[0] + 1
        words = frame[(segments // 2 + 1) * 8:]
        data, pointers = struct_at(words, 0)
        kind = struct.unpack_from("<H", words, data * 8 + 8)[0]
        self.revision, self.error = 0, ""
        of_kind, texts = struct_at(words, pointers)
        if kind == COMMITTED:
            self.revision = struct.unpack_from("<Q", words, of_kind * 8)[0]
        elif kind == ERROR:
            code = struct.unpack_from("<H", words, of_kind * 8)[0]
            self.error = f"code {code}: {text_at(words, texts)}"


class AdminClient:
    def __init__(self, node):
        self.node, self.connection = node, None
        self.template = template((node.directory / "run/admin.token").read_bytes())

    def create(self, name, identity):
        """One bridge. Raises OSError when there is no answer: then nobody knows whether it was made."""
        if self.connection is None:
            with within(self.node.space):
                self.connection = socket.create_connection(("127.0.0.1", self.node.admin_port), timeout=PATIENCE)
        high, low = struct.unpack("!QQ", identity.bytes)
        frame = self.template.replace(NAME.encode(), name.encode())
        frame = frame.replace(struct.pack("<QQ", HIGH, LOW), struct.pack("<QQ", high, low))
        try:
            self.connection.sendall(MAGIC + struct.pack("<I", len(frame)) + frame)
            length = struct.unpack_from("<I", self.read(8), 4)[0]
            return Answer(self.read(length))
        except OSError:
            self.close()
            raise

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.connection.recv(count - len(data))
            if not part:
                raise ConnectionError("the daemon has closed the connection")
            data += part
        return data

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def new_identity():
    return uuid.uuid4()
