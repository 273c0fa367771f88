"""Trained networks with their cards. `edge/training` makes them; `rehab-edge models` lists them.

`form` scores the ten movements; `folds` are the same without one of the seven people each, to
measure with; `squat` are the networks for the paper's scores, one for each split.
"""

from importlib.resources import files

MODELS = files(__name__)
FORM = MODELS / "form"
FOLDS = MODELS / "folds"
SQUAT = MODELS / "squat"
