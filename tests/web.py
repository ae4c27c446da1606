"""A web server for tests that answers as it is asked to, and keeps what it was asked."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """A server on loopback; `files` are its files, `statuses` what it answers to the next POSTs before 200.

    `places` are where it redirects to, by name, each with its status: `place/NAME`.
    """

    def __init__(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.site = self
        self.port = self._server.server_port
        self.files, self.statuses, self.asked, self.posted = {}, [], [], []
        self.places = {}
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def wrap(self, tls):
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)


class _Handler(BaseHTTPRequestHandler):
    """Answers by the path that is asked for."""

    def do_GET(self):
        what, _, detail = self.path[1:].partition("/")
        self.server.site.asked.append((self.path, self.headers["Host"]))
        getattr(self, f"_{what}")(detail)

    def do_POST(self):
        self.server.site.asked.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        site = self.server.site
        site.posted.append((dict(self.headers), site.asked[-1][1]))
        if self.path.startswith("/place/"):
            self._place(self.path.removeprefix("/place/"))
            return
        self._answer(site.statuses.pop(0) if site.statuses else 200, b"x" * 5000)

    def _file(self, name):
        self._answer(200, self.server.site.files[name])

    def _bytes(self, count):
        self._answer(200, b"x" * int(count))

    def _status(self, status):
        self._answer(int(status), b"")

    def _to(self, location):
        self._answer(302, b"", Location=location.replace("|", "/"))

    def _place(self, name):
        status, location = self.server.site.places[name]
        self._answer(status, b"", Location=location)

    def _chain(self, left):
        if left == "0":
            self._answer(200, b"end")
        else:
            self._answer(302, b"", Location=f"/chain/{int(left) - 1}")

    def _loop(self, _):
        self._answer(302, b"", Location="/loop/")

    def _drip(self, _):
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.server.site.closing.wait(0.05):
                self.wfile.write(b"x")
                self.wfile.flush()

    def _answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""
