"""What a laboratory has made on this machine, written down before it is made: a test that is killed cleans up nothing, and
the next one of the same name finds here what to undo first."""
import fcntl
import os
import select
import shutil
import signal
import subprocess
from pathlib import Path

DIRECTORY = Path("/run/viaduct-lab")


def quietly(*command):
    subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def kill_all(pids):
    """Returns when they are gone."""
    for pid in map(int, pids):
        try:
            watch = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        signal.pidfd_send_signal(watch, signal.SIGKILL)
        select.select([watch], [], [], 30)
        os.close(watch)


def undo_namespace(name):
    """With what runs in it: whoever started that is gone."""
    inside = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
    kill_all(inside.stdout.split())
    quietly("ip", "netns", "del", name)


def undo_link(name):
    quietly("ip", "link", "del", name)


def undo_datapath(words):
    """Ends the daemon that holds it, and takes it out of the kernel: `words` is the daemon's command line, in front of it
    the namespace that it runs in, if it is not this one."""
    command = words.split(" ")
    inside = [command.pop(0) for word in command[:2] if word.startswith(("nsenter", "--net="))]
    kill_all(process.name for process in Path("/proc").iterdir() if process.name.isdigit() and runs(process, command))
    if not Path(command[0]).exists():
        raise Busy(f"a datapath is left over, and its daemon is not there any more; with another one:\n"
                   f"viaductd {' '.join(command[1:])} --cleanup")
    result = subprocess.run([*inside, *command, "--cleanup"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Busy(f"a datapath is left over: {words} --cleanup:\n{result.stderr}")


def runs(process, command):
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return words[:len(command)] == command


UNDO = {"namespace": undo_namespace, "link": undo_link, "datapath": undo_datapath,
        "directory": lambda path: shutil.rmtree(path, ignore_errors=True)}


class Busy(Exception):
    """Another laboratory of this name runs, was left running on purpose, or left what cannot be undone."""


class Journal:
    """One laboratory of a name at a time. Opening it undoes what a dead one of that name left behind."""

    def __init__(self, name):
        DIRECTORY.mkdir(mode=0o700, exist_ok=True)
        self.path = DIRECTORY / name
        self.file = open(self.path, "a+")  # not inherited: the lock ends with this process
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise Busy(f"another laboratory {name} runs on this machine") from None
        left = self.lines()
        kept = [thing for kind, thing in left if kind == "kept"]
        if kept:
            raise Busy(f"the laboratory {name} was kept; end it first:\n{kept[0]}")
        for kind, thing in reversed(left):
            UNDO[kind](thing)
        self.file.truncate(0)

    def lines(self):
        self.file.seek(0)
        return [tuple(line.rstrip("\n").split(" ", 1)) for line in self.file]

    def note(self, kind, thing):
        """Before the thing is made."""
        self.file.write(f"{kind} {thing}\n")
        self.file.flush()

    def keep(self, how_to_end):
        """All of it stays until somebody says `how_to_end`, one shell line that removes the journal last."""
        self.note("kept", how_to_end)

    def close(self):
        """All of it is undone. The empty file stays: who waits for its lock must not hold that of a deleted one."""
        self.file.truncate(0)
        self.file.close()
