//! A kernel made of maps.
