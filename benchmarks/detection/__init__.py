"""How many faces each detector finds, how often it is wrong, and what it costs."""
