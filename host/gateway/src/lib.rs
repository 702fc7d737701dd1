//! The one driver: event to frame to intent to order, live, in the lab and in the simulator.
