//! Exact requests against a scripted API server.
