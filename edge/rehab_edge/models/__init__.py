"""Trained networks with their cards. `edge/training` makes them; `rehab-edge models` lists them."""
