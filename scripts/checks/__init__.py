"""The measurements of the conformance page: one small function per claim, one module per subject.

`check` defines a check, `signals` makes the test signals, `processes` runs and measures programs, and `page` writes the
outcomes to docs/conformance.md. The other modules are the checks. References are closed forms, the standards' tables,
SciPy in float64 and pyloudnorm, never the code under test.
"""
