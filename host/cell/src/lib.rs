//! Where guest code runs: engine settings, bindings, calls, faults; the roles cell, runner and compile.
