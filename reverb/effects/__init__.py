"""Layer 2: filters, reverbs and chains as frozen values that fold into one impulse response.

::

    effect      the base class, chains and branches, and the expressions that make them again
    fold        an effect as one response, trimmed, and applied to sound in memory
    tree        walk an effect's parts, exchange one, compute a fingerprint, explain the steps
    gain        a gain, and an effect brought to a level
    echoes      a delay, and echoes
    stereo      mid/side, and the width of a stereo image
    filters     FIR filters designed to a specification (design/)
    equalizers  the curves of analog circuits
    curves      drawn curves, standard weightings, RIAA
    crossover   bands that sum to the delayed sound
    reverb      a room mixed with the dry sound
    edits       equalizers and width applied to a response
"""

from reverb import __distribution__  # noqa: F401  # fails in another's package
