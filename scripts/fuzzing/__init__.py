"""Parts of `scripts/fuzz.py`: files, mutations, the functions and commands under test, and the child processes."""
