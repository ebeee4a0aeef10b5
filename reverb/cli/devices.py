"""`reverb devices`: list the sound cards of this machine."""

import json

import click


@click.command("devices")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_devices(as_json: bool) -> None:
    """List the sound cards: > is the default input, < the default output."""
    from dataclasses import asdict

    from reverb.cli.tables import show_table
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
