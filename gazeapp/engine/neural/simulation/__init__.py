"""Simulated brain responses: a stated generative model whose truth is known region by region."""
