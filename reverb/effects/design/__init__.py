"""Design of FIR filters: from a specification or a magnitude to taps."""
