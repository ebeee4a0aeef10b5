"""How the bundled responses are made: real rooms simulated by `reverb.responses.rooms`, and one modal plate.

`designs` lists the rooms, `targets` computes their decay and clarity without a simulation, `render` makes the samples,
and `catalogue` describes the results.
"""
