"""Mask files: grey PNG pictures, COCO annotations with run lengths, labelme annotations."""
