"""Malformed messages for the admin socket, made from honest ones that a relay has recorded from the tool."""
import random
import socket
import struct
import threading

import lab as laboratory

MAGIC = b"VDT1"
ABSURD_WORDS = (b"\xff" * 8, struct.pack("<Q", 0x7FFFFFFFFFFFFFF9), bytes(8))


class Relay:
    """Stands between the tool and the daemon, and keeps what the tool says."""

    def __init__(self, port):
        self.port = port
        self.said = b""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                tool, _ = self.listening.accept()
            except OSError:
                return
            daemon = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.copy, args=(daemon, tool, False), daemon=True).start()
            self.copy(tool, daemon, True)

    def copy(self, source, target, keep):
        try:
            while part := source.recv(65536):
                if keep:
                    self.said += part
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def record(self, lab, *words):
        """The request of one command of the tool, framed."""
        self.said = b""
        lab.viaduct("--daemon", self.address, *words, check=False)
        frames = split(self.said)
        return frames[-1]

    def close(self):
        self.listening.close()


def split(stream):
    frames = []
    while len(stream) >= 8:
        length = struct.unpack_from("<I", stream, 4)[0]
        frames.append(stream[:8 + length])
        stream = stream[8 + length:]
    return frames


def framed(body, claimed=None):
    return MAGIC + struct.pack("<I", len(body) if claimed is None else claimed) + body


def is_whole(data):
    return data[:4] == MAGIC and len(data) >= 8 and len(data) >= 8 + struct.unpack_from("<I", data, 4)[0]


def speak(port, data, seconds=20.0):
    """The daemon's answer, or nothing when it closed the connection; None when it does neither. What is not a whole
    message is followed by our end of the stream."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds * laboratory.TIME_SCALE) as connection:
        try:
            connection.sendall(data)
            if not is_whole(data):
                connection.shutdown(socket.SHUT_WR)
            out = b""
            while not is_whole(out) and (part := connection.recv(65536)):
                out += part
            return out
        except TimeoutError:
            return None
        except OSError:
            return b""  # closed in our face


def malformed(honest, token, seed):
    """{kind: [bytes, …]}, more than a thousand; `honest` are framed requests with the right token."""
    chance = random.Random(seed)
    cuts, lengths, tokens, bits, words = [], [], [], [], []
    for frame in honest:
        cuts += [frame[:size] for size in sorted({chance.randrange(1, len(frame)) for _ in range(60)} | {1, 4, 7, 8, 9})]
        for claimed in (0, 1, 7, 9, 4 << 20, (4 << 20) + 8, 16 << 20, 1 << 31, 0xFFFFFFFF, 0xFFFFFFF8):
            lengths.append(framed(frame[8:], claimed))
        for other in (bytes(len(token)), chance.randbytes(len(token)), token[:-1] + bytes([token[-1] ^ 1])):
            tokens.append(frame.replace(token, other))
        bits += [with_bits_changed(frame, chance) for _ in range(120)]
        for at in range(16, len(frame) - 7, 8):
            if token not in frame[at - 8:at + 16]:
                words += [frame[:at] + word + frame[at + 8:] for word in ABSURD_WORDS]
    return {
        "random bytes": [b"X" + chance.randbytes(chance.randrange(8, 400)) for _ in range(200)],
        "a random body": [framed(b"\xff" + chance.randbytes(8 * chance.randrange(1, 60) - 1)) for _ in range(100)],
        "a cut message": cuts,
        "an absurd length": lengths,
        "an absurd number of segments": [framed(struct.pack("<II", segments, size) + bytes(64))
                                         for segments in (511, 512, 0x7FFFFFFF, 0xFFFFFFFE)
                                         for size in (0, 1, 0xFFFF, 0x1FFFFFFF, 0xFFFFFFFF)],
        "a wrong token": tokens,
        "bits changed": bits,
        "a word replaced": words,
    }


def with_bits_changed(frame, chance):
    changed = bytearray(frame)
    for _ in range(chance.randrange(1, 8)):
        changed[chance.randrange(8, len(changed))] = chance.randrange(256)
    return bytes(changed)
