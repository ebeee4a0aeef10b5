"""Many files at once.

How a batch flows::

    inputs    files, folders, globs, URLs         ─▶ Input values, each with its place below what was named
    planning  inputs × treatments (or variants)   ─▶ Task values with output names; collisions are refused
    executor  `processes` on this machine, `cluster` on others: hands tasks to workers, replaces those that die
    carry_out one task, in a worker               ─▶ Outcome
    journal   each outcome, as it comes, in the output folder; `resume` finds there what is done

`places` is the only module that knows whether files lie in a folder or behind a URL; `batch` puts all of it together.
"""
