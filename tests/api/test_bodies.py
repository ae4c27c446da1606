"""JSON is read so that all its readers would agree on what it says."""

from __future__ import annotations

import pytest

from api.bodies import strict_json


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(b"[" * 202 + b"]" * 202, "recursion", id="one level too many"),
        pytest.param(b'{"a": 1, "b": {"c": 1, "c": 1}}', "'c' stands there twice", id="a key twice"),
        pytest.param(b"[1e309]", "1e309 is larger", id="beyond a double"),
        pytest.param(b"NaN", "expected value", id="no number"),
        pytest.param(b'"\\ud800"', "escape", id="half a pair"),
        pytest.param(b'"\xff"', "unicode", id="no UTF-8"),
        pytest.param(b"1" * 4301, "out of range", id="too many digits"),
        pytest.param(b"1 2", "trailing", id="two values"),
    ],
)
def test_json_that_readers_take_differently_is_refused(text, says):
    """The error says what is wrong."""
    with pytest.raises(ValueError, match=says):
        strict_json(text)


def test_json_at_its_bounds_is_read():
    """201 levels, the largest double, a whole surrogate pair, and an integer of any size that is written out."""
    nested = strict_json(b"[" * 201 + b"]" * 201)
    found = strict_json(b'{"number": 1.7976931348623157e308, "text": "\\ud83d\\ude00", "seed": 123456789012345678901}')

    assert isinstance(nested, list)
    assert found == {"number": 1.7976931348623157e308, "text": "😀", "seed": 123_456_789_012_345_678_901}
