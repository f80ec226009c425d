//! Other systems, in and out.
//!
//! Feeds are read here, row by row, into what the domain's commands take; carrying the commands out is the
//! caller's. A row that cannot be understood is set aside with its place and reason, and stops nothing else.

pub mod airport;
pub mod demo;
pub mod feed_clock;
pub mod rail;
pub mod webhooks;
pub mod zones;
