"""Files of regions: FreeSurfer annotations, labels and volumes, GIFTI labels, tables, and gazeapp's own JSON."""
