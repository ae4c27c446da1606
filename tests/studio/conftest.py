"""A whole farm that asks for keys, and a browser to look at it with."""

from __future__ import annotations

import shutil

import pytest

from dreamfarm.stack import Stack
from farm.account_schema import Scope
from farm.services import Services
from tests.support import until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOAD_WITHIN_MS = 60_000


@pytest.fixture(scope="module")
def farm(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("studio"), workers=1, keys=True) as running:
        running.wait_for_workers()
        yield running


@pytest.fixture(scope="module")
def services(farm):
    return Services.connect(farm.servers.settings())


@pytest.fixture(scope="module")
def browser():
    """Playwright keeps a loop running in this thread, which would be in the way of other modules' own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make environment.")
    if CHROMIUM is None:
        pytest.skip("There is no Chromium here. On Debian: apt-get install chromium.")
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


class Visitor:
    """Somebody at the studio; `complaints` are what the browser said was wrong, such as a breach of the policy."""

    def __init__(self, browser, farm, services, **options):
        self.services = services
        self.complaints = []
        self.context = browser.new_context(base_url=farm.api_url, **options)
        self.context.set_default_timeout(LOAD_WITHIN_MS)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)
        self.page.on("dialog", lambda dialog: dialog.accept())

    def _listen(self, message):
        expected = "Failed to load resource" in message.text
        if message.type == "error" and not expected:
            self.complaints.append(message.text)

    def sign_in(self, owner, *scopes):
        """Take a key of this owner's into the browser, as the sign-in page does."""
        _, self.key = self.services.api_keys.create(owner, [Scope(scope) for scope in scopes or ("read", "submit")])
        origin = {"Sec-Fetch-Site": "same-origin"}
        answer = self.context.request.post("/v1/session", data={"key": self.key}, headers=origin)
        assert answer.ok, answer.text()
        return self

    def call(self, path):
        """Return what the api answers to this visitor."""
        return self.context.request.get(path).json()

    def choose(self, *files):
        """Choose pictures, each a name and its bytes, on the page Dream."""
        self.page.goto("/")
        self.page.wait_for_selector(".layer")
        payload = [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
        self.page.set_input_files("#images", payload)
        self.page.wait_for_selector("#stage:not([hidden])")

    def set(self, **values):
        """Write into the number fields of parameters, whichever groups are open."""
        self.page.eval_on_selector_all("#form details", "all => all.forEach(one => { one.open = true; })")
        for name, value in values.items():
            self.page.fill(f"#{name}", str(value))

    def dream(self):
        """Hand in, and return the id of what was made."""
        self.page.click("#send")
        self.page.wait_for_url(lambda url: "/jobs/" in url or "/batches/" in url)
        return self.page.url.rpartition("/")[2]

    def badge(self, words):
        """Wait until the page of a dream says how it stands."""
        self.page.wait_for_selector(f"#state .badge:has-text('{words}')")


@pytest.fixture
def visit(browser, farm, services):
    """Open the studio for somebody; whatever the browser complains of fails the test."""
    visitors = []

    def open_for(owner=None, *scopes, **options):
        visitor = Visitor(browser, farm, services, **options)
        visitors.append(visitor)
        return visitor.sign_in(owner, *scopes) if owner else visitor

    yield open_for
    for visitor in visitors:
        visitor.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


@pytest.fixture
def slow_job(services):
    """Cancel what a test left at work, so that the next finds the worker idle."""
    jobs = []
    yield jobs
    for job in jobs:
        services.jobs.cancel(job)
    until(lambda: all(worker.job is None for worker in services.workers.list()))
