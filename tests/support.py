"""What several tests need: pictures made of numbers, and talk with the api."""

from __future__ import annotations

import io
import json

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
