"""The plan of a batch: inputs, output names, and the draws of augmentation. Nothing is rendered here."""

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverb import Gain, Reverb
from reverb.errors import AudioFileError, ParameterError
from reverb.render.batch.batch import plan_batch
from reverb.render.batch.plan import FIELDS, Input, find_inputs, output_name, plan
from reverb.render.batch.tasks import Treatment
from reverb.render.settings import RenderSettings
from tests.render.batch.folders import ROOM

DRY = Treatment("dry", Gain(0.0))
WET = Treatment("wet", Reverb(ROOM))


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def _found(*named: str | Path, leave_out: Path | None = None) -> list[str]:
    return [str(one.relative) for one in find_inputs(named, leave_out)]


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    _touch(
        tmp_path / "takes",
        "b.wav",
        "a.flac",
        "notes.txt",
        ".hidden.wav",
        "z/c.WAV",
        "z/y/d.aiff",
        ".git/e.wav",
    )
    return tmp_path / "takes"


@pytest.mark.parametrize(
    ("named", "relative", "root"),
    [
        (["takes"], ["a.flac", "b.wav", "z/c.WAV", "z/y/d.aiff"], "takes"),
        (["takes/"], ["a.flac", "b.wav", "z/c.WAV", "z/y/d.aiff"], "takes"),
        (["takes/b.wav", "takes/a.flac"], ["b.wav", "a.flac"], ""),
        (["takes/notes.txt"], ["notes.txt"], ""),
        (["takes/*"], ["a.flac", "b.wav", "z/c.WAV", "z/y/d.aiff"], "takes"),
        (["takes/*.wav"], ["b.wav"], "takes"),
        (["takes/**/*.[wW]*"], ["b.wav", "z/c.WAV"], "takes"),
        (["takes/z", "takes/z/c.WAV"], ["c.WAV", "y/d.aiff"], "z"),
    ],
)
def test_files_folders_and_globs(takes: Path, named: list[str], relative: list[str], root: str) -> None:
    assert _found(*named) == relative
    assert find_inputs(named)[0].root == root
    assert [one.path for one in find_inputs([f"file://{takes.parent / name}" for name in named])] == [
        str(takes.parent / one.path) for one in find_inputs(named)
    ]


def test_a_name_with_brackets_is_itself_before_it_is_a_pattern(takes: Path) -> None:
    _touch(takes, "[1].wav", "1.wav")
    assert _found("takes/[1].wav") == ["[1].wav"]


@pytest.mark.parametrize("named", ["nothing", "takes/*.mp3", "empty", "takes/nothing.wav"])
def test_what_was_named_must_be_there(takes: Path, named: str) -> None:
    (takes.parent / "empty").mkdir()
    with pytest.raises(AudioFileError, match=named.replace("*", r"\*")):
        find_inputs([named])


def test_the_output_folder_is_no_input(takes: Path) -> None:
    assert _found("takes", leave_out=takes / "z") == ["a.flac", "b.wav"]
    _touch(takes, "wet/a.flac")
    assert len(plan_batch("takes", "takes/wet", [WET]).tasks) == 4


def test_links_are_followed_once_and_loops_end(takes: Path) -> None:
    (takes / "z" / "again").symlink_to(takes)
    (takes / "z" / "self").symlink_to(takes / "z" / "self")
    (takes / "loop.wav").symlink_to(takes / "loop.wav")
    (takes / "alias.wav").symlink_to(takes / "b.wav")
    (takes / "other").symlink_to(takes / "z")
    # The broken link is kept, so that it is reported as a failure; z is entered by its own name.
    assert _found("takes") == ["a.flac", "alias.wav", "b.wav", "loop.wav", "z/c.WAV", "z/y/d.aiff"]


@pytest.mark.usefixtures("takes")
def test_a_closed_folder_is_reported_and_the_rest_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("/y"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)  # root may enter any folder
    *readable, shut = find_inputs(["takes"])
    assert len(readable) == 3
    assert shut.problem == "takes/z/y: the folder cannot be read (Permission denied)"
    assert plan(find_inputs(["takes"]), [WET])[-1].problem == shut.problem


# -- names ----------------------------------------------------------------------------------------------------


def _outputs(inputs: list[str], treatments: list[Treatment], **more: object) -> list[str]:
    found = [Input(name, PurePosixPath(name), "takes") for name in inputs]
    return [task.output for task in plan(found, treatments, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("treatments", "template", "expected"),
    [
        ([WET], None, ["a.wav", "z/b.flac"]),
        ([WET, DRY], None, ["a-wet.wav", "a-dry.wav", "z/b-wet.flac", "z/b-dry.flac"]),
        ([WET], "{ir}/{folder}/{stem}", ["wet/a.wav", "wet/z/b.flac"]),
        ([WET], "{root}-{index:03d}-{chain}", ["takes-001-wet.wav", "takes-002-wet.flac"]),
        ([WET], "/{folder}//./{stem}{{x}}", ["a{x}.wav", "z/b{x}.flac"]),
        ([Treatment("plates/bright", ROOM)], "{stem} {ir}", ["a plates-bright.wav", "b plates-bright.flac"]),
        ([Treatment("t", ROOM, RenderSettings(container="aiff"))], None, ["a.aif", "z/b.aif"]),
    ],
)
def test_output_names(treatments: list[Treatment], template: str | None, expected: list[str]) -> None:
    assert _outputs(["a.wav", "z/b.flac"], treatments, template=template) == expected


def test_an_ending_that_is_no_format_becomes_wav() -> None:
    assert _outputs(["take.1", "noise"], [WET]) == ["take.wav", "noise.wav"]


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{stm}", "unknown {stm}; expected {stem}"),
        ("{stem.__class__}", "unknown {stem.__class__}"),
        ("{}", "unknown {}"),
        ("{stem", "expected '}'"),
        ("{stem:{index}}", "unknown"),
        ("{stem:d}", "Unknown format code"),
        ("../{stem}", "inside the output folder"),
        ("{folder}/", "would both become"),
    ],
)
def test_templates_that_are_refused(template: str, complaint: str) -> None:
    with pytest.raises(ParameterError, match=complaint.replace("{", r"\{").replace("}", r"\}")):
        _outputs(["z/a.wav", "z/b.wav"], [WET], template=template)


@given(st.text(), st.sampled_from(sorted(FIELDS)))
def test_no_input_name_leads_out_of_the_folder(text: str, field: str) -> None:
    fields = {**dict.fromkeys(FIELDS, "x"), "variant": 1, "index": 1}
    if isinstance(fields[field], str):
        fields[field] = text
    try:
        name = output_name("{folder}/{stem}-{ir}", fields, ".wav")
    except ParameterError:
        return
    assert os.path.normpath(f"/out/{name}").startswith("/out/")
    assert not name.startswith("/")


def test_two_outputs_of_one_name_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"x/a\.wav and y/a\.wav would both become a\.wav.*\{folder\}"):
        _outputs(["x/a.wav", "y/a.wav"], [WET], template="{stem}")
    with pytest.raises(ParameterError, match="two effects are named 'wet'"):
        _outputs(["a.wav"], [WET, WET])
    with pytest.raises(ParameterError, match="no effect"):
        _outputs(["a.wav"], [])


def test_an_output_that_would_be_an_input_is_refused(takes: Path) -> None:
    with pytest.raises(ParameterError, match=r"a\.flac: is itself an input"):
        plan_batch("takes", "takes", [WET])
    (takes.parent / "link").symlink_to(takes)
    with pytest.raises(ParameterError, match=r"a\.flac: is itself an input"):
        plan_batch("takes", "link", [WET])
    assert plan_batch("takes", "takes", [WET], name_template="{folder}/{stem}-{ir}").tasks


# -- augmentation ---------------------------------------------------------------------------------------------
