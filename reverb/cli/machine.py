"""`reverb devices` and `reverb tune`: this machine's sound cards, and how fast it computes."""

import json

import click

from reverb.cli.options import JSON
from reverb.cli.results import show_table
from reverb.errors import missing_extra


@click.command("devices")
@JSON
def list_devices(as_json: bool) -> None:
    """List the sound cards: > is the default input, < the default output."""
    from dataclasses import asdict

    from reverb.live.cards import devices

    found = devices()
    if as_json:
        click.echo(json.dumps([asdict(device) for device in found], indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo("no sound card; connect one or start its server (JACK, PipeWire, PulseAudio)", err=True)
        return
    rows = [("", "no.", "name", "host API", "in", "out", "rate (Hz)", "latency (ms)")]
    for device in found:
        mark = ">" * device.default_input + "<" * device.default_output
        latency = f"{1000 * device.low_latency:.1f} to {1000 * device.high_latency:.1f}"
        rows.append(
            (
                mark,
                str(device.index),
                device.name,
                device.host_api,
                str(device.inputs),
                str(device.outputs),
                str(device.sample_rate),
                latency,
            )
        )
    show_table(rows)


@click.command()
@click.option(
    "--thorough", is_flag=True, help="Search for several minutes; long FFTs become up to a fifth faster."
)
@click.option("--quiet", is_flag=True, help="Print nothing.")
def tune(thorough: bool, quiet: bool) -> None:
    """Measure this machine once, in about half a minute, for faster rendering of files and live sound.

    The best FFTW plans for long files and the costs of the live convolver's operations are measured and stored in your
    cache folder. Afterwards the output may differ in its last bits, far below audibility, from that of before, and from
    that of another machine. Run it again after a change of processor or FFTW.
    """
    from reverb.cache import cache_folder
    from reverb.engine.tuning import fft_in_use
    from reverb.engine.tuning import tune as measure

    with click.progressbar(length=100, label="measuring", hidden=quiet) as bar:
        found = measure(lambda done, steps: bar.update(100 * done // steps - bar.pos), thorough=thorough)
    if quiet:
        return
    rows = [("FFTs of live sound", "call (ns)", "FFT (ns)", "multiply-add (ns)")]
    for name, costs in found.costs.items():
        rows.append((name, f"{costs.call:.0f}", f"{costs.fft_call:.0f}", f"{costs.mac:.2f}"))
    show_table(rows)
    for use, fft in fft_in_use().items():
        click.echo(f"FFT of {use}: {fft}")
    if not found.fftw:
        click.echo(missing_extra("fftw", "FFTW would render files and live sound faster"))
    click.echo(f"Kept in {cache_folder()}.")
