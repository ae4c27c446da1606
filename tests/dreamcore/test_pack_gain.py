"""What a pack gains is measured, not assumed."""

from __future__ import annotations

from dreamcore.calibration import pack_gain


def test_the_gain_is_a_ratio_of_pictures_per_second(squeezenet):
    """Within what is possible: nothing makes two pictures ten times as fast, or five times as slow."""
    assert 1 / 5 < pack_gain(squeezenet, pictures=2, side_px=64) < 10
