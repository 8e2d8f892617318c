"""What a model computes, call by call: the ground under `keras_bc.summary` and the counts of
multiplications."""
