"""Speed and memory of the toolkit, as ratios to something known that ran in the same minutes."""
