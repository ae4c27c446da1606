"""Each way to what is not public, tried on real servers of this machine: for a picture's URL, and for a webhook."""

from __future__ import annotations

import socket
import urllib.request
from contextlib import suppress
from ipaddress import ip_network

import pytest

from api.app import create_app
from farm.address_guard import AddressGuard
from farm.errors import AddressError, CallError
from farm.outbound import MOST_REDIRECTS, Outbound
from farm.pictures import PictureService, PictureUrlError
from farm.relay import Relay
from farm.services import Services
from farm.states import JobState
from tests.address_vectors import LOCATIONS, NOT_PUBLIC, ODD_URLS, TO_LOOPBACK
from tests.support import picture

ONE = ip_network("127.0.0.1/32")
"""What the farm is opened to; everything else on this machine stays closed."""

CODES = {
    "picture": {"picture_unreachable", "bad_picture", "invalid_request"},
    "webhook": {"address_refused", "invalid_request"},
}
NAMES = {"name", "name-in-capitals", "name-with-dot"}
OPENED = {"plain", "scheme-in-capitals", "fragment-with-a-name", "query-with-a-name", "encoded-newline", *NAMES}
"""Of the ways to this machine, those that name the one address that is open, or may stand for it alone."""


@pytest.fixture
def farm(settings, services):  # noqa: ARG001  # the store is emptied first
    return Services.connect(settings.model_copy(update={"fetch_timeout_s": 2, "requests_per_minute": 100_000}))


@pytest.fixture
def opened(farm):
    """Return the farm with one address opened."""
    return Services.connect(farm.settings.model_copy(update={"allowed_networks": [ONE]}))


def literal(address):
    return f"http://[{address}]/x.png" if ":" in address else f"http://{address}/x.png"


def calls(client):
    """Yield what a user's URL is for, and the call that gives it to the farm."""
    yield "picture", lambda url: client.post("/v1/jobs", json={"image": {"url": url}, "params": {"steps": 1}})
    yield "webhook", lambda url: client.post("/v1/webhooks", json={"url": url})


def taken(client, urls):
    """Return the URLs that weren't refused as they should be: what for, name, status, code."""
    for use, call in calls(client):
        for name, url in urls.items():
            answer = call(url)
            if answer.status_code != 400 or answer.json["code"] not in CODES[use]:
                yield use, name, answer.status_code, answer.json


def reached(url):
    """Tell whether a program that checks nothing reaches a server by this URL."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2):
            return True
    except OSError:
        return False


def test_each_vector_is_refused_for_pictures_and_webhooks(farm):
    """Over HTTP, by a problem that says so; nothing is stored."""
    client = create_app(farm.settings).test_client()
    urls = {**{f"to-{name}": literal(address) for name, address in NOT_PUBLIC.items()}, **ODD_URLS}

    assert list(taken(client, urls)) == []
    assert farm.store.count(JobState.QUEUED) == 0
    assert client.get("/v1/webhooks").json["webhooks"] == []


def test_no_dress_of_loopback_reaches_a_server_of_this_machine(farm, site):
    """A program that checks nothing gets there; the farm, opened to nothing, doesn't."""
    client = create_app(farm.settings).test_client()
    site.files[""] = picture()
    urls = {name: url.format(port=site.port).replace("/#", "/bytes/1#") for name, url in TO_LOOPBACK.items()}
    there = {name for name, url in urls.items() if _answers(url, site)}
    before = len(site.asked)

    assert there >= {"plain", "name", "name-in-capitals", "any", "mapped", "decimal", "hexadecimal", "octal", "short"}
    assert list(taken(client, urls)) == []
    assert len(site.asked) == before


def test_one_open_address_opens_no_other_way_to_the_machine(opened, site):
    """What names it plainly is called; another address, or another spelling of the same one, is not."""
    for name, url in TO_LOOPBACK.items():
        if name not in OPENED:
            with pytest.raises(AddressError):
                opened.outbound.get(url.format(port=site.port), max_bytes=9)
            with pytest.raises(AddressError):
                opened.outbound.post(url.format(port=site.port), b"", {})
    assert site.asked == []

    assert opened.outbound.get(site.url("bytes/3"), max_bytes=9) == b"xxx"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_checked_for_pictures_and_ends_a_webhooks_call(opened, site, status):
    """By each status that redirects: a picture's is followed where it may be, a webhook's never."""
    site.files["sky.png"] = picture()
    site.places["there"] = (status, site.url("file/sky.png"))

    assert opened.pictures.fetch(site.url("place/there")).data == picture()
    assert opened.outbound.post(site.url("place/there"), b"{}", {}).status == status
    assert [path for path, _ in site.asked] == ["/place/there", "/file/sky.png", "/place/there"]


def test_no_redirect_leads_elsewhere(opened, site):
    """The server that redirects is asked, and nobody else."""
    site.places.update({name: (302, location) for name, location in LOCATIONS.items()})
    followed = []
    for name in LOCATIONS:
        with suppress(PictureUrlError):
            followed.append((name, opened.pictures.fetch(site.url(f"place/{name}"))))

    assert followed == []
    assert [path for path, _ in site.asked] == [f"/place/{name}" for name in LOCATIONS]


def test_redirects_are_followed_so_often(opened, site):
    """Up to the limit, and not once more; a circle ends there too."""
    assert opened.outbound.get(site.url(f"chain/{MOST_REDIRECTS}"), max_bytes=9) == b"end"
    for path in (f"chain/{MOST_REDIRECTS + 1}", "loop/"):
        site.asked.clear()
        with pytest.raises(CallError, match="more than 5 times"):
            opened.outbound.get(site.url(path), max_bytes=9)
        assert len(site.asked) == MOST_REDIRECTS + 1


def test_the_end_of_a_chain_is_checked_like_its_beginning(opened, site):
    """Two steps within what is open, and a third out of it: that one is refused."""
    site.places.update(first=(302, "/place/second"), second=(307, "http://10.0.0.1/x"))

    with pytest.raises(PictureUrlError, match="not public"):
        opened.pictures.fetch(site.url("place/first"))
    assert [path for path, _ in site.asked] == ["/place/first", "/place/second"]


class Turncoat:
    """A resolver whose answers change from one question to the next; the last one stays."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.questions = []

    def __call__(self, host, port):
        self.questions.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def outbound(self):
        """Return calls through the guard, whose names this resolves."""
        return Outbound(AddressGuard([ONE], resolve=self), timeout_s=2)


@pytest.mark.parametrize("later", ["127.0.0.2", "169.254.169.254", "::1"])
def test_a_pictures_name_that_turns_private_is_called_where_it_was_checked(opened, site, later):
    """It is looked up once and that answer is called, so that what it says a moment later leads nowhere."""
    turncoat = Turncoat(["127.0.0.1"], [later])
    site.files["sky.png"] = picture()
    pictures = PictureService(opened.storage, opened.store.redis, turncoat.outbound(), opened.settings)
    url = f"http://turncoat.example:{site.port}/file/sky.png"

    assert pictures.fetch(url).data == picture()
    assert turncoat.questions == [("turncoat.example", site.port)]
    with pytest.raises(PictureUrlError):
        pictures.fetch(url)
    assert len(site.asked) == 1


@pytest.mark.parametrize("later", ["127.0.0.2", "169.254.169.254", "::1"])
def test_a_webhooks_name_that_turns_private_is_told_nothing_more(opened, site, later):
    """It was public when it was added and at the first delivery; the next one is checked anew, fails, and says why."""
    turncoat = Turncoat(["127.0.0.1"], [later])
    hook = opened.webhooks.create("local", f"http://turncoat.example:{site.port}/hook", ["job.canceled"])
    relay = Relay(opened.webhooks, opened.store, opened.batches.store, turncoat.outbound(), retry_after_s=[])
    for number in range(2):
        entry = f'{{"id": "{number}", "type": "job.canceled", "owner": "local", "job": "none", "ms": 0}}'
        opened.store.redis.rpush("webhooks:outbox", entry)
        relay.round()

    assert [path for path, _ in site.asked] == ["/hook"]
    last, first = opened.webhooks.deliveries(hook.id, limit=9)
    assert (first.state, last.state) == ("delivered", "failed")
    assert last.attempts[0].status is None


@pytest.mark.parametrize("found", [["127.0.0.1", "10.0.0.1"], ["::1", "127.0.0.1"]], ids=["last", "first"])
def test_a_name_with_one_bad_address_is_not_called(site, found):
    """Neither at its good address nor at its bad one."""
    outbound = Turncoat(found).outbound()

    for call in (lambda url: outbound.get(url, max_bytes=9), lambda url: outbound.post(url, b"", {})):
        with pytest.raises(AddressError):
            call(f"http://both.example:{site.port}/bytes/1")
    assert site.asked == []


def _answers(url, site):
    before = len(site.asked)
    try:
        return reached(url) or len(site.asked) > before
    except (ValueError, socket.gaierror):
        return False
