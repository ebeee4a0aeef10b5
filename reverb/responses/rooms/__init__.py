"""Synthesis of rooms: `simulate` from geometry and materials, `figures` from decay times and levels, and `plate`.

`room` is the description of a room with its microphones, `materials` has absorption per octave, `air` that of air.
`images` and `diffuse` render early and late sound; `simulate` traces rays with pyroomacoustics and combines the parts.
"""
