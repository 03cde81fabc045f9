//! `trainer`: trains control policies and exports them; see `trainer --help`.

fn main() -> std::process::ExitCode {
    trainer::cli::main(|work| allocation_counter::measure(work).count_total)
}
