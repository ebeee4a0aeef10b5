"""Layer 4: the studio, a page in the browser on which a recording is heard in a room while knobs move.

The page (`page/`) shows and plays; everything that sounds is computed by the layers below, from `Settings`. What the
browser sends is kept in a temporary folder (`shelf`), what it asks for is given by `answers`, behind a `gate` that lets
only its own page in: `app` puts them together, and `serving` runs it.
"""

from reverb import __distribution__  # noqa: F401  # fails in another's package
