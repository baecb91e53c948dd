"""A server on the loopback that answers as it is told: for answers that no NetBox gives."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"API-Version": "4.6", "Content-Type": "application/json"})


@dataclass
class Double:
    url: str
    answers: list[Answer]
    """Given in turn; the last one again and again."""
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path, headers."""


@contextmanager
def answering(*answers: Answer) -> Iterator[Double]:
    double = Double("", list(answers))

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            double.seen.append((self.command, self.path, dict(self.headers.items())))
            answer = double.answers.pop(0) if len(double.answers) > 1 else double.answers[0]
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
