"""Slips of users' hands. A type checker has to find each: the comment names mypy's code for it. Never run."""

import numpy as np
import numpy.typing as npt

import reverb
import reverb.live

hall, low_pass = reverb.impulse("hall"), reverb.LowPass(8000)
convolver = reverb.Convolver(hall, sample_rate=48_000)
single, double = np.zeros(100, np.float32), np.zeros(100)
from_double, from_integers = low_pass(double, 48_000), low_pass(np.zeros(100, np.int16), 48_000)
same: npt.NDArray[np.float32]
other: npt.NDArray[np.float64]

# Names.
reverb.Rverb("hall")  # wrong: attr-defined
reverb.convolver  # wrong: attr-defined
reverb.live.Sesion(hall)  # wrong: attr-defined
reverb.Reverb("hall", mixx=0.3)  # wrong: call-arg
reverb.process_files("in", "out", hall, nomalize="peak")  # wrong: call-arg
reverb.live.Session(hall, latncy="low")  # wrong: call-arg
hall.frame  # wrong: attr-defined

# What operators give.
(hall >> low_pass).frames  # wrong: attr-defined
(low_pass >> hall).frames  # wrong: attr-defined
(hall + low_pass).frames  # wrong: attr-defined
(low_pass + hall).frames  # wrong: attr-defined
(hall >> hall).effects  # wrong: attr-defined
(hall >> hall)(single, 48_000)  # wrong: operator
hall >> "church"  # wrong: operator
hall + 1.0  # wrong: operator
low_pass >> 3  # wrong: operator
"church" + low_pass  # wrong: operator
hall * "loud"  # wrong: operator

# What a response holds.
reverb.ImpulseResponse([1.0, 0.5], "48000")  # wrong: arg-type
reverb.ImpulseResponse([1.0, 0.5], 48_000, wiring=2)  # wrong: arg-type
hall.samples.framez  # wrong: attr-defined
hall.wiring.upper()  # wrong: attr-defined
hall.latency = 3  # wrong: misc

# One of a few words.
convolver.swap(hall, mode="crossfad")  # wrong: arg-type
convolver.swap(hall, curve="equal")  # wrong: arg-type
reverb.Convolver(hall, sample_rate=48_000, fft="fftv")  # wrong: arg-type
reverb.Reverb("hall", level="loud")  # wrong: arg-type
reverb.Leveled(hall, "loud")  # wrong: arg-type
reverb.LowPass(8000, phase="lineal")  # wrong: arg-type
reverb.BandStop(50, 60, method="remez")  # wrong: arg-type
reverb.Peak(1000, 3, phase="zero")  # wrong: arg-type
reverb.Weighting("B")  # wrong: arg-type
reverb.process_file("a.wav", "b.wav", hall, normalize="pek")  # wrong: arg-type
reverb.process_files("in", "out", hall, normalize="pek")  # wrong: arg-type
reverb.process_files("in", "out", hall).count("don")  # wrong: arg-type
reverb.live.Session(hall, transition="fade")  # wrong: arg-type
reverb.live.Session(hall, latency="medium")  # wrong: arg-type
reverb.convolve(single, single, "ful")  # wrong: call-overload

# Sound and its type.
low_pass(None, 48_000)  # wrong: call-overload
low_pass(single, 48_000, tial=False)  # wrong: call-overload
other = low_pass(single, 48_000)  # wrong: assignment
same = from_double  # wrong: assignment
same = from_integers  # wrong: assignment
other = reverb.convolve(single, single)  # wrong: assignment
convolver.process(None)  # wrong: arg-type
