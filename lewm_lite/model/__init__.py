"""What learns: networks as functions of their parameters, and the LeWorldModel's parts."""
