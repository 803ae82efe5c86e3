"""What a lesion does to the image in hand, followed live."""
