"""Where events may be sent, and how they are signed."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from app.events.post import DeliveryError, Poster
from app.events.webhook import Webhook, address_error, secret_text, signature, url_error


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/",
        "https://hooks.example.com:8443/a/b?c=d&e=%20",
        "https://93.184.215.14/hook",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:443/hook",
    ],
)
def test_a_public_https_url_is_taken(url: str) -> None:
    assert url_error(url, private=False) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https://",
        "https:///path",
        "//example.com",
        "https://user:password@example.com/",
        "https://example.com@evil.example/",
        "https://example.com/#fragment",
        "https://example.com/a b",
        "https://example.com/\r\nx: y",
        "https://example.com/\n",
        "https://ex\N{LATIN SMALL LETTER A WITH DIAERESIS}mple.com/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:99999/",
        "https://localhost/x",
        "https://LocalHost:8443/",
        "https://api.localhost/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://[not]/",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    assert url_error(url, private=False) is not None


def test_one_machine_may_be_sent_to_by_http() -> None:
    assert url_error("http://127.0.0.1:8080/hook", private=True) is None
    assert url_error("http://user@127.0.0.1/", private=True) is not None


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - refusing, not binding
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "2001:0:a00:1::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
    ],
)
def test_no_address_but_a_public_one_is_sent_to_and_one_bad_one_is_enough(address: str) -> None:
    assert address_error(["93.184.215.14", address]) is not None


async def test_a_name_that_leads_to_a_private_address_is_not_connected_to() -> None:
    for name in ("localhost", "127.1", "0x7f000001", "2130706433"):
        with pytest.raises(DeliveryError, match="public addresses only"):
            await Poster(private=False).post(f"https://{name}/", {}, b"")


async def test_a_name_that_nobody_knows_is_said_to_be_so() -> None:
    with pytest.raises(DeliveryError, match="name of the host could not be looked up"):
        await Poster(private=False).post("https://hooks.invalid/", {}, b"")


async def test_a_name_that_cannot_be_is_no_mistake_of_ours() -> None:
    with pytest.raises(DeliveryError):
        await Poster(private=False).post("https://" + "a" * 70 + "..example/", {}, b"")


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    assert (
        signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )
    expected = hmac.new(secret, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + body, hashlib.sha256).digest()
    assert (
        base64.b64decode(signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)[3:]) == expected
    )
    assert secret_text(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_it_wants_events_of_its_types_about_its_subjects() -> None:
    def webhook(types: tuple[str, ...], prefixes: tuple[str, ...]) -> Webhook:
        return Webhook(
            tenant=uuid4(),
            id=uuid4(),
            url="https://example.com/",
            types=types,
            subject_prefixes=prefixes,
            created_at=datetime.now(UTC),
            delivered=0,
            attempts=0,
            disabled_at=None,
            generation=1,
            sealed=b"",
        )

    assert webhook((), ()).wants("t", "s")
    assert webhook(("a", "t"), ("x", "s/")).wants("t", "s/1")
    assert not webhook(("a",), ()).wants("t", "s")
    assert not webhook((), ("x/",)).wants("t", "s")
