//! Whole calls.

mod calls;
mod random;
