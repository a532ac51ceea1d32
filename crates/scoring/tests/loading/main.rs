//! What loads and what does not: sessions over models that are built here, packages, and models that somebody tampered with.

mod estimator;
mod hostile;
mod models;
mod packages;
mod preparation;
mod sessions;
