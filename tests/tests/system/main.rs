//! Whole-system tests: what the built program does for its users, and how the code is put together.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is the failed test")]

mod accounts;
mod architecture;
mod archive;
mod audit;
mod backup;
mod browser;
mod client;
mod clients;
mod dead_letters;
mod examples;
mod fuzz;
mod harness;
mod import;
mod life;
mod main_job;
mod network;
mod postgres;
mod projections;
mod receivers;
mod replay;
mod rolling;
mod schema;
mod security;
mod sign_in;
mod webhooks;
