"""Made-up features and responses that go with them as strongly as is asked for."""

import numpy as np


def study(seed, n_images, n_features, share, n_targets):
    """Return features, and responses of which they make up ``share`` of the variance (one number, or one a target)."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_images, n_features)) * rng.uniform(0.5, 2, n_features) + rng.normal(
        size=n_features
    )
    signal = (features - features.mean(axis=0)) @ rng.normal(size=(n_features, n_targets))
    signal /= signal.std(axis=0)
    share = np.broadcast_to(share, n_targets)
    noise = rng.normal(size=(n_images, n_targets))
    return features, (np.sqrt(share) * signal + np.sqrt(1 - share) * noise).astype(np.float32)
