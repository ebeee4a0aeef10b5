"""The measurements of the conformance page: one small function per claim, one module per subject.

`check` says what a check is, `signals` what it measures with, `processes` how it looks at whole programs, `page` how
the outcomes become docs/conformance.md. The rest holds the checks. References are closed forms, the standards' tables,
SciPy in float64 and pyloudnorm, never the code under test.
"""
