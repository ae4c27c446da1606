"""The names that `import dreamcore` offers."""

from importlib.util import find_spec

import pytest

import dreamcore


@pytest.mark.parametrize("name", dreamcore.__all__)
def test_no_public_name_is_a_modules_too(name):
    """A module of the same name would stand in its place as soon as it is imported: `from dreamcore import zoom`."""
    assert find_spec(f"dreamcore.{name}") is None


@pytest.mark.parametrize("name", sorted(set(dreamcore.__all__) - {"__version__"}))
def test_public_names_can_be_called(name):
    """Each is a function or a class, and not the module that it comes from."""
    assert callable(getattr(dreamcore, name))
