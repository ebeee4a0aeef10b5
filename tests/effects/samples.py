"""One effect of each kind, with all its settings away from their defaults."""

import numpy as np

import reverb
from reverb import Effect, Gain, Peak, impulse

EFFECTS: list[Effect] = [
    reverb.Gain(-3),
    reverb.Delay(0.25),
    reverb.LowPass(800, transition=90, attenuation=70, phase="mixed", ripple=0.1, method="equiripple"),
    reverb.HighPass(
        800.5, transition=90, attenuation=70, phase="minimum", ripple=0.1, method="least-squares"
    ),
    reverb.BandPass(300, 3400, transition=90, attenuation=70, phase="mixed", ripple=0.1, method="equiripple"),
    reverb.BandStop(300, 3400, transition=90, attenuation=70, phase="mixed", ripple=0.1, method="equiripple"),
    reverb.Peak(3000, 2, 1.4, phase="linear", tolerance=0.1),
    reverb.LowShelf(200, -2.5, 0.9, phase="mixed", tolerance=0.1),
    reverb.HighShelf(np.float64(8000), 2, 0.5, phase="linear", tolerance=0.1),
    reverb.Tilt(1.5, 700, phase="linear", tolerance=0.1),
    reverb.Notch(50, 20, np.int64(4), tolerance=0.1),  # type: ignore[arg-type]
    reverb.LowCut(60, 24, phase="linear", tolerance=0.1),
    reverb.HighCut(9000, 18, phase="linear", tolerance=0.1),
    reverb.Curve(np.array([[100.0, -3], [1000, 0.5]]), phase="linear", tolerance=0.2),  # type: ignore[arg-type]
    reverb.Weighting("C", phase="linear", tolerance=0.1),
    reverb.RiaaCurve(True, phase="linear", tolerance=0.1),
    reverb.Band((200, 2000), 1, slope=48),
    reverb.Band([200, 2000], 2, slope=None, transition=40, attenuation=60),
    reverb.Echoes(0.3, 0.5, -7, -float("inf"), 3000, True, -60),
    reverb.Reverb(
        "hall", wet=-6, dry=-1, predelay=0.02, level="energy", decay=0.8, low_cut=90, high_cut=7000, width=0.5
    ),
    reverb.Reverb(impulse("hall", "stereo"), mix=0.2),
    reverb.Width(0.5),
    reverb.MidSide(Gain(1), Peak(100, 2) >> Gain(2)),
    reverb.Leveled(Peak(100, 2) + Gain(2), "peak"),
    reverb.Chain((Gain(1), Gain(2) + Gain(3), reverb.load_chain("vocal-plate"))),
    reverb.Parallel((Gain(1) >> Gain(2), impulse("plate"))),
]
