"""Write the performance page and README's table of figures from saved benchmark results."""

import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import Result, Row

Results = Mapping[str, Result]
KEPT = Path(__file__).resolve().parents[2] / "docs" / "performance"
NAMES = ("offline", "convolve", "realtime", "paced", "live", "batch")
OURS, UNTUNED, ZITA, ZITA_BEST = "reverb, FFTW", "reverb, no FFTW", "zita, default", "zita, best"
BLOCK, RESPONSE = 128, 4.0
RATE = 48_000
_WIDTH = 130

_HEAD = """# Performance

All figures compare programs in the same run, on the same machine, with the error (*null*: the difference to a
reference, relative to its peak) beside them, because speed is worth nothing if the result is wrong. Each table names
the command that measures it again, in minutes; programs that are not installed are skipped, with a message. With
`--json docs/performance/….json`, a benchmark saves its result, and
`scripts/performance.py` writes this page from the saved results."""


def read(folder: Path = KEPT) -> dict[str, Result]:
    """Return all results saved in a folder, by name."""
    return {name: Result.load(folder / f"{name}.json") for name in NAMES}


def written(results: Results) -> str:
    """Return the page."""
    parts = [
        _HEAD,
        _machines(results),
        "![Time for ten minutes of stereo, and CPU time of a block, by program](images/performance.svg)",
        *(f"## {title}\n\n{part(results)}" for title, part in SECTIONS.items()),
    ]
    return "\n\n".join(map(_wrapped, "\n\n".join(parts).split("\n\n"))) + "\n"


def _wrapped(paragraph: str) -> str:
    """Wrap prose to one width; leave headings, tables, lists, pictures and commands unchanged."""
    stays = paragraph.startswith(("#", "|", "- ", "!", "    "))
    return (
        paragraph
        if stays
        else textwrap.fill(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)
    )


def summary(results: Results) -> str:
    """Return README's table; the smallest value of a row is bold."""
    rows = [
        (
            f"live, CPU per block of {BLOCK} frames",
            *_live_cells(results["realtime"]),
            "`scripts/bench_realtime.py`",
        ),
        (
            "the same at a card's pace, caches cold",
            *_live_cells(results["paced"]),
            "`scripts/bench_realtime.py --paced`",
        ),
        (
            f"{_minutes(results):g} minutes of 24-bit stereo, read and written",
            *_file_cells(results["offline"]),
            "`scripts/bench_offline.py`",
        ),
        (
            "error against direct convolution in float64",
            _db(_null(results)),
            "measured in the same runs",
            "each of these",
        ),
    ]
    return _table((f"stereo, a response of {RESPONSE:g} s at 48 kHz", "reverb", "others", "command"), rows)


def _live_cells(result: Result) -> tuple[str, str]:
    rows = _at(result.tables["blocks"], layout="stereo", block=BLOCK, response_s=RESPONSE)
    cpu = {row["peer"]: row["cpu_us"] for row in rows if row["peer"] in _PEERS}
    said = {peer: _bold(_micro(value), value == min(cpu.values())) for peer, value in cpu.items()}
    plain, best = (said.get(peer, "").removesuffix(" µs") for peer in (UNTUNED, ZITA_BEST))
    ours = said[OURS] + (f" ({plain} without FFTW)" if plain else "")
    zita = f"zita-convolver {said[ZITA]}" + (f", {best} with its best options" if best else "")
    return ours, f"{zita}; pedalboard {said['pedalboard']}"


def _file_cells(result: Result) -> tuple[str, str]:
    wall = _by(_at(result.tables["files"], response_s=RESPONSE), "program", "wall_s")
    least = min(value for name, value in wall.items() if name != _COPY)
    said = {_SHORT.get(name, name): _bold(f"{value:.2f} s", value == least) for name, value in wall.items()}
    (_, tuned), (_, untuned), (copying, copied), *others = said.items()
    listed = ", ".join(
        [f"{copying} {copied}", *(f"{name} {text.removesuffix(' s')}" for name, text in others)]
    )
    return f"{tuned} ({untuned.removesuffix(' s')} without FFTW)", listed


def _minutes(results: Results) -> float:
    (seconds,) = _distinct(results["offline"].tables["files"], "sound_s")
    return float(seconds) / 60


def _null(results: Results) -> float:
    rows = _at(results["realtime"].tables["blocks"], block=BLOCK, response_s=RESPONSE, peer=OURS)
    return float(max(row["null_db"] for row in rows))


def _machines(results: Results) -> str:
    names = defaultdict(list)
    for name, result in results.items():
        names[result.machine].append(name)
    if len(names) == 1:
        (machine,) = names
        return (
            f"All figures are from one machine: {machine}. Ratios within a row vary less than single figures."
        )
    lines = "\n".join(f"- {', '.join(tables)}: {machine}" for machine, tables in names.items())
    return f"The machines, by benchmark:\n\n{lines}"


def _files(results: Results) -> str:
    result = results["offline"]
    rows, lengths = result.tables["files"], _distinct(result.tables["files"], "response_s")
    lines = []
    for name in _distinct(rows, "program"):
        mine = _at(rows, program=name)
        times = [
            cell
            for row in mine
            for cell in (
                f"{row['wall_s']:.2f} s",
                "" if name == rows[0]["program"] else f"{row['ours_to_it']:.2f}",
            )
        ]
        nulls = [row["null_db"] for row in mine if row["null_db"] is not None]
        null = _db(max(nulls)) if nulls and name != _COPY else ""
        lines.append([_label(name), *times, _memory([row["memory_mb"] for row in mine]), null])
    headings = [f"{what}, {length:g} s" for length in lengths for what in ("wall", "reverb ÷ it")]
    starts = [
        f"{row['to_imports']:.1f} ({row['what']})"
        for row in result.tables["starts"]
        if row["what"] in _STARTS
    ]
    return f"""{_command(result)}

{_minutes(results):g} minutes of stereo at 48 kHz and 24 bits through responses of
{_listed(f"{s:g} s" for s in lengths)}: read, convolved, written. The time is that of whole processes, including their
start; medians of several turns, each in a random order. "copy" only reads and writes with libsndfile.

{_table(("program", *headings, "memory", "null"), lines)}

The rounding of 24-bit output is at −124 dB for a sound this quiet.{_note(result)}

Rendering a file of one second takes {_listed(starts)} times as long as importing NumPy, soundfile and click: longer
responses take longer to decode and to measure. [Conformance](conformance.md) has the time of `import reverb` and of
short
commands, memory, and the size of the wheel."""


def _arrays(results: Results) -> str:
    result = results["convolve"]
    rows = _at(result.tables["arrays"], peer="reverb")
    lines = [
        (
            f"{row['taps']:,}",
            str(row["channels"]),
            _milli(row.get("seconds")),
            f"{row['ratio']:.2f}",
            _db(row.get("null_db")),
        )
        for row in rows
    ]
    (sound,) = _distinct(rows, "sound_s")
    return f"""{_command(result)}

{sound:g} s of noise in float32, in memory, compared with `scipy.signal.oaconvolve` in the faster of its two layouts.

{_table(("taps", "channels", "reverb", "÷ oaconvolve", "null"), lines)}{_note(result)}"""


def _realtime(results: Results) -> str:
    result = results["realtime"]
    rows = _at(result.tables["blocks"], layout="stereo")
    usual = _at(rows, response_s=RESPONSE)
    peers = [peer for peer in _PEERS if _at(usual, peer=peer)]
    lines = []
    for block in _distinct(usual, "block"):
        row = {peer: _one(usual, block=block, peer=peer) for peer in peers}
        share = row[OURS]["p999_us"] / (1e6 * block / RATE)
        times = [_micro(row[peer]["cpu_us"]) for peer in peers]
        lines.append([str(block), *times, f"{share:.2f}", _db(row[OURS]["null_db"])])
    ours, zita = (_one(usual, block=BLOCK, peer=peer) for peer in (OURS, ZITA))
    short, long = (_one(rows, block=BLOCK, peer=OURS, response_s=s)["cpu_us"] for s in (1.0, 10.0))
    theirs = _one(rows, block=BLOCK, peer=ZITA, response_s=10.0)["cpu_us"]
    return f"""{_command(result)}

Stereo, a response of {RESPONSE:g} s at 48 kHz: CPU time per block in all threads, medians of several rounds. p99.9
and null are for reverb with FFTW.

{_table(("block", *(_label(peer) for peer in peers), "p99.9 ÷ period", "null"), lines)}

The best options of zita-convolver are measured FFT plans and a vector mode. It uses its own threads: at {BLOCK}
frames, its caller waits {_micro(zita["p50_us"])} in the median and {_milli(zita["p999_us"] / 1e6)} at p99.9 (reverb's
caller {_milli(ours["p999_us"] / 1e6)}), of a period of {_milli(BLOCK / RATE)}. A response of 10 s costs
{_micro(long)} at {BLOCK} frames (zita-convolver with default options: {_micro(theirs)}), {long / short:.2f} times as
much as a response of 1 s: its spectra, 13 MB, come from memory.{_note(result)}

### At a card's pace

{_paced(results["paced"])}"""


def _paced(result: Result) -> str:
    rows = _at(result.tables["blocks"], layout="stereo", response_s=RESPONSE, block=BLOCK)
    lines = [
        (_label(row["peer"]), _micro(row["cpu_us"]), _db(row.get("null_db")))
        for row in rows
        if row["peer"] in _PEERS
    ]
    return f"""{_command(result)}

Blocks of {BLOCK} frames that come once per period, as from a sound card: the caches are cold each time, so everything
costs several times more.

{_table(("program", "CPU per block", "null"), lines)}{_note(result)}"""


def _live(results: Results) -> str:
    result = results["live"]
    deadlines = [
        (
            str(row["block"]),
            row["machine"],
            *(f"{100 * row[share]:.1f} %" for share in ("p50", "p99", "p999", "max")),
            *(str(row[count]) for count in ("callbacks", "late", "flagged")),
        )
        for row in result.tables["deadlines"]
    ]
    heard = [
        (
            str(row["block"]),
            _db(row["null_db"], 1),
            f"{row['delay']} frames",
            *(str(row.get(f"xruns_{who}", "–")) for who in ("bare", "reverb", "jconvolver")),
        )
        for row in result.tables["heard"]
    ]
    moving = [
        (
            str(row["block"]),
            f"{row['largest_step']:.4f} (a click: {row['click_from']:.4f})",
            f"{row['messages']:,}",
            f"{row['flagged']}, at rest {row['flagged_at_rest']}",
        )
        for row in result.tables["moving"]
    ]
    row_seconds = _seconds(result.tables["deadlines"])
    heard_seconds, moving_seconds = (_seconds(result.tables[name]) for name in ("heard", "moving"))
    bare = [f"{row['flagged']} at {row['block']} frames" for row in result.tables["bare"]]
    return f"""{_command(result)}

Callbacks of a complete live session with a JACK dummy server, stereo, a response of 4 s, 48 kHz, {row_seconds} per
row: callback time ÷ period, callbacks longer than a period (late), and blocks that PortAudio flagged. The busy thread
is pure Python in the same process and never pauses, which is the worst case. The machine itself has flagged blocks,
too: a stream that only copies had {", ".join(bare)} in {row_seconds}. If more blocks are flagged than late, they
waited for the lock, or for a core, before the callback began.

{_table(("block", "", "p50", "p99", "p99.9", "max", "callbacks", "late", "flagged"), deadlines)}

Another program plays noise through the session and records the result, for {heard_seconds}, in turn with a stream
that only copies and with jconvolver, the C++ convolver for JACK. An xrun, reported by the server, is a period that
came too late, for any reason:

{_table(("block", "null to the offline render", "delay", "xruns: copying stream", "reverb", "jconvolver"), heard)}

A sustained tone for {moving_seconds}, with ten changes of the response per second, bypass on and off, and 1,000 OSC
messages per second:

{_table(("block", "largest step", "OSC messages", "flagged"), moving)}{_note(result)}"""


def _batch(results: Results) -> str:
    result = results["batch"]
    rows = result.tables["files"]
    ways = _distinct(rows, "workers_are")
    lines = [
        [
            f"files of {seconds:g} s",
            *(
                f"{_one(rows, seconds=seconds, workers_are=way, workers=workers)['files_per_s']:.1f}"
                for way in ways
                for workers in (1, 2)
            ),
        ]
        for seconds in _distinct(rows, "seconds")
    ]
    headings = [f"{workers} {_WORKERS[way][workers - 1]}" for way in ways for workers in (1, 2)]
    costs = _by(result.tables["tasks"], "workers_are", "ms")
    each = {
        seconds: 1000 / _one(rows, seconds=seconds, workers_are="dask", workers=1)["files_per_s"]
        for seconds in _distinct(rows, "seconds")
    }
    most = [f"{t / costs['dask']:.0f} workers for files of {s:g} s (t = {t:.0f} ms)" for s, t in each.items()]
    return f"""{_command(result)}

Files per second, mono through the church:

{_table(("", *headings), lines)}

One worker reads, convolves and writes in several threads, so long files keep more than one core busy; a second worker
helps most with short files.{_note(result)}

Workers on separate machines share only the scheduler and the disk. Sending one task and receiving its result costs
the scheduler h = {costs["dask"]:.1f} ms ({costs["processes"]:.1f} ms with local processes). If one worker needs t
seconds per file, N workers render min(N / t, 1 / h) files per second, and more workers do not help beyond N = t / h:
about {_listed(most)}. A shared disk is another limit: a minute of 24-bit mono needs 17 MB to be read and
written. This is a model; measured were two workers."""


SECTIONS: dict[str, Callable[[Results], str]] = {
    "Files": _files,
    "Arrays": _arrays,
    "Real time": _realtime,
    "With a sound server": _live,
    "Many files": _batch,
}

_STARTS = ("room", "hall", "church")
_WORKERS = {
    "processes": ("process", "processes"),
    "threads": ("thread", "threads"),
    "dask": ("Dask worker", "Dask workers"),
}
_COPY = "copy with soundfile"
_PEERS = (OURS, UNTUNED, ZITA, ZITA_BEST, "pedalboard")
_SHORT = {_COPY: "copying", "scipy oaconvolve": "SciPy"}
_LABELS = {
    "reverb, FFTW tuned": "reverb, FFTW after `reverb tune --thorough`",
    UNTUNED: "reverb, without FFTW",
    "fconvolver": "fconvolver (zita)",
    ZITA: "zita-convolver, default",
    ZITA_BEST: "zita-convolver, best",
}


def _at(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def _one(rows: Iterable[Row], **wanted: Any) -> Row:
    found = _at(rows, **wanted)
    if len(found) != 1:
        raise SystemExit(f"{len(found)} rows with {wanted} are kept; the page needs one")
    return found[0]


def _by(rows: Iterable[Row], key: str, value: str) -> dict[str, float]:
    return {row[key]: row[value] for row in rows}


def _distinct(rows: Iterable[Row], key: str) -> list[Any]:
    return list(dict.fromkeys(row[key] for row in rows))


def _label(name: str) -> str:
    return _LABELS.get(name, name)


def _note(result: Result) -> str:
    return f"\n\n{result.note}" if result.note else ""


def _command(result: Result) -> str:
    return f"    {result.command}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (headings, ["---"] * len(headings), *rows)
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines).replace(
        " --- ", "---"
    )


def _listed(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _seconds(rows: Iterable[Row]) -> str:
    return _listed(f"{seconds:g} s" for seconds in _distinct(rows, "seconds"))


def _micro(value: float) -> str:
    return f"{value:.{1 if value < 100 else 0}f} µs"


def _milli(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.3g} ms"


def _db(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:.{digits}f} dB".replace("-", "−")


def _memory(megabytes: Sequence[float]) -> str:
    scale, unit, digits = (1000, "GB", 1) if max(megabytes) >= 1000 else (1, "MB", 0)
    ends = dict.fromkeys(f"{end / scale:.{digits}f}" for end in (min(megabytes), max(megabytes)))
    return f"{'–'.join(ends)} {unit}"


def _bold(text: str, least: bool) -> str:
    return f"**{text}**" if least else text
