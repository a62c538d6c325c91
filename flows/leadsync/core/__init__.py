"""What is decided: frames in, a plan out. Pure: no I/O, no clock, no logger."""
