"""From recordings of sweeps, music, and bursts to impulse responses."""
