"""A real editor that does one step after the other: a line of JSON each way, over a socket that the editor opens."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

WAIT_S = 30


class Driver:
    """One editor process."""

    def __init__(self, command, environment, folder, *, on_terminal):
        self._short = tempfile.TemporaryDirectory(
            prefix="tb"
        )  # the system limits the length of a socket's path
        address = str(Path(self._short.name) / "driver")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(address)
            listening.listen()
            listening.settimeout(WAIT_S)
            self.screen = bytearray()
            self._start(command, {**environment, "TAKEBACK_DRIVER": address}, folder, on_terminal)
            self._connection = self._accepted(listening)
        self._connection.settimeout(WAIT_S)
        self._lines = self._connection.makefile("rb")

    def _start(self, command, environment, folder, on_terminal):
        master, slave = pty.openpty() if on_terminal else os.pipe()
        streams = (slave, slave, slave) if on_terminal else (subprocess.DEVNULL, slave, slave)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command] if on_terminal else command,
            env=environment,
            cwd=folder,
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
        )
        os.close(slave)
        self._reading = threading.Thread(target=self._read_screen, args=(master,), daemon=True)
        self._reading.start()

    def _accepted(self, listening):
        try:
            return listening.accept()[0]
        except TimeoutError:
            self._stop()
            raise AssertionError(f"the editor did not start: {self.said()}") from None

    def _read_screen(self, master):
        with open(master, "rb", buffering=0) as output, contextlib.suppress(OSError):
            while some := output.read(65536):
                self.screen += some

    def said(self):
        """What the editor has written to its screen or its standard output."""
        return self.screen.decode("utf-8", "replace")[-4000:]

    def do(self, verb, **words):
        """What a step gives back."""
        self._connection.sendall(json.dumps({"do": verb, **words}).encode() + b"\n")
        try:
            line = self._lines.readline()
        except TimeoutError:
            raise AssertionError(f"the editor does not answer {verb} {words}: {self.said()}") from None
        assert line, f"the editor ended at {verb} {words}: {self.said()}"
        answer = json.loads(line)
        assert "error" not in answer, f"{verb} {words}: {answer['error']}"
        return answer["value"]

    def quit(self):
        """Let the editor end its server and itself, as a person would; its exit status."""
        if self.process.poll() is None:
            with contextlib.suppress(AssertionError):
                self.do("quit")
        return self.process.wait(WAIT_S)

    def end(self):
        """Leave nothing behind."""
        self._lines.close()
        self._connection.close()
        self._stop()

    def _stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reading.join(WAIT_S)
        self._short.cleanup()
