"""Remote control of a live session: the parameters, and OSC and MIDI that move them."""
