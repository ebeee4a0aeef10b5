"""Layer 3: where sound comes from and goes to: audio files, folders of files, the library of responses."""
