"""How it learns: one functional training step, and the loops around it."""
