"""Rooms that exist in numbers only: `simulate` by geometry and materials, `figures` by decay times and levels.

`room` says what a room is, `materials` what its surfaces take; `tracing` asks pyroomacoustics for reflections and
decays, `early` and `late` turn those into sound at the microphones, `finishing` makes a response of it.
"""
