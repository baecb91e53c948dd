"""The http plugin over real sockets: trust, timeouts, what is repeated and what is not."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from nornir.core.plugins.connections import ConnectionPluginRegister

from engine.errors import (
    HostKeyUnknown,
    TargetDenied,
    TargetError,
    TargetLocked,
    TargetLost,
    TargetRefused,
    TargetTimeout,
    TargetUnreachable,
)
from tasks.access import Access, apply
from tasks.connections.http import Http, HttpTarget, http_of

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server:
    """A web server that does what the test says, and counts."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answer: Answer = _says(200, b"{}")
        self.requests: list[str] = []
        self.ports: set[int] = set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                outer.requests.append(f"{self.command} {self.path}")
                outer.ports.add(self.client_address[1])
                outer.answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}"


def _says(status: int, body: bytes) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        request.rfile.read(length)
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def _hangs_up(request: http.server.BaseHTTPRequestHandler) -> None:
    request.close_connection = True


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    started: list[tuple[Server, threading.Thread]] = []

    def start(context: ssl.SSLContext | None = None) -> Server:
        server = Server(context)
        thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.server.shutdown()
        thread.join()
        server.server.server_close()


@pytest.fixture
def client() -> Iterator[Callable[..., HttpTarget]]:
    made: list[HttpTarget] = []

    def make(**access: object) -> HttpTarget:
        made.append(HttpTarget("ACS-01", Access(**{"timeout": 2.0, **access})))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for target in made:
        target.close()


Serve = Callable[..., Server]
Client = Callable[..., HttpTarget]


class TestRepeating:
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_what_may_be_repeated_is_when_the_connection_breaks(self, serve: Serve, client: Client, method: str) -> None:
        server = serve()
        calls = iter([_hangs_up, _hangs_up, _says(200, b"{}")])
        server.answer = lambda request: next(calls)(request)
        assert client().request(method, f"{server.url}/x").status_code == 200
        assert server.requests == [f"{method} /x"] * 3

    def test_a_post_is_not(self, serve: Serve, client: Client) -> None:
        server = serve()
        server.answer = _hangs_up
        with pytest.raises(TargetLost):
            client().request("POST", f"{server.url}/x")
        assert len(server.requests) == 1

    def test_unless_it_is_said_to_be_harmless(self, serve: Serve, client: Client) -> None:
        server = serve()
        calls = iter([_says(503, b""), _says(200, b"{}")])
        server.answer = lambda request: next(calls)(request)
        assert client().request("POST", f"{server.url}/x", may_repeat=True).is_success
        assert len(server.requests) == 2

    def test_not_for_ever(self, serve: Serve, client: Client) -> None:
        server = serve()
        server.answer = _says(503, b"")
        with pytest.raises(TargetUnreachable, match="503"):
            client().request("GET", f"{server.url}/x")
        assert len(server.requests) == 3

    def test_a_refusal_is_not(self, serve: Serve, client: Client) -> None:
        server = serve()
        server.answer = _says(400, b'{"message": "no such thing"}')
        with pytest.raises(TargetRefused, match="GET /x: 400 Bad Request: no such thing"):
            client().request("GET", f"{server.url}/x")
        assert len(server.requests) == 1


class TestAnswers:
    def test_one_connection_serves_many_requests(self, serve: Serve, client: Client) -> None:
        server, target = serve(), client()
        for _ in range(5):
            target.request("GET", f"{server.url}/x")
        assert len(server.ports) == 1

    @pytest.mark.parametrize("status", [401, 403])
    def test_refused_credentials_are_not_in_the_message(self, serve: Serve, client: Client, status: int) -> None:
        server = serve()
        server.answer = _says(status, b"")
        with pytest.raises(TargetDenied) as error:
            client(username="u", password="pw-1", api_key="key-1").request("GET", f"{server.url}/x?token=t-1")
        assert not [secret for secret in ("pw-1", "key-1", "t-1") if secret in str(error.value)]

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (407, TargetDenied),
            (408, TargetUnreachable),
            (423, TargetLocked),
            (429, TargetUnreachable),
            (409, TargetRefused),
            (500, TargetRefused),
        ],
    )
    def test_what_a_status_means(self, serve: Serve, client: Client, status: int, error: type[TargetError]) -> None:
        server = serve()
        server.answer = _says(status, b"")
        with pytest.raises(TargetError, match=str(status)) as raised:
            client().request("POST", f"{server.url}/x")
        assert type(raised.value) is error

    def test_an_expected_status_is_an_answer(self, serve: Serve, client: Client) -> None:
        server = serve()
        server.answer = _says(404, b"")
        assert client().request("GET", f"{server.url}/x", expected={404}).status_code == 404

    def test_a_long_refusal_is_shortened(self, serve: Serve, client: Client) -> None:
        server = serve()
        server.answer = _says(400, b"<html>" + b"x" * 10000)
        with pytest.raises(TargetRefused) as error:
            client().request("GET", f"{server.url}/x")
        assert len(str(error.value)) < 500

    def test_no_answer(self, serve: Serve, client: Client) -> None:
        server, gate = serve(), threading.Event()
        server.answer = lambda _: gate.wait(10) and None
        with pytest.raises(TargetTimeout, match=r"0\.2 s"):
            client().request("GET", f"{server.url}/x", seconds=0.2)
        gate.set()
        assert len(server.requests) == 1

    def test_nobody_there(self, client: Client) -> None:
        with pytest.raises(TargetUnreachable):
            client().request("GET", "http://127.0.0.1:9/x")

    def test_a_proxy_of_the_environment_is_not_used(self, serve: Serve, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        assert client().request("GET", f"{serve().url}/x").is_success


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of its own for 127.0.0.1, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


class TestTrust:
    @pytest.fixture
    def server(self, serve: Serve, certificate: Path) -> Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        return serve(context)

    def test_an_unknown_certificate_is_refused(self, server: Server, client: Client) -> None:
        with pytest.raises(HostKeyUnknown):
            client().request("GET", f"{server.url}/x")
        assert server.requests == []

    def test_the_authority_of_the_settings_is_trusted(self, server: Server, client: Client, certificate: Path) -> None:
        assert client(ca_file=certificate).request("GET", f"{server.url}/x").is_success

    def test_insecure_is_insecure(self, server: Server, client: Client) -> None:
        assert client(insecure=True).request("GET", f"{server.url}/x").is_success


def test_as_a_nornir_plugin(serve: Serve) -> None:
    ConnectionPluginRegister.auto_register()
    assert ConnectionPluginRegister.get_plugin("http") is Http
    host = Host("ACS-01", platform="genieacs")
    apply(Inventory(Hosts({"ACS-01": host}), Groups(), Defaults()), {"*": Access(urls={"": serve().url})})
    target = http_of(host)
    assert target is http_of(host)
    assert target.request("GET", target.access.url(target="ACS-01")).is_success
    host.close_connections()
    assert host.connections == {}
