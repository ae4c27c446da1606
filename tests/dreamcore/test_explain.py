"""Wrong values are explained, and not by the thousand."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from dreamcore.explain import explain


class Numbers(BaseModel):
    """Some numbers."""

    numbers: list[int]


@pytest.mark.parametrize(
    ("wrong", "told"), [pytest.param(20, 20, id="as-many-as-are-told"), pytest.param(5000, 21, id="more")]
)
def test_many_wrong_fields_are_counted(wrong, told):
    """The first 20 are explained, and a line says how many more there are: an answer stays short."""
    with pytest.raises(ValidationError) as caught:
        Numbers(numbers=["x"] * wrong)

    found = explain(caught.value)

    assert len(found) == told
    assert found[0].pointer == "/numbers/0"
    assert (found[-1].detail == "And 4980 more are wrong.") == (wrong > 20)
