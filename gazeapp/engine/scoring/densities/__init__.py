"""From maps to densities of fixations: conversions, log-likelihood and information gain."""
