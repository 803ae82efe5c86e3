"""Maps that every model is compared with: from nothing, from fixations elsewhere, from the picture."""
