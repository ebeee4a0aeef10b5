"""Decays: measurement, a model per octave, and changes of the decay time."""
