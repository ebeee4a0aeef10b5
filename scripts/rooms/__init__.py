"""How the bundled responses are made: real rooms simulated with pyroomacoustics, and one modal plate.

`designs` says what each room is, `tracing` asks pyroomacoustics for its reflections and decays, `early` and
`late` turn those into sound at the microphones, `plate` is a vibrating steel sheet, `catalogue` writes down
what came out.
"""
