"""Attention of the generated words over the image tokens, taken from a model while it generates as it always does.

`interface` is the way in for models that compute attention through transformers' attention interface: everything
stays with the fast kernels, only the wanted rows are computed a second time. `hooks` is for families with a softmax
of their own, `wrapping` for code that is no part of transformers. All of them give their rows to a `Capture`.
"""
