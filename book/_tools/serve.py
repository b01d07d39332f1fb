"""Serve a folder on 127.0.0.1, on the wanted port or the next free one, and print the address."""

from __future__ import annotations

import argparse
import mimetypes
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# Some machines' tables lack these, and a browser refuses a module or a wasm stream of another type.
for suffix, kind in ((".mjs", "text/javascript"), (".js", "text/javascript"), (".wasm", "application/wasm")):
    mimetypes.add_type(kind, suffix)


class Handler(SimpleHTTPRequestHandler):
    """Without a line per request; and never from an old cache, since the book is rebuilt under it."""

    def log_message(self, *_: object) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def open_server(folder: Path, port: int, *, tries: int = 20) -> ThreadingHTTPServer:
    """A server on the first free port from ``port`` on; port 0 takes any.

    Raises:
        OSError: none of ``tries`` ports is free.
    """
    for candidate in range(port, port + tries):
        try:
            return ThreadingHTTPServer(("127.0.0.1", candidate), partial(Handler, directory=str(folder)))
        except OSError:
            continue
    raise OSError(f"no free port from {port} to {port + tries - 1}: name another with --port")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args()
    if not (chosen.folder / "index.html").exists():
        parser.error(f"folder must hold a built book, {chosen.folder} has no index.html: run make html")
    with open_server(chosen.folder, chosen.port) as server:
        print(f"The book is at http://127.0.0.1:{server.server_port}/ (stop with Ctrl-C)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
