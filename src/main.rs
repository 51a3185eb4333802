//! argv -> run -> print -> exit code. The only place that prints or exits.
fn main() {}
