"""The command line against a farm: exit codes, pure JSON, one line for every error."""

import json

import pytest

from dreamcore.params import DreamParams
from tests.dreamfarm.fake_farm import PICTURE, event


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "sky.png"
    file.write_bytes(b"a picture")
    return file


def assert_one_line(result, exit_code, *words):
    assert result.exit_code == exit_code, result.output
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert all(word in line for word in words), line


def test_submit_prints_ids(run, fake, picture):
    """Each picture becomes a job, whose id alone is printed."""
    result = run("submit", picture, picture, "--steps", 3, "--layers", "fire8,fire9=0.5", "--tag", "a")

    assert (result.exit_code, result.stdout) == (0, "01NEW1\n01NEW2\n")
    assert json.loads(fake.submitted[1]["params"]) == {"steps": 3, "layers": {"fire8": 1.0, "fire9": 0.5}}
    assert json.loads(fake.submitted[1]["tags"]) == ["a"]


def test_every_parameter_is_an_option(run, fake, picture):
    """Each dream parameter given on the command line reaches the farm as its own type."""
    given = {
        "preset": "molten-color",
        "profile": "keras",
        "model": "inception_v3",
        "layers": {"mixed4": 2.0},
        "terms": [{"layer": "fire8", "weight": -1}],
        "octaves": 2,
        "octave_scale": 1.3,
        "steps": 4,
        "step_size": 0.5,
        "jitter": 3,
        "max_loss": 9.5,
        "seed": 11,
        "objective": "guide-dot",
        "normalise": "l2",
        "smoothing": 1.5,
        "smoothing_growth": 0.5,
        "laplacian": 3,
        "optimiser": "adam",
        "momentum": 0.8,
        "total_variation": 0.1,
        "l2_penalty": 0.2,
        "start": "noise",
        "keep_colors": False,
        "feather": 4.5,
        "precision": "bfloat16",
        "tiling": "rolled",
    }
    assert set(given) == set(DreamParams.model_fields)
    options = {**given, "layers": "mixed4=2", "terms": json.dumps(given["terms"])}
    del options["keep_colors"]
    flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    flags.append("--no-keep-colors")

    assert run("submit", picture, *flags).exit_code == 0
    assert json.loads(fake.submitted[0]["params"]) == given


def test_max_loss_can_be_switched_off(run, fake, picture):
    """The word none takes away a limit that a profile brings."""
    assert run("submit", picture, "--max-loss", "none").exit_code == 0
    assert json.loads(fake.submitted[0]["params"]) == {"max_loss": None}


def test_terms_come_from_a_file_or_by_handy_options(run, fake, picture, tmp_path):
    """Terms of a file, classes and channels are one list, in this order."""
    terms = tmp_path / "terms.json"
    terms.write_text('[{"layer": "fire4", "kind": "mean"}]')

    handy = ("--class", "great white shark=0.5", "--channels", "fire8:12,45=-1", "--channels", "fire6:weakest3")
    assert run("submit", picture, "--terms", terms, *handy).exit_code == 0
    assert json.loads(fake.submitted[0]["params"])["terms"] == [
        {"layer": "fire4", "kind": "mean"},
        {"class_name": "great white shark", "weight": 0.5},
        {"layer": "fire8", "channels": [12, 45], "weight": -1},
        {"layer": "fire6", "channels": {"pick": "weakest", "count": 3}},
    ]


def test_a_guide_changes_the_objective(run, fake, picture):
    """With a guide the objective is to dream towards it, unless another is asked for."""
    assert run("submit", picture, "--guide", picture).exit_code == 0
    assert run("submit", picture, "--guide", picture, "--objective", "l2").exit_code == 0
    assert [json.loads(sent["params"])["objective"] for sent in fake.submitted] == ["guide-dot", "l2"]


def test_submit_by_url(run, fake):
    """The farm fetches it; the name is left to the farm."""
    result = run("submit", "https://a.example/b.jpg", "--steps", 3, "--expires-in", 90)

    assert result.exit_code == 0, result.output
    [sent] = fake.submitted
    assert (sent["image"], sent["params"]) == ({"url": "https://a.example/b.jpg"}, {"steps": 3})
    assert sent["expires_in"] == 90


def test_submit_says_how_long_to_keep(run, fake, picture):
    """Beside the file."""
    assert run("submit", picture, "--expires-in", 90, "--fresh").exit_code == 0
    assert (fake.submitted[0]["expires_in"], fake.submitted[0]["fresh"]) == ("90", "true")


def test_submit_and_save(run, fake, picture, tmp_path):
    """With -o the command waits and saves the results in the folder."""
    fake.streams["01NEW1"].append(finishing(fake, "01NEW1"))

    result = run("submit", picture, "-o", "out", "--json")

    [job] = json.loads(result.stdout)
    [saved] = (tmp_path / "out").iterdir()
    assert (result.exit_code, job["state"]) == (0, "succeeded")
    assert saved.read_bytes() == PICTURE


def finishing(fake, job_id):
    yield event(1)
    fake.add(job_id, "succeeded", seq=2)
    yield event(2, "succeeded")


@pytest.mark.parametrize(("state", "exit_code"), [("succeeded", 0), ("failed", 1), ("canceled", 5), ("expired", 1)])
def test_watch_ends_as_the_job_did(run, fake, state, exit_code):
    """A script learns from the exit code how the job ended."""
    fake.add("J", state, seq=2)
    fake.streams["J"].append([event(1), event(2, state)])

    assert run("watch", "J").exit_code == exit_code


def test_watch_as_json_lines(run, fake):
    """With --json each change is one line of JSON, and nothing else is on stdout."""
    fake.add("J", "succeeded", seq=2)
    fake.streams["J"].append([event(1), event(2, "succeeded")])

    lines = [json.loads(line) for line in run("watch", "J", "--json").stdout.splitlines()]

    assert [(line["id"], line["state"]) for line in lines] == [("J", "running"), ("J", "succeeded")]


def test_watch_tells_why_a_job_failed(run, fake):
    """The reason of a failure is one line on stderr."""
    fake.add("J", "failed", name="sky.jpg", error={"code": "x", "message": "The gradient is zero."})

    assert "sky.jpg failed: The gradient is zero." in run("watch", "J").stderr.splitlines()


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (["list", "--json"], list),
        (["show", "J", "--json"], dict),
        (["workers", "--json"], list),
        (["models", "--json"], list),
        (["models", "squeezenet", "--json"], dict),
        (["get", "J", "--json"], list),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_json_is_pure(run, fake, command, kind):
    """With --json stdout is one JSON document, and nothing else is said."""
    fake.add("J", "succeeded")

    result = run(*command)

    assert (result.exit_code, result.stderr) == (0, "")
    assert isinstance(json.loads(result.stdout), kind)


def test_lists_for_people(run, fake):
    """Tables name the jobs, their states and pictures; one job is shown with its parameters."""
    fake.add("J", "running", name="sky.jpg")

    assert {"J", "running", "sky.jpg", "squeezenet"} <= set(run("list").stdout.split())
    assert "layers = {'fire8': 1.0}" in run("show", "J").stdout
    assert "No worker" in run("workers").stderr


def test_layers_with_shapes_at_a_size(run):
    """Layers are listed with their shapes at the size asked for, height first, without any farm."""
    layers = json.loads(run("models", "squeezenet", "--size", "640x480", "--json", url="").stdout)["layers"]

    assert layers[0]["name"] == "conv1"
    assert layers[0]["shape"] == [240, 320, 64]


def test_get_names_files_after_their_jobs(run, fake, tmp_path):
    """Results of several jobs get a file each; a single one can be given its name."""
    fake.add("01A", "succeeded", name="sky.jpg")
    fake.add("01B", "succeeded", name="sky.jpg")

    assert run("get", "01A", "01B", "-o", "out").exit_code == 0
    assert run("get", "01A", "-o", "one.png").exit_code == 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["sky-01a.png", "sky-01b.png"]
    assert (tmp_path / "one.png").read_bytes() == PICTURE


def test_cancel_retry_delete(run, fake):
    """The actions take several jobs at once."""
    fake.add("A")
    fake.add("B")

    assert run("cancel", "A", "B").exit_code == 0
    assert [one["state"] for one in fake.jobs.values()] == ["canceled", "canceled"]
    assert run("retry", "A").exit_code == 0
    assert fake.jobs["A"]["state"] == "queued"
    assert run("delete", "A", "B").exit_code == 0
    assert fake.jobs == {}


@pytest.mark.parametrize(
    ("command", "exit_code", "words"),
    [
        (["submit", "nope.png"], 2, ["nope.png", "not exist"]),
        (["submit", "sky.png", "--steps", "many"], 2, ["--steps", "many"]),
        (["submit", "sky.png", "--layers", "fire8=x"], 2, ["--layers", "fire8=x"]),
        (["submit", "sky.png", "--layers", "fire8,fire8"], 2, ["fire8", "twice"]),
        (["submit", "sky.png", "--layers", ""], 2, ["no layer"]),
        (["submit", "sky.png", "--objective", "l3"], 2, ["l3", "guide-dot"]),
        (["submit", "sky.png", "--terms", "none.json"], 2, ["none.json", "No such file"]),
        (["submit", "sky.png", "--terms", "[{"], 2, ["no JSON"]),
        (["submit", "sky.png", "--channels", "fire8"], 2, ["'fire8' names no channels", "fire8:12,45"]),
        (["submit", "sky.png", "--class", "cat=x"], 2, ["'cat=x'", "goldfish=0.5"]),
        (["submit", "sky.png", "--max-loss", "much"], 2, ["much", "none"]),
        (["submit", "sky.png", "--nope"], 2, ["--nope"]),
        (["submit", "sky.png", "--preset", "eyes"], 2, ["'--preset': 'eyes' is not one of", "floating-eyes"]),
        (["submit", "sky.png", "--profile", "x"], 2, ["'--profile': 'x' is not one of", "lapnorm"]),
        (["submit"], 2, ["PICTURES"]),
        (["sumbit"], 2, ["sumbit", "submit"]),
        (["list", "--state", "lost"], 2, ["lost", "queued"]),
        (["list", "--url", "ftp://farm"], 2, ["ftp://farm"]),
        (["show", "nope"], 3, ["nope"]),
        (["watch", "nope"], 3, ["nope"]),
        (["get", "nope"], 3, ["nope"]),
        (["get", "QUEUED"], 1, ["no result"]),
        (["get", "DONE", "-o", "sky.png/x"], 2, ["sky.png", "file"]),
        (["cancel", "DONE"], 1, ["already succeeded"]),
        (["models", "nope"], 3, ["nope", "squeezenet"]),
        (["models", "squeeze"], 3, ["Did you mean 'squeezenet'?"]),
        (["models", "squeezenet", "--size", "big"], 2, ["big", "640x480"]),
        (["models", "export", "squeezenet", "--layers", "fire88"], 3, ["fire88", "fire8"]),
        (["models", "export", "squeezenet", "--layers", "fire8", "-o", "net.h5"], 2, ["net.h5", ".keras"]),
        (["models", "export", "resnet", "--layers", "fire8"], 3, ["resnet", "resnet50"]),
        (["dream", "sky.png"], 2, ["picture"]),
        (["dream", "sky.png", "--octaves", "99"], 2, ["octaves is 99", "at least 1 and at most 16"]),
        (["dream", "sky.png", "--layers", "fire8=1e300"], 2, ["fire8 is 1e+300", "at least -1000 and at most 1000"]),
        (["dream", "sky.png", "--layers", "fire8=0"], 2, ["A weight is 0", "-1000 to 1000"]),
        (["zoom", "sky.png", "--frames", "0"], 2, ["frames is '0'", "at least 1 and at most 10000"]),
        (["dream", "sky.png", "--layers", "fire99"], 2, ["fire99", "fire9"]),
        (["dream", "sky.png", "--model", "resnet"], 2, ["resnet", "squeezenet"]),
        (["dream", "sky.png", "-o", "out.bmp"], 2, ["out.bmp", ".png"]),
        (["dream", "sky.png", "-o", "nowhere/out.png"], 2, ["nowhere"]),
        (["dream", "sky.png", "-o", "out.png", "--format", "jpeg"], 2, ["out.png", "--format"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("picture")
def test_wrong_input_is_one_line(run, fake, command, exit_code, words):
    """Whatever is wrong is said in one line on stderr, with an exit code for scripts, and nothing on stdout."""
    fake.add("QUEUED")
    fake.add("DONE", "succeeded")

    assert_one_line(run(*command), exit_code, *words)


def test_no_farm(run):
    """Without any address, the ways to give one are named."""
    assert_one_line(run("list", url=""), 4, "dreamfarm up", "--url", "DREAMFARM_URL")


def test_farm_away(run):
    """A farm that doesn't answer has an exit code of its own."""
    assert_one_line(run("workers", url="http://127.0.0.1:9"), 4, "127.0.0.1:9")


def test_help_explains_exit_codes(run):
    """The first help a user sees lists the commands and what the exit codes mean."""
    result = run("--help")

    assert result.exit_code == 0
    assert {"dream", "up", "submit", "watch", "models"} <= set(result.stdout.split())
    assert "4 no farm" in result.stdout
    assert run().stdout == result.stdout


def test_a_refused_picture_is_named(run, fake, picture):
    """Where one of several pictures is refused, it is named, and the ids of those before it are known."""
    other = picture.with_name("text.jpg")
    other.write_bytes(b"no picture")
    fake.refused = b"no picture"

    result = run("submit", picture, other)

    assert (result.exit_code, result.stdout) == (2, "01NEW1\n")
    assert "text.jpg: The file is no picture." in result.stderr


def test_a_worker_that_is_set_aside_says_why(run, fake):
    """The list names it with its reason, and the command brings it back."""
    card = {"id": "w1", "host": "h", "pid": 1, "device": "CPU", "version": "1", "memory_bytes": 8_000_000_000}
    times = {"started_at": "2026-01-01T00:00:00Z", "seen_at": "2026-01-01T00:00:00Z"}
    fake.workers = [{**card, **times, "speed": 1.5, "tags": ["gpu"], "state": "set_aside", "why": "It failed 3 jobs."}]
    fake.answers["POST", "/v1/workers/w1/bring-back"].append({**fake.workers[0], "state": "idle"})

    shown, back = run("workers", "--json"), run("workers", "bring-back", "w1")

    assert json.loads(shown.stdout)[0]["memory_bytes"] == 8_000_000_000
    assert "It failed 3 jobs." in run("workers").stderr
    assert "w1 is idle" in back.stderr


def test_the_table_of_workers_cuts_no_word(fake, run):
    """At 80 columns whole columns give way, the least telling first, and are named; with room all are there."""
    card = {"host": "gpu-box-0123", "pid": 1, "device": "NVIDIA H200", "version": "1.0.0", "memory_bytes": 140 * 10**9}
    times = {"started_at": "2026-01-01T00:00:00Z", "seen_at": "2026-01-01T00:00:00Z"}
    common = {**card, **times, "speed": 30.5, "tags": ["gpu"], "state": "idle"}
    fake.workers = [
        {**common, "id": "gpu-box-0123-0a1b2c3d"},
        {**common, "id": "b", "job": "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
    ]

    wide, narrow = run("workers"), run("workers", columns=80)

    assert {"VERSION", "HOST", "MEMORY", "1.0.0", "140.0"} <= set(wide.stdout.split())
    assert wide.stderr == ""
    assert all(len(line) <= 80 for line in narrow.stdout.splitlines())
    words = {"WORKER", "STATE", "DEVICE", "JOB", "gpu-box-0123-0a1b2c3d", "idle", "H200", "01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    assert words <= set(narrow.stdout.split())
    assert not {"VERSION", "VERSIO", "1.0.", "MEMOR"} & set(narrow.stdout.split())
    assert "Not shown for lack of room: VERSION, HOST" in narrow.stderr
