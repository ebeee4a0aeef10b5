"""Layer 4: what a live session looks like in a terminal, as a full screen (Textual) or as one line."""
