"""How the bundled responses are made: real rooms simulated by `reverb.responses.rooms`, and one modal plate.

`designs` says what each room is, `targets` what a design promises, `render` makes the samples, `catalogue` writes down
what came out.
"""
