"""Many files at once.

How a batch flows::

    inputs     files, folders, globs, URLs         ─▶ Input values, each with its path relative to the folder named
    plan       inputs × treatments (or variants)   ─▶ Task values with output names; collisions are refused
    processes  worker processes on this machine, or `cluster` on others: hand out tasks, replace workers that die
    run_task   one task, in a worker               ─▶ Outcome
    journal    each outcome, as it comes, in the output folder; `resume` finds there the tasks that are done

Only `storage` and `remote` know whether files are in a folder or behind a URL; `batch` puts all of it together.
"""
