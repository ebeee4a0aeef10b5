"""Many files, several at a time.

The steps of a batch::

    plan       finds the inputs: files, folders, globs, URLs; inputs × treatments (or variants) are `Task` values with
               output names; two outputs of one name are refused
    processes  hands tasks to worker processes on this machine, or `cluster` to other machines
    run_task   runs one task in a worker, and returns its `Outcome`
    journal    records each outcome in the output folder; from there, `resume` knows the finished tasks

`batch` puts these together. Only `storage` and `remote` know whether files are in a folder or behind a URL.
"""
