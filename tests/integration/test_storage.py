"""The object store against a real S3 server."""

from __future__ import annotations

import httpx2
import pytest

from dreamcore.errors import PictureTooLargeError
from farm.errors import NotFoundError, PermanentError, TransientError
from farm.storage import ObjectStore


@pytest.fixture
def storage(services):
    return services.storage


def test_what_is_put_can_be_got(storage):
    """Bytes come back as they were."""
    storage.put("a/b", b"\x00\xff", content_type="text/plain")

    assert storage.get("a/b") == b"\x00\xff"


def test_a_missing_object_is_not_found(storage):
    """Reading what is not there is told apart from a server that is away."""
    assert not storage.exists("nothing")
    with pytest.raises(NotFoundError):
        storage.get("nothing")


def test_an_object_over_the_limit_is_not_read(storage):
    """The size is looked at before the bytes are."""
    storage.put("large", bytes(11), content_type="text/plain")

    assert storage.get("large", max_bytes=11) == bytes(11)
    with pytest.raises(PictureTooLargeError, match="11"):
        storage.get("large", max_bytes=10)


def test_deleting_by_prefix_spares_the_neighbours(storage):
    """Only what starts, and ends, as named goes."""
    for key in ("p/1.npz", "p/2.png", "pp/3.npz"):
        storage.put(key, b"", content_type="text/plain")

    storage.delete_prefix("p/", suffix=".npz")

    assert [storage.exists(key) for key in ("p/1.npz", "p/2.png", "pp/3.npz")] == [False, True, True]


def test_a_presigned_link_reads_one_object(storage):
    """The link gives the bytes as a download, and no other object's."""
    storage.put("dream", b"picture", content_type="image/png")
    link = storage.presigned_get("dream", filename="dream.png")

    answer = httpx2.get(link)

    assert answer.content == b"picture"
    assert "dream.png" in answer.headers["Content-Disposition"]
    assert httpx2.get(link.replace("dream?", "other?")).is_client_error


def test_a_server_that_is_away_is_transient(settings):
    """No answer is a reason to try again later."""
    away = settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:9"})

    with pytest.raises(TransientError):
        ObjectStore(away).check()


def test_wrong_credentials_are_permanent(settings):
    """A refusal is no reason to try again."""
    stranger = settings.model_copy(update={"s3_access_key_id": "stranger"})

    with pytest.raises(PermanentError):
        ObjectStore(stranger).put("a", b"", content_type="text/plain")
