"""What is asked of a cloud: SIGReg and its kin."""
