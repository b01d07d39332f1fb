"""What a claim needs: one module per claim, a frozen config in, a result with its birth certificate out."""
