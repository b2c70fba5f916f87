//! The HTML pages in a real browser, without a display: what is drawn, what mouse and keyboard do, what must never happen. The
//! tests stand in `browser`, by which name the suites tell them from those that need an engine.

mod browser;
mod devtools;
mod fixture;
mod verdict;
