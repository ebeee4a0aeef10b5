"""Layer 2: impulse responses as immutable values: load, edit, synthesise, measure, analyse."""
