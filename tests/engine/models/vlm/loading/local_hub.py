"""A hub on this machine: it speaks as much of the hub's language as listing and downloading models need."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

_CHUNK = 1 << 14


def commit_of(name: str) -> str:
    return hashlib.sha1(name.encode()).hexdigest()


@dataclass
class Repository:
    """A model of the hub.

    ``in_git`` are the files that the hub keeps in git itself; their digest is git's.
    """

    name: str
    files: dict[str, bytes]
    gated: bool = False
    in_git: tuple[str, ...] = (".json", ".txt", ".py")

    @property
    def commit(self) -> str:
        return commit_of(self.name)

    def sibling(self, name: str) -> dict[str, Any]:
        content = self.files[name]
        git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
        entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": git}
        if not name.endswith(self.in_git):
            sha = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"sha256": sha, "size": len(content), "pointerSize": 100}
        return entry


@dataclass
class LocalHub:
    """The hub, and how it misbehaves."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """(method, path, Range header) of each request."""
    seconds_per_chunk: float = 0.0
    stall: threading.Event | None = None
    """While set to an event: wait for it in the middle of a weight file."""
    cut_after: int | None = None
    """Hang up once, after so many bytes of a weight file."""
    ranges: bool = True
    damage: bool = False
    other_answer: bytes | None = None
    """Sent instead of what a model consists of."""
    address: str = ""

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.stall is not None:
            self.stall.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, name: str, folder: Path, **settings: Any) -> Repository:
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
        self.repositories[name] = Repository(name, files, **settings)
        return self.repositories[name]

    def sent(self, ending: str) -> list[str]:
        """Return the Range headers of the requests for files that end so."""
        return [ranges for method, path, ranges in self.requests if method == "GET" and path.endswith(ending)]


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(("GET", path, self.headers.get("Range", "")))
        if path.startswith("/api/models/"):
            self._describe(path.removeprefix("/api/models/"))
        else:
            self._send_file(path.lstrip("/"))

    def _describe(self, path: str) -> None:
        if self.hub.other_answer is not None:
            self._answer(self.hub.other_answer)
            return
        name, _, revision = path.partition("/revision/")
        repository = self.hub.repositories.get(name)
        if repository is None:
            self._refuse(404, "RepoNotFound")
        elif revision not in ("", "main", "refs/pr/1", repository.commit):
            self._refuse(404, "RevisionNotFound")
        else:
            siblings = [repository.sibling(file) for file in repository.files]
            self._answer(
                json.dumps(
                    {
                        "id": name,
                        "modelId": name,
                        "sha": repository.commit,
                        "siblings": siblings,
                        "gated": "auto" if repository.gated else False,
                        "private": False,
                        "disabled": False,
                        "downloads": 0,
                        "likes": 0,
                        "tags": [],
                    }
                ).encode()
            )

    def _send_file(self, path: str) -> None:
        name, _, rest = path.partition("/resolve/")
        repository = self.hub.repositories.get(name)
        if repository is None:
            self._refuse(404, "RepoNotFound")
            return
        file = rest.partition("/")[2]
        if repository.gated:
            self._refuse(403, "GatedRepo")
        elif file not in repository.files:
            self._refuse(404, "EntryNotFound")
        else:
            self._send_bytes(repository.files[file], is_weights=file.endswith(".safetensors"))

    def _send_bytes(self, content: bytes, is_weights: bool) -> None:
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if self.hub.damage and is_weights:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if not self.hub.ranges:
            start = 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        sent = 0
        for at in range(start, len(content), _CHUNK):
            if is_weights:
                time.sleep(self.hub.seconds_per_chunk)
                if self.hub.stall is not None and sent:
                    self.hub.stall.wait(30)
                if self.hub.cut_after is not None and sent >= self.hub.cut_after:
                    self.hub.cut_after = None
                    self.close_connection = True
                    self.connection.close()
                    return
            try:
                self.wfile.write(content[at : at + _CHUNK])
            except OSError:
                self.close_connection = True
                return
            sent += _CHUNK

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
