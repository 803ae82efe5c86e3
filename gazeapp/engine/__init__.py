"""The engine: everything gazeapp can do, without a window.

Nothing in here may import Qt, pyqtgraph or :mod:`gazeapp.ui`; an import contract checks it.
"""
