"""What people write shows as they wrote it and runs nowhere; other sites' pages do nothing with somebody's session."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest
from ulid import ULID

from dreamcore.params import DreamParams
from dreamfarm.stack import Stack
from farm import keys
from farm.account_schema import Scope
from farm.batch_store import BatchInput, BatchSpec
from farm.record import JobSpec
from farm.schema import ProgressView
from farm.sweep import Sweep
from tests.support import picture
from tests.web import Site

pytestmark = pytest.mark.slow

PAYLOAD = """'"><img src=x onerror=hit=1><svg onload=hit=1><script>hit=1</script><iframe srcdoc=x>{{7*7}}${hit=1}"""
IN_A_PATH = PAYLOAD.replace("/", "")
ERROR = {"code": PAYLOAD, "message": f"It broke: {PAYLOAD}"}
INJECTED = "img[src=x], svg[onload], iframe, script:not([src]), [onerror], [onload]"

LITERALLY = """payload => {
  const texts = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  let found = 0;
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) found += node.data.includes(payload);
    else found += [...node.attributes].filter((one) => one.value.includes(payload)).length;
  }
  return found;
}"""
"""Counts where a page holds a text: as text, or as an attribute's value."""


@pytest.fixture(scope="module")
def farm(tmp_path_factory):
    """A farm whose workers are cards alone, with names of their own."""
    with Stack(tmp_path_factory.mktemp("hostile"), workers=0, keys=True) as running:
        yield running


class Things:
    """Everything of Ada's that has a name, named by the payload."""

    def __init__(self, services):
        self.services = services
        self.seen = services.pictures.look_at(picture())
        services.pictures.keep(self.seen, owner="ada")
        services.storage.put("dream", picture(seed=1), content_type="image/png")
        params = {"model": PAYLOAD, "layers": {PAYLOAD: 1.0}, PAYLOAD: PAYLOAD}
        output = {"format": "png", "sha256": "0" * 64, "bytes": 1, "width": 96, "height": 80, "key": "dream"}
        self.jobs = {
            "canceled": self.job(state="canceled"),
            "failed": self.job(state="failed", error=json.dumps(ERROR), notices=PAYLOAD),
            "succeeded": self.job(params=params, state="succeeded", output=json.dumps(output), notices=PAYLOAD),
        }
        sweep = Sweep(product={"seed": [1, 2]})
        spec = BatchSpec(owner="ada", name=PAYLOAD, tags=(PAYLOAD,), sweep=sweep, params={"octaves": 1, "steps": 1})
        inputs = [BatchInput(sha256=self.seen.view.sha256, name=PAYLOAD), BatchInput(sha256="f" * 64, name=PAYLOAD)]
        self.batch = services.batches.create(spec, inputs).id
        services.batches.expand_some(seconds=10)
        services.store.redis.hset(keys.batch_counts(self.batch), f"failed:{PAYLOAD}", 1)
        services.api_keys.create("carol", [Scope.READ], name=PAYLOAD)
        services.audit.add(owner=PAYLOAD, key_id=None, action=PAYLOAD, subject=PAYLOAD, address=PAYLOAD)
        services.webhooks.create("ada", f"https://example.org/{PAYLOAD}", ["job.failed"])

    def job(self, params=None, **fields):
        """Store a job as it might stand there, whatever the api lets in."""
        spec = JobSpec(
            owner="ada",
            params=params or DreamParams(octaves=1, steps=1).model_dump(mode="json"),
            format="png",
            input=self.seen.view,
            name=PAYLOAD,
            tags=(PAYLOAD,),
            needs=(PAYLOAD,),
            notices=(PAYLOAD,),
        )
        job = self.services.store.create(str(ULID()), spec, ProgressView(octaves=1, steps=1))
        now_ms = int(time.time() * 1000)
        attempt = {"attempt": 1, "attempt.1.worker": PAYLOAD, "attempt.1.started_ms": now_ms, "started_ms": now_ms}
        if fields:
            self.services.store.redis.hset(keys.job(job.id), mapping={**attempt, "finished_ms": now_ms, **fields})
        return job.id

    def beat(self):
        """Let a worker be alive for some seconds, with a name and a device like that, set aside for such a reason."""
        card = {"host": PAYLOAD, "pid": 1, "version": PAYLOAD, "started_at": "2026-01-02T03:04:05Z", "tags": PAYLOAD}
        self.services.workers.beat(PAYLOAD, {**card, "device": PAYLOAD, "job": self.jobs["canceled"]})
        self.services.store.redis.set(keys.aside(PAYLOAD), PAYLOAD)


@pytest.fixture(scope="module")
def things(services):
    return Things(services)


def pages(things):
    """Return what shows on each page."""
    name = quote(IN_A_PATH, safe="")
    return {
        "/": "",
        f"/?from={things.jobs['canceled']}": PAYLOAD,
        f"/?from={things.jobs['succeeded']}": "",
        f"/?from={name}": "",
        "/jobs": PAYLOAD,
        **{f"/jobs/{job}": PAYLOAD for job in things.jobs.values()},
        f"/jobs/{name}": IN_A_PATH,
        "/batches": PAYLOAD,
        f"/batches/{things.batch}": PAYLOAD,
        f"/batches/{name}": IN_A_PATH,
        "/farm": PAYLOAD,
        "/models": "",
        f"/models?model={name}#{name}": "",
        "/settings": PAYLOAD,
    }


def look(visitor, path):
    """Open a page and wait for all that it asks for."""
    visitor.page.goto(path)
    visitor.page.wait_for_load_state("networkidle")


def assert_harmless(page, where):
    assert page.evaluate("typeof window.hit") == "undefined", where
    assert page.locator(INJECTED).count() == 0, where


def test_whatever_things_are_called_it_is_text(visit, things):
    """Names, tags, errors, notices, workers, devices, models, keys, log entries and addresses, on every page."""
    root, dialogs = visit("ada", "admin"), []
    root.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    missing = []
    for path, shown in pages(things).items():
        things.beat()
        look(root, path)
        assert_harmless(root.page, path)
        if shown and not root.page.evaluate(LITERALLY, shown):
            missing.append(path)

    assert missing == []
    assert dialogs == []


def test_a_refusal_that_repeats_what_was_sent_is_text(visit, things):  # noqa: ARG001  # there is something to show
    """A key's owner that is none, and a picture's name that is markup, are told as they are."""
    root = visit("ada", "admin")
    look(root, "/settings")
    root.page.eval_on_selector("#key-owner", "field => field.removeAttribute('maxlength')")
    root.page.fill("#key-owner", PAYLOAD)
    root.page.click("#new-key button")
    root.page.wait_for_selector("#new-key-problem:not([hidden])")
    assert "<script>hit=1</script>" in root.page.inner_text("#new-key-problem")
    assert_harmless(root.page, "key")

    root.choose((PAYLOAD, picture(seed=4)))
    assert PAYLOAD in root.page.inner_text("#file-name")
    assert_harmless(root.page, "file")


def test_the_docs_need_nothing_inline(visit):
    """The contract's page unfolds, tries and signs in without a breach of its policy."""
    guest = visit()
    guest.page.goto("/docs")
    guest.page.wait_for_selector(".opblock")
    guest.page.click(".opblock-summary >> nth=0")
    guest.page.click("text=Try it out >> nth=0")
    guest.page.click("text=Authorize >> nth=0")
    guest.page.wait_for_selector(".auth-container")


ATTACK = """<!doctype html><title>Look, kittens</title>
<iframe id="framed" src="FARM/"></iframe>
<iframe name="out"></iframe>
<form id="form" method="post" action="FARM/v1/jobs/JOB/cancel" target="out"><input name="a" value="b"></form>
<form id="text" method="post" action="FARM/v1/jobs" enctype="text/plain" target="out"><input name="{" value="}"></form>
<script>
  const tries = [
    fetch("FARM/v1/jobs/JOB/cancel", { method: "POST", mode: "no-cors", credentials: "include" }),
    fetch("FARM/v1/jobs/JOB", { method: "DELETE", credentials: "include" }),
    fetch("FARM/v1/session", { method: "DELETE", credentials: "include" }),
    fetch("FARM/v1/jobs", { credentials: "include" }).then(async (answer) => (window.stolen = await answer.text())),
  ];
  form.submit();
  text.submit();
  const image = Object.assign(new Image(), { src: "FARM/v1/batches/BATCH/sheet.jpg" });
  image.onload = () => (window.seen = image.width);
  Promise.allSettled(tries).then(() => setTimeout(() => (window.done = true), 500));
</script>"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["another-port", "another-site"])
def test_another_sites_page_does_nothing_with_a_session(visit, things, farm, host):
    """Forms, fetches, images, frames: nothing is changed or read, nobody signed out, no page of the farm framed."""
    ada = visit("ada", "read", "submit")
    job = things.job()
    attack = ATTACK.replace("FARM", farm.api_url).replace("JOB", job).replace("BATCH", things.batch)
    with Site() as evil:
        evil.files["kittens"] = attack.encode()
        other = ada.context.new_page()
        other.goto(evil.url("file/kittens").replace("127.0.0.1", host))
        other.wait_for_function("window.done")
        stolen, seen = other.evaluate("[window.stolen, window.seen]")
        framed = other.query_selector("#framed").content_frame()

        assert (stolen, seen) == (None, None)
        assert "Dreamfarm" not in framed.content()
        other.close()
    assert things.services.jobs.get(job).state == "queued"
    assert ada.call("/v1/session")["owner"] == "ada"
