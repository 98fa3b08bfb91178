"""Clients can verify the servers of a home, at each of their addresses, and nobody else can read the key."""

import socket
import ssl
import threading

import pytest

from local import tls
from local.home import Home


def handshake(files: tls.Tls, name: str) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(files.certificate, files.key)
    client = ssl.create_default_context(cafile=files.ca)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            accepted, _ = listener.accept()
            with (
                accepted,
                server.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False) as secure,
            ):
                try:
                    secure.do_handshake()
                    secure.recv(1)
                except OSError:
                    return

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with client.wrap_socket(socket.socket(), server_hostname=name) as secure:
                secure.connect(listener.getsockname())
        finally:
            thread.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "127.0.0.9"])
def test_a_server_is_verified_at_each_of_its_names(home: Home, name: str) -> None:
    handshake(tls.ensure(home), name)


def test_another_name_is_refused(home: Home) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls.ensure(home), "example.com")


def test_the_certificates_are_made_once(home: Home) -> None:
    first = tls.ensure(home).ca.read_bytes()
    assert tls.ensure(home).ca.read_bytes() == first


def test_the_key_is_readable_by_its_owner_alone(home: Home) -> None:
    assert tls.ensure(home).key.stat().st_mode & 0o077 == 0
