//! GraphQL, HTTP, health, metrics and the command line: everything that people and programs touch.

pub mod cli;
pub mod clock;
pub mod demo;
pub mod import;
pub mod runtime;
pub mod settings;
pub mod wakeups;
