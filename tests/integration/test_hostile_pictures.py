"""Pictures made to harm the api are refused, and leave nothing behind."""

from __future__ import annotations

import hashlib
import io

import pytest

from api.app import create_app
from farm import keys
from tests.hostile_pictures import corpus, endless_gif
from tests.support import assert_problem, picture, submit

CODES = {400: "bad_picture", 413: "picture_too_large"}


@pytest.mark.slow
def test_a_picture_that_never_ends_is_refused(settings, services):
    """It is told apart from a broken one, nothing is stored, and the next picture is taken."""
    client = create_app(settings.model_copy(update={"decode_cpu_s": 1, "decoders": 1})).test_client()
    endless = endless_gif(1_500_000)

    answer = assert_problem(submit(client, endless), 400, "picture_too_costly")

    assert "Save it anew" in answer["detail"]
    assert not services.storage.exists(keys.picture(hashlib.sha256(endless).hexdigest()))
    assert not [name for name in services.store.redis.scan_iter() if "job" in name or "picture" in name]
    assert submit(client, picture(), params={"octaves": 1}).status_code == 202


@pytest.mark.slow
def test_bad_files_get_a_picture_or_a_problem(client, services):
    """Over HTTP, by each tenth file: 201 with its size, or a problem whose code says what is wrong; none is kept."""
    answers = set()
    for data in list(corpus().values())[::10]:
        form = {"image": (io.BytesIO(data), "photo.jpg")}
        answer = client.post("/v1/pictures", data=form, content_type="multipart/form-data")
        answers.add(answer.status_code)
        if answer.status_code != 201:
            assert_problem(answer, answer.status_code, CODES[answer.status_code])
            assert not services.storage.exists(keys.picture(hashlib.sha256(data).hexdigest()))

    assert answers == {201, 400, 413}
