"""What makes generated calls succeed: things that they name are there. Loaded by schemathesis."""

from __future__ import annotations

import hashlib

import schemathesis
from schemathesis import GenerationMode

from tests.support import picture

PICTURE = picture()
SHA256 = hashlib.sha256(PICTURE).hexdigest()
DREAM = {"kind": "dream", "zoom": None, "params": {"octaves": 1}}
REFERENCE = {"sha256": SHA256}
THERE = {
    "POST /v1/jobs": {"image": REFERENCE, "guide": [], "mask": [], "needs": [], **DREAM},
    "POST /v1/batches": {"inputs": [REFERENCE], "guide": [], "mask": [], "sweep": {}, **DREAM},
    "POST /v1/estimate": {"image": REFERENCE, "width": None, "height": None, **DREAM},
    "POST /v1/webhooks": {"url": "http://127.0.0.1:9/"},
}
"""By operation, fields of a body that go together and name what there is."""


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Let right calls that follow one another name what there is; the others stay as they were generated."""
    there = THERE.get(case.operation.label)
    if there and _is_right(case) and case.media_type == "application/json":
        case.body = {**case.body, **there}


def _is_right(case):
    meta = case.meta
    return meta and meta.phase.name.value == "stateful" and meta.generation.mode is GenerationMode.POSITIVE
