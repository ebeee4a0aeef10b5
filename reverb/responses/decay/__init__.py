"""How a response decays: measured, modeled, changed."""
