//! Which instructions a machine has, and which are used.

use std::fmt;
use std::sync::OnceLock;

use super::count::count;
use super::factors::{Finish, Left, Right, Start};
use super::kernel::{self, Product};
use super::lanes::Lanes;
use super::pack::Scratch;
use super::{parallel, peak};

/// The environment variable that names the backend to use, in the place of the fastest.
pub const VARIABLE: &str = "TRAINER_BACKEND";

/// Rows that a part of a product has a multiple of, so that its tiles are whole ones.
const ROWS_TOGETHER: usize = 6;

/// Which instructions the products use. All give the same bits.
///
/// A value exists only for instructions that this machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backend(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// Plain Rust with `f32::mul_add`. Slow on x86-64, where the compiler may not assume fused
    /// multiply-add instructions.
    Portable,
    /// AVX2 and FMA, eight lanes (and BMI1, which all such processors have).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512, sixteen lanes.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// NEON, four lanes.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// A backend that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE} names the backend `{name}`, but this machine has: {}", available.join(", "))]
pub struct BackendError {
    name: String,
    available: Vec<String>,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
        })
    }
}

impl Backend {
    /// Every backend that this machine can run, the fastest first.
    pub fn available() -> Vec<Backend> {
        let mut backends = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("bmi1")
        {
            if is_x86_feature_detected!("avx512f") {
                backends.push(Backend(Kind::Avx512));
            }
            backends.push(Backend(Kind::Avx2));
        }
        #[cfg(target_arch = "aarch64")]
        backends.push(Backend(Kind::Neon));
        backends.push(Backend(Kind::Portable));
        backends
    }

    /// The backend of that name.
    ///
    /// # Errors
    ///
    /// If there is none, or this machine cannot run it.
    pub fn named(name: &str) -> Result<Backend, BackendError> {
        let available = Backend::available();
        let found = available.iter().find(|backend| backend.to_string() == name).copied();
        let names = || available.iter().map(ToString::to_string).collect();
        found.ok_or_else(|| BackendError { name: name.into(), available: names() })
    }

    /// The backend that [`VARIABLE`] names, or else the fastest that this machine can run.
    ///
    /// # Errors
    ///
    /// If the variable names none that this machine can run.
    pub fn from_environment() -> Result<Backend, BackendError> {
        match std::env::var_os(VARIABLE) {
            Some(name) => Backend::named(&name.to_string_lossy()),
            None => Ok(Backend::available()[0]),
        }
    }

    /// What [`from_environment`](Backend::from_environment) gave when it was first asked for.
    ///
    /// # Panics
    ///
    /// If that is an error. A program checks it when it starts.
    pub fn current() -> Backend {
        static CURRENT: OnceLock<Backend> = OnceLock::new();
        *CURRENT.get_or_init(|| match Backend::from_environment() {
            Ok(backend) => backend,
            Err(error) => panic!("{error}"),
        })
    }

    /// Does it compute several numbers at once?
    pub(super) fn has_registers(self) -> bool {
        self.0 != Kind::Portable
    }

    /// C = finish(start + A·B) for C `[m, n]`, row-major, and B `[k, n]`; m is `c.len() / n`, k is
    /// the length of B over n.
    ///
    /// # Panics
    ///
    /// If the slices do not have these shapes.
    pub fn matmul(
        self,
        a: Left<'_>,
        b: Right<'_>,
        n: usize,
        start: Start<'_>,
        finish: Finish<'_>,
        c: &mut [f32],
    ) {
        let product = Product::new(a, b, n, start, finish, c);
        count(&product);
        let run = |product: Product<'_>, scratch: &mut Scratch| match self.0 {
            // SAFETY: one lane needs no instruction that a machine may lack.
            Kind::Portable => unsafe { product.run::<f32, 4, 4, 4>(scratch) },
            // SAFETY: `available` is the only source of this value and asked the processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { kernel::run_avx2(product, scratch) },
            // SAFETY: the same.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { kernel::run_avx512(product, scratch) },
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => kernel::run_neon(product, scratch),
        };
        parallel::spread(product.cost(), ROWS_TOGETHER, product, |product| {
            Scratch::with(|scratch| run(product, scratch));
        });
    }

    /// Numbers that [`Backend::chains`] has under way at a time.
    pub(super) fn under_way(self) -> usize {
        match self.0 {
            Kind::Portable => peak::FEW,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => peak::FEW * std::arch::x86_64::__m256::COUNT,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => peak::MANY * std::arch::x86_64::__m512::COUNT,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => peak::MANY * std::arch::aarch64::float32x4_t::COUNT,
        }
    }

    /// [`peak::chains`] with this backend's registers.
    pub(super) fn chains(self, factor: f32) -> f32 {
        use peak::FEW;
        #[cfg(target_arch = "aarch64")]
        use peak::MANY;
        match self.0 {
            // SAFETY: one lane needs no instruction that a machine may lack.
            Kind::Portable => unsafe { peak::chains::<f32, FEW>(factor) },
            // SAFETY: `available` is the only source of this value and asked the processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { kernel::chains_avx2(factor) },
            // SAFETY: the same.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { kernel::chains_avx512(factor) },
            // SAFETY: every processor of this architecture has NEON.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => unsafe { peak::chains::<std::arch::aarch64::float32x4_t, MANY>(factor) },
        }
    }

    /// Runs a loop over numbers that is compiled once more for this backend's registers, if it is
    /// inlined here: a large closure must ask for that with `#[inline(always)]`. Rust never fuses a
    /// multiplication with an addition by itself, so the bits are the same.
    #[inline(always)]
    pub fn vectorise(self, work: impl FnOnce()) {
        match self.0 {
            Kind::Portable => work(),
            // SAFETY: `available` is the only source of this value and asked the processor.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { vectorise_avx2(work) },
            // SAFETY: the same.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { vectorise_avx512(work) },
            // Every processor of this architecture has NEON, and the compiler knows.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => work(),
        }
    }
}

/// # Safety
///
/// The processor has AVX2, FMA and BMI1.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1")]
unsafe fn vectorise_avx2(work: impl FnOnce()) {
    work();
}

/// # Safety
///
/// The processor has AVX-512F, AVX2, FMA and BMI1.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma,bmi1")]
unsafe fn vectorise_avx512(work: impl FnOnce()) {
    work();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_have_names() {
        for backend in Backend::available() {
            assert_eq!(Backend::named(&backend.to_string()), Ok(backend));
        }
        let error = Backend::named("sse").unwrap_err().to_string();
        assert!(error.starts_with("TRAINER_BACKEND names the backend `sse`, but"), "{error}");
        assert!(error.ends_with("portable"), "{error}");
    }
}
