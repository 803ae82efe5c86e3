"""How well maps agree with people: metrics, ceilings, baselines and statistics on arrays; no project file."""
