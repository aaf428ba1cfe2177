//! Whole calls.

mod calls;
