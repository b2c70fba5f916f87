//! Image archives as a stream: what is in the layers, what it costs, what is wasted and what must not be there. Pure over `Read`:
//! where the bytes come from and how the answer is shown is the tasks' work.

pub mod digest;
pub mod paths;
pub mod tar;
pub mod unpack;
