"""Layer 4: the command line. A command parses, calls one public function, and shows the result."""
