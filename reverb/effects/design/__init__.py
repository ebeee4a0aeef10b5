"""Design of FIR filters: taps from a specification, or from a magnitude.

::

    specify    a specification, the three methods that meet it, and measuring and reporting on the result
    remez      the exchange of the equiripple method
    magnitude  the fewest taps that follow any magnitude within a tolerance
    phases     taps of a magnitude in linear, minimum or mixed phase
"""
