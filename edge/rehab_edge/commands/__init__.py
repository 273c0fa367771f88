"""The commands of `rehab-edge`, one a module; main names them."""
