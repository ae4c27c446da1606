"""Pictures are decoded in processes of their own, which may die over them; the farm doesn't."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from dreamcore.errors import PictureError, PictureTooCostlyError, PictureTooLargeError
from dreamcore.pictures import decode
from farm.decoders import Bounds, DecoderPool
from tests.hostile_pictures import KINDS, corpus, endless_gif, sound
from tests.support import picture, until

BOUNDS = Bounds(max_pixels=20_000_000, memory_bytes=1_500_000_000, cpu_s=20, wall_s=60)


def pool_of(**changes):
    return DecoderPool(BOUNDS._replace(**changes), size=1)


@pytest.fixture
def pool():
    made = pool_of()
    yield made
    made.end()


def process_of(pool):
    pool.look(picture())
    [decoder] = pool._places.queue
    return psutil.Process(decoder.process.pid)


def wide(side):
    out = io.BytesIO()
    Image.new("L", (side, side)).save(out, "PNG")
    return out.getvalue()


def test_a_picture_is_seen_as_it_is(pool):
    """Its size comes back upright, with the notices."""
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = pool.look(picture(30, 20, form="JPEG", exif=exif))
    moving = pool.look(endless_gif(3))

    assert (turned.width, turned.height, turned.notices) == (20, 30, ())
    assert moving.notices == ("The GIF holds 3 frames; only the first is dreamt.",)


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        pytest.param(b"", PictureError, "empty", id="empty"),
        pytest.param(b"text", PictureError, "no picture of a format", id="text"),
        pytest.param(picture()[:-99], PictureError, "broken or cut short", id="cut"),
        pytest.param(wide(5000), PictureTooLargeError, "5000x5000", id="too large"),
    ],
)
def test_what_is_wrong_is_said_as_if_it_were_decoded_here(pool, data, kind, message):
    """The decoder's error arrives with its kind and its words, and the decoder stays."""
    before = process_of(pool)

    with pytest.raises(PictureError, match=message) as error:
        pool.look(data)
    assert type(error.value) is kind
    assert process_of(pool) == before


def test_a_dead_decoder_is_replaced(pool):
    """One that the machine killed while it waited costs nobody their picture."""
    before = process_of(pool)
    before.kill()

    after = process_of(pool)
    assert after.is_running()
    assert after != before


def test_more_memory_than_allowed_is_refused():
    """Inflating stops at the limit, with an error for this picture and none for the next."""
    pool = pool_of(memory_bytes=30_000_000)
    with pytest.raises(PictureTooCostlyError, match="memory"):
        pool.look(wide(4000))

    assert pool.look(picture()).width == 96
    pool.end()


@pytest.mark.slow
def test_more_processor_time_than_allowed_is_refused():
    """The decoder is ended by its own limit, wherever it hangs; the next picture is seen."""
    pool = pool_of(cpu_s=0)
    with pytest.raises(PictureTooCostlyError, match="time"):
        pool.look(endless_gif(600_000))

    assert pool.look(picture()).width == 96
    pool.end()


@pytest.mark.slow
def test_a_decoder_that_stands_still_is_replaced():
    """What takes too long by the clock is refused as too costly, and the process is gone."""
    pool = pool_of(wall_s=3)
    before = process_of(pool)
    before.send_signal(signal.SIGSTOP)
    with pytest.raises(PictureTooCostlyError, match="longer than 3 s"):
        pool.look(picture())

    assert not before.is_running()
    assert pool.look(picture()).width == 96
    pool.end()


def test_a_decoder_knows_no_secret(pool, monkeypatch):
    """Nothing of the environment reaches it, and it may write no file."""
    monkeypatch.setenv("DREAMFARM_S3_SECRET_ACCESS_KEY", "hush")
    process = process_of(pool)

    assert not {name for name in process.environ() if "DREAMFARM" in name or "AWS" in name}
    assert process.rlimit(psutil.RLIMIT_FSIZE)[0] == 0
    assert process.rlimit(psutil.RLIMIT_CORE)[0] == 0
    assert process.rlimit(psutil.RLIMIT_AS)[0] < 4_000_000_000


def test_a_decoder_ends_with_its_caller():
    """However that ended."""
    code = (
        "import os, sys; from farm.decoders import Bounds, DecoderPool; from tests.support import picture\n"
        f"pool = DecoderPool(Bounds{tuple(BOUNDS)}, 1); pool.look(picture())\n"
        "print(pool._places.queue[0].process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )

    assert done.returncode == -signal.SIGKILL
    until(lambda: not psutil.pid_exists(int(done.stdout)) or psutil.Process(int(done.stdout)).status() == "zombie")


def test_a_decoder_imports_no_tensorflow():
    """It would cost each decoder seconds and half a gigabyte."""
    code = "import sys, farm.decoder; print({'tensorflow', 'keras', 'jax', 'boto3', 'celery'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == "set()"


def test_the_corpus_is_large():
    """Some hundred files, all different, in which every kind of picture is harmed."""
    files = corpus()

    assert len(files) >= 300
    assert len(set(files.values())) > 0.9 * len(files)
    assert all(any(kind in name for name in files) for kind in KINDS)


@pytest.mark.slow
def test_no_bad_file_harms_a_decoder(pool):
    """Each is seen or refused by an error that names it, and one process answers for all of them."""
    pool.look(sound("PNG"))
    before = process_of(pool)
    seen = {name: answer_of(pool, data) for name, data in corpus().items()}

    assert set(seen.values()) == {"seen", "bad_picture", "picture_too_large"}
    assert process_of(pool) == before
    assert {kind for name, kind in seen.items() if name.startswith("other-")} == {"bad_picture"}


def answer_of(pool, data):
    try:
        pool.look(data)
    except PictureError as error:
        return error.code
    return "seen"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_no_bad_file_harms_a_render():
    """In 16 bits too, decoding raises nothing but what it says it does."""
    refused = 0
    for data in corpus().values():
        try:
            assert decode(data, max_pixels=2_000_000).rgb.ndim == 3
        except PictureError:
            refused += 1

    assert refused > 200
