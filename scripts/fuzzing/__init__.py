"""Parts of `scripts/fuzz.py`: real files, how they are broken, the doors they are pushed through, and the watch."""
