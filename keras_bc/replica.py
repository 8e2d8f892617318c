"""Which copy of a model this is, where `tf.distribute` trains several at once.

Keras has no name for it. On JAX, `keras.distribution` splits one program over the devices: there
all devices compute one draw together, and there are no copies to tell apart.
"""

import keras


def number():
    """Return the number of the replica that runs this, from 0: an integer or a scalar tensor."""
    if keras.backend.backend() != "tensorflow":
        return 0
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return 0 if context is None else context.replica_id_in_sync_group
