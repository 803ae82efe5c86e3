"""How well people predict people: what a model could reach."""
