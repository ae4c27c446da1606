"""Whose a job, a batch or a picture is."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

LOCAL = "local"
"""The owner where nobody is asked for a key, and of records that are older than owners."""

OWNER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

Owner = Annotated[
    str,
    Field(pattern=f"^{OWNER.pattern}$", description="Whose it is: small letters, digits, dots, dashes."),
]
