"""What is seen: small worlds whose true state is known, so that an embedding can be judged."""
