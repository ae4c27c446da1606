"""What several tests need: pictures made of numbers, and talk with the api."""

from __future__ import annotations

import io
import json
import time

import numpy as np
from PIL import Image


def picture(width=96, height=80, *, mode="RGB", form="PNG", seed=0, **options):
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(file, form, **options)
    return file.getvalue()


def submit(client, data=None, **fields):
    parts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    if data is not None:
        parts["image"] = (io.BytesIO(data), "photo.png")
    return client.post("/v1/jobs", data=parts, content_type="multipart/form-data")


def assert_problem(answer, status, code):
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code
    assert answer.json["status"] == status
    return answer.json


def noise(height, width, *, seed=0):
    """A picture of coloured squares and grain, hardly anywhere at the ends of the range: there maxima would tie."""
    numbers = np.random.default_rng(seed)
    coarse = numbers.uniform(40, 215, (height // 8 + 2, width // 8 + 2, 3))
    fine = coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width] + numbers.normal(0, 10, (height, width, 3))
    return np.clip(fine, 0, 255).astype(np.uint8)


def until(condition, *, seconds=60.0):
    """Wait for a condition that other processes bring about; return what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)
    return found
