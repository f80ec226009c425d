//! The `vigie` program.

fn main() -> std::process::ExitCode {
    vigie_api::cli::main()
}
