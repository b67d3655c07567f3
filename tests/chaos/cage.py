"""Processes that may be killed, stopped and started again, and a cage none of them outlives."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any, Self

import psutil

from tests.support.processes import DidNotStart
from tests.support.stand_ins import ROOT


class Cage:
    """`with Cage() as cage: …`: whatever was started in it has ended when it is left, however it is left.

    `directory` is scratch space that other users may reach; `pids` in it names every process as it starts.
    """

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="slipway-chaos-"))
        # PostgreSQL runs as a user of its own when the tests run as root.
        self.directory.chmod(0o755)
        self.members: list[Member] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.ExitStack() as every_one:
            # A stack goes on with the others when one of them cannot be ended; the first is ended last.
            for member in self.members:
                every_one.callback(member.end)
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, *members: "Member") -> None:
        """Start several at once and return when all are ready."""
        for member in members:
            member.launch()
        for member in members:
            member.wait_until_ready()

    def note(self, name: str, pid: int) -> None:
        """Write down who was started, for whoever has to tidy up after a crash of the tests themselves."""
        with (self.directory / "pids").open("a") as output:
            output.write(f"{pid} {name}\n")


class Member:
    """A program of a cage, in a session of its own, whose output goes to `log`.

    Its process id stays ours until it is waited for: no signal can ever reach a stranger that was given the number.
    """

    def __init__(
        self,
        cage: Cage,
        name: str,
        command: Iterable[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        disk: "SmallDisk | None" = None,
        seconds: float = 60,
    ):
        self.cage, self.name, self.user, self.disk, self.seconds = cage, name, user, disk, seconds
        self.command = [str(word) for word in command]
        self.env = dict(env or {})
        self.log = cage.directory / f"{name}.log"
        self.popen: subprocess.Popen[bytes] | None = None
        cage.members.append(self)

    def start(self) -> Self:
        """Start it and return once it is ready; raises DidNotStart with the end of its log when it is not."""
        self.launch()
        self.wait_until_ready()
        return self

    def run(self, seconds: float = 60) -> int:
        """Start a program that ends by itself, wait for that, and return its exit status."""
        self.launch()
        return self.wait(seconds)

    def launch(self) -> None:
        """Start it, and do not wait for it."""
        self.end()
        command = self.disk.inside(self.command) if self.disk else self.command
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **self.env},
                user=self.user,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.cage.note(self.name, self.popen.pid)

    def wait_until_ready(self) -> None:
        until = time.monotonic() + self.seconds
        while not self.is_ready():
            if not self.is_alive or time.monotonic() > until:
                raise DidNotStart(f"{self.name} was not ready after {self.seconds} s.\n{self.output()[-3000:]}")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """Say whether it can be used."""
        return self.is_alive

    @property
    def pid(self) -> int:
        assert self.popen is not None, f"{self.name} was never started"
        return self.popen.pid

    @property
    def is_alive(self) -> bool:
        """Whether the main process runs (or is stopped); looking does not wait for it."""
        if self.popen is None or self.popen.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def children(self) -> list[psutil.Process]:
        """Its processes below the main one, at any depth."""
        return psutil.Process(self.pid).children(recursive=True) if self.is_alive else []

    def signal(self, number: int) -> None:
        """Send a signal to all its processes."""
        if self.popen is not None and self.popen.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def kill9(self) -> None:
        """End all its processes at once, as a power cut would."""
        self.signal(signal.SIGKILL)
        self.wait()

    def kill_main(self) -> None:
        """End the main process alone; what it leaves behind is ended with the cage or by the next start."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait_for_main(10)

    def kill_child(self, chance: Random) -> int | None:
        """End one of its child processes and return which; none where there is none."""
        children = sorted(self.children(), key=lambda child: child.pid)
        if not children:
            return None
        with contextlib.suppress(psutil.NoSuchProcess):
            (chosen := chance.choice(children)).kill()
            return int(chosen.pid)
        return None

    def stop(self) -> None:
        """Freeze all its processes."""
        self.signal(signal.SIGSTOP)

    def cont(self) -> None:
        """Let them go on."""
        self.signal(signal.SIGCONT)

    def term(self, seconds: float = 20) -> int:
        """Ask the main process to end, as a deployment would; return its exit status. Too slow is killed."""
        if self.is_alive:
            os.kill(self.pid, signal.SIGTERM)
        return self.wait(seconds)

    def restart(self) -> Self:
        """End it politely where it still runs, and start it again at the same address."""
        if self.is_alive:
            self.term()
        return self.start()

    def wait(self, seconds: float = 20) -> int:
        """Wait for the main process and end whatever it leaves; return its exit status."""
        assert self.popen is not None
        self._wait_for_main(seconds)
        self.signal(signal.SIGKILL)
        return self.popen.wait()

    def _wait_for_main(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.is_alive and time.monotonic() < until:
            time.sleep(0.01)

    def end(self) -> None:
        """Be gone, whatever state it is in; may be called again."""
        if self.popen is not None and self.popen.returncode is None:
            self.signal(signal.SIGKILL)
            self.popen.wait()

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def may_mount() -> bool:
    """Say whether this machine lets us mount in a namespace of our own."""
    command = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m slipway /mnt"]
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except OSError:
        return False


class SmallDisk(Member):
    """A disk of so many megabytes at `place`, seen only by what is started `inside` it.

    A process of its own holds the mount: it goes with the process, and the rest of the machine never sees it.
    """

    def __init__(self, cage: Cage, megabytes: int, name: str = "disk"):
        self.place = cage.directory / name
        self.place.mkdir()
        script = f'mount -t tmpfs -o size={megabytes}m,mode=1777 slipway "$0" && exec sleep infinity'
        super().__init__(cage, name, ["unshare", "-m", "sh", "-c", script, self.place])

    def is_ready(self) -> bool:
        return self.is_alive and os.path.ismount(self.seen_from_here)

    @property
    def seen_from_here(self) -> Path:
        """The disk's directory, as a process outside reaches it."""
        return Path(f"/proc/{self.pid}/root{self.place}")

    def inside(self, command: Iterable[str]) -> list[str]:
        """Return the command that runs the given one where the disk is mounted, under the same process id."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--wd=" + str(ROOT), *command]

    def fill(self, leave: int = 0) -> None:
        """Leave only so many bytes free."""
        with (self.seen_from_here / "filler").open("ab", buffering=0) as filler:
            while (room := self.room() - leave) > 0:
                try:
                    filler.write(bytes(min(room, 65536)))
                except OSError as problem:
                    if problem.errno != errno.ENOSPC:
                        raise
                    return

    def room(self) -> int:
        """Bytes that are free."""
        disk = os.statvfs(self.seen_from_here)
        return disk.f_bavail * disk.f_frsize

    def free(self) -> None:
        """Give the space back."""
        (self.seen_from_here / "filler").unlink(missing_ok=True)


def settled(processes: Iterable[Any], seconds: float) -> None:
    """Wait until these processes are gone; end those that stay."""
    for process in psutil.wait_procs(processes, timeout=seconds)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
