"""Runs a language server and writes down, as JSON lines, what an editor and the server say to each other.

`python tee.py LOG COMMAND…`. Before each `didSave` it notes what the editor has written to the file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from urllib.parse import unquote, urlsplit

_WRITING = threading.Lock()


def note(log, line):
    """Append one line."""
    with _WRITING, open(log, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def frames(stream):
    """Every message, as it came and as JSON."""
    while head := stream.readline():
        length = None
        while head.strip():
            name, _, value = head.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
            head = stream.readline()
        body = stream.read(length)
        yield b"Content-Length: %d\r\n\r\n%s" % (length, body), json.loads(body)


def pass_on(log, who, source, target):
    """Write down each message before whom it is for can answer it."""
    for raw, message in frames(source):
        if message.get("method") == "textDocument/didSave":
            path = unquote(urlsplit(message["params"]["textDocument"]["uri"]).path)
            with open(path, encoding="utf-8", newline="") as file:
                note(log, {"from": "disk", "path": path, "text": file.read()})
        note(log, {"from": who, "message": message})
        target.write(raw)
        target.flush()
    target.close()


def main(log, *command):
    """Pass on both ways until the server ends."""
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = (log, "editor", sys.stdin.buffer, server.stdin)
    threading.Thread(target=pass_on, args=said, daemon=True).start()
    pass_on(log, "server", server.stdout, sys.stdout.buffer)
    return server.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
