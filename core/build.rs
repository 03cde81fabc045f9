//! Tells the kernels in assembly what the target can do; the compiler's own names for it are not stable.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kernels, values(\"thumb\", \"dsp\", \"vfp\"))");
    let target = env::var("TARGET").unwrap_or_default();
    let assembly = env::var_os("CARGO_FEATURE_ASSEMBLY").is_some();
    // Cortex-M0, M0+ and M1 have the first Thumb instructions only, M4 and M7 those for digital signal processing;
    // an M33 may have these or not.
    let has = [
        ("thumb", target.starts_with("thumbv6m")),
        ("dsp", target.starts_with("thumbv7em")),
        ("vfp", target.starts_with("thumb") && target.ends_with("eabihf")),
    ];
    for (name, _) in has.into_iter().filter(|(_, has)| assembly && *has) {
        println!("cargo::rustc-cfg=kernels=\"{name}\"");
    }
}
