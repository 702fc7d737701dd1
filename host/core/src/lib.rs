//! The pure decision core: money, orders, limits and the gate. No I/O, no clock, no async.
