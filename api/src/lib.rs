//! GraphQL, HTTP, health, metrics and the command line: everything that people and programs touch.

pub mod accounts;
pub mod actor;
mod audit;
pub mod background;
pub mod cli;
pub mod clock;
mod completion;
pub mod demo;
pub mod documents;
pub mod graphql;
pub mod http;
pub mod import;
mod jobs;
pub mod limits;
pub mod logs;
mod oidc;
pub mod open_files;
mod operate;
#[cfg(test)]
mod redis_server;
pub mod rights;
pub mod runtime;
pub mod settings;
pub mod wakeups;
pub mod webhooks;
