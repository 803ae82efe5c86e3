"""Maps of one image: files, resampling, concentration, laterality and change with the task."""
