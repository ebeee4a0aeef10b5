"""Layer 2: filters, reverbs and chains as frozen values that fold into one impulse response."""
