"""Layer 4: the studio, a web page that plays a recording in a room while its settings change.

The page (`page/`) shows and plays; the layers below compute every sound and figure from `Settings`. `uploads` keeps the
browser's files in a temporary folder, `api` answers its requests, and the `gate` admits its own page only. `app` puts
them together and runs the server.
"""

from reverb import __distribution__  # noqa: F401  # fails in another's package
