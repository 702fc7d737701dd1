//! Process roles: socket framing, descriptor passing, the control protocol.
