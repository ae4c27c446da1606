"""Model files that mean harm: whatever they hold, none of it is run, and nothing beside them is read."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import marshal
import os
import pickle
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

from dreamcore import catalog, load_model
from dreamcore.errors import ModelFileError, WeightsError
from dreamcore.model_files import inspect

layers = keras.layers
SECRET = b"the bytes of a file beside it..." * 64


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The same small network as `.keras` and as `.h5`."""
    folder = tmp_path_factory.mktemp("good")
    image = keras.Input((None, None, 3))
    model = keras.Model(image, layers.Conv2D(4, 3, name="second")(layers.Conv2D(4, 3, name="first")(image)))
    for suffix in (".keras", ".h5"):
        model.save(folder / f"good{suffix}")
    return folder


class Trap:
    """A file that, were it run, would leave a mark; and one with bytes that it has no business to read."""

    def __init__(self, good, folder, monkeypatch):
        self.good, self.folder, self.mark = good, folder, folder / "mark"
        self.touch = f"import pathlib; pathlib.Path({str(self.mark)!r}).touch()"
        self.code = base64.b64encode(marshal.dumps(compile(self.touch, "x", "exec"))).decode()
        (folder / "planted_module.py").write_text(f"{self.touch}\ndef run(*_): {self.touch}\n")
        (folder / "secret").write_bytes(SECRET)
        monkeypatch.syspath_prepend(folder)

    def command(self):
        return f"touch {self.mark}"

    def first_layer(self, **changes):
        """Return what changes a model's first layer."""

        def change(config):
            config["config"]["layers"][1].update(changes)
            return config

        return change

    def activation(self, value):
        def change(config):
            config["config"]["layers"][1]["config"]["activation"] = value
            return config

        return change

    def write(self, suffix, change):
        """Return a file with a changed description, its weights as they were."""
        path = self.folder / f"bad{suffix}"
        if suffix == ".keras":
            self.rezip(path, {"config.json": lambda data: json.dumps(change(json.loads(data))).encode()})
            return path
        shutil.copy(self.good / "good.h5", path)
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = json.dumps(change(json.loads(file.attrs["model_config"])))
        return path

    def rezip(self, path, changes, extra=()):
        with zipfile.ZipFile(self.good / "good.keras") as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                data = changes.get(name, lambda same: same)(source.read(name))
                if data is not None:
                    target.writestr(name, data)
            for name, data in extra:
                target.writestr(name, data)


@pytest.fixture
def trap(good, tmp_path, monkeypatch):
    return Trap(good, tmp_path, monkeypatch)


def layer(trap, module, name, **config):
    return trap.first_layer(module=module, class_name=name, registered_name=None, config={"name": "first", **config})


def function(trap, module, name):
    return trap.activation({"module": module, "class_name": "function", "config": name, "registered_name": name})


def lambda_of(code):
    return {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}


DESCRIPTIONS = {
    "lambda-layer": lambda t: layer(t, "keras.layers", "Lambda", function=lambda_of(t.code)),
    "lambda-layer-of-old": lambda t: layer(
        t, "keras.layers", "Lambda", function=[t.code, None, None], function_type="lambda"
    ),
    "lambda-as-activation": lambda t: t.activation(lambda_of(t.code)),
    "lambda-inside-a-wrapper": lambda t: layer(
        t,
        "keras.layers",
        "TimeDistributed",
        layer={"module": "keras.layers", "class_name": "Lambda", "config": {"function": lambda_of(t.code)}},
    ),
    "a-command": lambda t: layer(t, "subprocess", "Popen", args=["touch", str(t.mark)]),
    "a-function-of-the-system": lambda t: function(t, "os", "system"),
    "a-builtin": lambda t: function(t, "builtins", "eval"),
    "a-module-beside-it": lambda t: function(t, "planted_module", "run"),
    "a-class-of-a-module-beside-it": lambda t: layer(t, "planted_module", "run"),
    "keras-own-downloader": lambda t: function(t, "keras.utils", "get_file"),
    "keras-own-loader": lambda t: layer(t, "keras.models", "load_model", filepath=str(t.folder / "secret")),
    "a-saved-model": lambda t: layer(t, "keras.layers", "TFSMLayer", filepath=str(t.folder), call_endpoint="serve"),
    "a-vocabulary-file": lambda t: layer(t, "keras.layers", "StringLookup", vocabulary=str(t.folder / "secret")),
}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_what_a_description_names_is_not_run(trap, name, suffix):
    """Lambdas, commands, functions, modules and files that a model names: refused in one error, and nothing happens."""
    path = trap.write(suffix, DESCRIPTIONS[name](trap))
    before = list(catalog.MODELS)

    with pytest.raises(ModelFileError, match=r"bad\.") as caught:
        load_model(path)

    assert not trap.mark.exists()
    assert "the bytes of" not in str(caught.value)
    assert list(catalog.MODELS) == before


class Pickled:
    """Runs a command when it is read."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return (os.system, (self.command,))


def npz(trap):
    file = io.BytesIO()
    np.savez(file, weights=np.array([Pickled(trap.command())], dtype=object))
    return file.getvalue()


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5"])
def test_a_pickle_is_not_read(trap, suffix):
    """Whatever it is called: as a model it is refused, and so it is as weights."""
    path = trap.folder / f"bad{suffix}"
    path.write_bytes(pickle.dumps(Pickled(trap.command())))

    with pytest.raises(ModelFileError):
        load_model(path)
    with pytest.raises(WeightsError):
        load_model("squeezenet", str(path))
    assert not trap.mark.exists()


def test_weights_in_a_pickle_are_not_read(trap):
    """A `.keras` file whose weights are numpy's, with an object among them."""
    path = trap.folder / "bad.keras"
    trap.rezip(path, {"model.weights.h5": lambda _: None}, [("model.weights.npz", npz(trap))])

    with pytest.raises(ModelFileError):
        load_model(path)
    assert not trap.mark.exists()


def test_a_description_in_a_pickle_is_not_read(trap):
    """An `.h5` file that holds it where its JSON should be."""
    path = trap.folder / "bad.h5"
    shutil.copy(trap.good / "good.h5", path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = np.void(pickle.dumps(Pickled(trap.command())))

    with pytest.raises(ModelFileError):
        load_model(path)
    assert not trap.mark.exists()


def first_kernel(file):
    found = []
    file.visititems(lambda name, item: found.append(name) if getattr(item, "ndim", 0) == 4 else None)
    return found[0]


def point_outside(file, trap, how):
    """Let the first kernel lie in another file."""
    name = first_kernel(file)
    shape = file[name].shape
    del file[name]
    if how == "external-bytes":
        file.create_dataset(name, shape=shape, dtype="f4", external=[(str(trap.folder / "secret"), 0, 4 * 108)])
    elif how == "virtual":
        layout = h5py.VirtualLayout(shape=shape, dtype="f4")
        layout[...] = h5py.VirtualSource(str(trap.good / "good.h5"), name, shape=shape)
        file.create_virtual_dataset(name, layout)
    else:
        file[name] = h5py.ExternalLink(str(trap.good / "good.h5"), name)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("how", ["external-bytes", "external-link", "virtual"])
def test_weights_lie_in_the_file_itself(trap, suffix, how):
    """One that names another file of the machine, of which a dream would tell, is refused."""
    path, inner = trap.folder / f"bad{suffix}", trap.folder / "inner.h5"
    if suffix == ".h5":
        shutil.copy(trap.good / "good.h5", path)
        inner = path
    else:
        with zipfile.ZipFile(trap.good / "good.keras") as source:
            inner.write_bytes(source.read("model.weights.h5"))
    with h5py.File(inner, "r+") as file:
        point_outside(file, trap, how)
    if suffix == ".keras":
        trap.rezip(path, {"model.weights.h5": lambda _: inner.read_bytes()})

    with pytest.raises(ModelFileError):
        load_model(path)


def test_a_zip_writes_nowhere(trap):
    """Entries with a way out of the archive are left where they are; the model beside them is read or refused."""
    path = trap.folder / "bad.keras"
    trap.rezip(path, {}, [("../mark", b""), (str(trap.mark), b""), ("assets/../../mark", b"")])

    with contextlib.suppress(ModelFileError):
        inspect(path)
    assert not trap.mark.exists()
    assert not (trap.folder.parent / "mark").exists()
