"""How well the learned scorers do, on people they have not seen and on the paper's own terms."""
