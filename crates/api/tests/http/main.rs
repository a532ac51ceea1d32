//! What is answered over HTTP, by the routes themselves: no listener, paused time, and a store that fails when a test says so.

mod description;
mod eta;
mod hostile;
mod quotes;
mod scene;
