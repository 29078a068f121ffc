"""A node is spoken to over TLS only if its certificate is trusted, and its own."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chalicelib.adapters.bounded_http import BoundedHttp, NoAnswer

HOST = "localhost"
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
TIMEOUT_SECONDS = 5.0


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class _Server(HTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of the host's own, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(EPOCH)
        .not_valid_after(EPOCH + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    written = tmp_path / "certificate.pem"
    written.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return written


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with _Server(("127.0.0.1", 0), _Answering) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def posted(host: str, port: int) -> bytes:
    http = BoundedHttp(f"https://{host}:{port}", timeout_seconds=TIMEOUT_SECONDS, answer_bytes=100)
    return http.post(b"[]", {})


def test_it_answers_when_its_certificate_is_trusted_and_its_own(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, port: int
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert posted(HOST, port) == b"[]"


def test_there_is_no_answer_when_its_certificate_is_not_trusted(port: int) -> None:
    with pytest.raises(NoAnswer, match="SSLError"):
        posted(HOST, port)


def test_there_is_no_answer_when_its_certificate_is_anothers(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, port: int
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(NoAnswer, match="SSLError"):
        posted("127.0.0.1", port)
