//! Scoring: from the values of a row to what is predicted from them. Pure: bytes and numbers in, numbers out; never reads a clock,
//! talks to a network, or draws a random number.
