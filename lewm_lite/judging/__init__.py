"""What a trained model can do: probes of what it knows, surprise, planning."""
