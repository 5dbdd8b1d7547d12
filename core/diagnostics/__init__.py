"""What stands behind one number: the data of the pictures beside a metric, example by example, from the same statistics."""
