//! Kernels in assembly, with the bits of the safe ones: where the compiler does not find the instructions that
//! a processor has for these loops. A module for each kind of processor; only the ones of the target exist.

#![allow(unsafe_code, reason = "assembly")]

/// 16 rows of `f32` on processors with an FPU: eight weights come with one instruction.
#[cfg(kernels = "vfp")]
pub(super) mod vfp {
    use core::arch::asm;

    /// The products of a column with the x in a register.
    macro_rules! column {
        ($x:literal) => {
            concat!(
                "vldmia {w}!, {{s16-s23}}\n",
                column!($x, "0", "1", "2", "3", "4", "5", "6", "7"),
                "vldmia {w}!, {{s16-s23}}\n",
                column!($x, "8", "9", "10", "11", "12", "13", "14", "15"),
            )
        };
        ($x:literal, $a:literal, $b:literal, $c:literal, $d:literal, $e:literal, $f:literal, $g:literal, $h:literal) => {
            concat!(
                column!("16", $x, $a),
                column!("17", $x, $b),
                column!("18", $x, $c),
                column!("19", $x, $d),
                column!("20", $x, $e),
                column!("21", $x, $f),
                column!("22", $x, $g),
                column!("23", $x, $h),
            )
        };
        ($w:literal, $x:literal, $sum:literal) => {
            concat!(
                "vmul.f32 s",
                $w,
                ", s",
                $w,
                ", ",
                $x,
                "\n",
                "vadd.f32 s",
                $sum,
                ", s",
                $sum,
                ", s",
                $w,
                "\n",
            )
        };
    }

    /// +0 for each sum that is ≤ 0; `ls` does not hold for NaN. s16 is +0.
    macro_rules! relu {
        ($($sum:literal)*) => {
            concat!($("vcmp.f32 s", $sum, ", #0\nvmrs APSR_nzcv, fpscr\nit ls\nvmovls s", $sum, ", s16\n"),*)
        };
    }

    /// sums = b + Wx for a panel of 16 rows whose first column is b, or the ReLU of that: as `compute_halves` in `float.rs`,
    /// multiplied and added in two roundings, column by column.
    #[inline(always)]
    pub(in super::super) fn compute_16(panel: &[f32], x: &[f32], relu: bool, sums: &mut [f32; 16]) {
        let columns = (panel.len() / 16).saturating_sub(1).min(x.len());
        if panel.len() < 16 {
            return;
        }
        // SAFETY: `w` reads 16 · (1 + columns) numbers of `panel`, which has as many, and `x` reads `columns` of
        // `x`, which has as many, both from the first on; 16 numbers are written to `sums`. All registers that are
        // changed are named.
        unsafe {
            asm!(
                "vldmia {w}!, {{s0-s15}}",
                // What eight do not divide comes first.
                "ands {left}, {n}, #7",
                "lsr {n}, {n}, #3",
                "beq 3f",
                "2:",
                "vldmia {x}!, {{s24}}",
                column!("s24"),
                "subs {left}, {left}, #1",
                "bne 2b",
                "3:",
                "cmp {n}, #0",
                "beq.w 5f",
                "4:",
                "vldmia {x}!, {{s24-s31}}",
                column!("s24"),
                column!("s25"),
                column!("s26"),
                column!("s27"),
                column!("s28"),
                column!("s29"),
                column!("s30"),
                column!("s31"),
                "subs {n}, {n}, #1",
                "bne.w 4b",
                "5:",
                "cmp {relu}, #0",
                "beq 6f",
                "vmov s16, {zero}",
                relu!("0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "10" "11" "12" "13" "14" "15"),
                "6:",
                "vstmia {sums}, {{s0-s15}}",
                w = inout(reg) panel.as_ptr() => _,
                x = inout(reg) x.as_ptr() => _,
                n = inout(reg) columns => _,
                left = out(reg) _,
                relu = in(reg) u32::from(relu),
                zero = in(reg) 0,
                sums = in(reg) sums.as_mut_ptr(),
                out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _,
                out("s6") _, out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _,
                out("s12") _, out("s13") _, out("s14") _, out("s15") _, out("s16") _, out("s17") _,
                out("s18") _, out("s19") _, out("s20") _, out("s21") _, out("s22") _, out("s23") _,
                out("s24") _, out("s25") _, out("s26") _, out("s27") _, out("s28") _, out("s29") _,
                out("s30") _, out("s31") _,
                options(nostack),
            );
        }
    }
}

/// Rows of integers that are computed together.
#[cfg(any(kernels = "dsp", kernels = "thumb"))]
struct Rows<'a> {
    /// The first pair's word or words.
    first: *const u32,
    x: &'a [u32],
}

#[cfg(any(kernels = "dsp", kernels = "thumb"))]
impl<'a> Rows<'a> {
    /// Rows that have so many words a pair of columns, from the word `start` on, of a panel with `stride` words a pair; none where
    /// there is nothing to add, or a word is missing.
    fn new(
        weights: &'a [u32],
        x: &'a [u32],
        start: usize,
        words: usize,
        stride: usize,
    ) -> Option<Self> {
        let needed = x.len().checked_sub(1)? * stride + words;
        let first = weights.get(start..)?.get(..needed)?.as_ptr();
        Some(Rows { first, x })
    }
}

/// Processors that multiply two pairs of 16 bits, and add, with one instruction.
#[cfg(kernels = "dsp")]
pub(super) mod integers {
    use super::Rows;
    use core::arch::asm;

    /// Rows that are computed together.
    pub(in super::super) const ROWS: usize = 4;

    /// The loop over pairs of columns, four rows at a time.
    macro_rules! rows {
        ($sums:expr, $weights:expr, $x:expr, $stride:expr, $words:literal, $products:ident) => {
            for (index, sums) in $sums.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let Some(rows) = Rows::new($weights, $x, $words * index, $words, $stride) else { return };
                let [mut a, mut b, mut c, mut d] = *sums;
                // SAFETY: `w` reads so many words for each word of `x`, `stride` bytes apart, and `Rows` has made sure that they are
                // there; `x` reads its `n` words, at least one. What `w` points past at the end is not read.
                unsafe {
                    asm!(
                        "lsrs {n}, {n}, #1",
                        "bcc 2f",
                        "ldr {xx}, [{x}], #4",
                        $products!("{xx}"),
                        "cmp {n}, #0",
                        "beq 3f",
                        "2:",
                        "ldrd {xx}, {xy}, [{x}], #8",
                        $products!("{xx}"),
                        $products!("{xy}"),
                        "subs {n}, {n}, #1",
                        "bne 2b",
                        "3:",
                        a = inout(reg) a, b = inout(reg) b, c = inout(reg) c, d = inout(reg) d,
                        w = inout(reg) rows.first => _,
                        x = inout(reg) rows.x.as_ptr() => _,
                        n = inout(reg) rows.x.len() => _,
                        v = out(reg) _, t = out(reg) _, u = out(reg) _, xx = out(reg) _, xy = out(reg) _,
                        stride = const 4 * $stride,
                        options(readonly, nostack),
                    );
                }
                *sums = [a, b, c, d];
            }
        };
    }

    /// The products of a pair of columns with the x in that register: 8-bit weights.
    macro_rules! bytes {
        ($x:literal) => {
            concat!(
                "ldrd {v}, {t}, [{w}], #{stride}\n",
                "sxtb16 {u}, {v}\n",
                "smlad {a}, {u}, ",
                $x,
                ", {a}\n",
                "sxtb16 {v}, {v}, ror #8\n",
                "smlad {b}, {v}, ",
                $x,
                ", {b}\n",
                "sxtb16 {u}, {t}\n",
                "smlad {c}, {u}, ",
                $x,
                ", {c}\n",
                "sxtb16 {t}, {t}, ror #8\n",
                "smlad {d}, {t}, ",
                $x,
                ", {d}\n",
            )
        };
    }

    /// The same for 16-bit weights.
    macro_rules! halves {
        ($x:literal) => {
            concat!(
                "ldrd {v}, {t}, [{w}, #8]\n",
                "smlad {c}, {v}, ",
                $x,
                ", {c}\n",
                "smlad {d}, {t}, ",
                $x,
                ", {d}\n",
                "ldrd {v}, {u}, [{w}], #{stride}\n",
                "smlad {a}, {v}, ",
                $x,
                ", {a}\n",
                "smlad {b}, {u}, ",
                $x,
                ", {b}\n",
            )
        };
    }

    /// Adds the products of 8-bit weights to the sums of their rows.
    #[inline(never)]
    pub(in super::super) fn add_bytes<const ROWS: usize, const STRIDE: usize>(
        sums: &mut [i32; ROWS],
        weights: &[u32],
        x: &[u32],
    ) {
        rows!(sums, weights, x, STRIDE, 2, bytes);
    }

    /// The same for 16-bit weights.
    #[inline(never)]
    pub(in super::super) fn add_halves<const ROWS: usize, const STRIDE: usize>(
        sums: &mut [i32; ROWS],
        weights: &[u32],
        x: &[u32],
    ) {
        rows!(sums, weights, x, STRIDE, 4, halves);
    }
}

/// Processors with eight registers for computing; the sums stay in the others.
#[cfg(kernels = "thumb")]
pub(super) mod integers {
    use super::Rows;
    use core::arch::asm;

    /// Rows that are computed together.
    pub(in super::super) const ROWS: usize = 8;

    /// The loop over pairs of columns, eight rows at a time: r0 is the place in x, r1 in the words, r2 and r3 are the pair's x, r4
    /// and r5 are free. Sums are in r6 to r12 and lr.
    macro_rules! rows {
        ($sums:expr, $weights:expr, $x:expr, $stride:expr, $words:literal, $products:expr) => {
            for (index, sums) in $sums.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                let Some(rows) = Rows::new($weights, $x, $words * index, $words, $stride) else { return };
                // SAFETY: r1 reads so many words for each word of `x`, `stride` bytes apart, and `Rows` has made sure that they are there;
                // r0 reads the words of `x`, at least one, up to its end. That end and the address of the sums wait on the stack, and so
                // do r6 and r7, which are the compiler's. Eight sums are read and written. All other registers that are changed are named.
                unsafe {
                    asm!(
                        "push {{r2, r3, r6, r7}}",
                        "ldm r2!, {{r4, r5, r6, r7}}",
                        "mov r8, r4",
                        "mov r9, r5",
                        "mov r10, r6",
                        "mov r11, r7",
                        "ldm r2!, {{r4, r5, r6, r7}}",
                        "mov r12, r4",
                        "mov lr, r5",
                        "2:",
                        "ldm r0!, {{r3}}",
                        "sxth r2, r3",
                        "asrs r3, r3, #16",
                        $products,
                        "adds r1, r1, #{stride}",
                        "ldr r2, [sp, #4]",
                        "cmp r0, r2",
                        "bne 2b",
                        "ldr r0, [sp]",
                        "mov r2, r8",
                        "mov r3, r9",
                        "mov r4, r10",
                        "mov r5, r11",
                        "stm r0!, {{r2, r3, r4, r5}}",
                        "mov r2, r12",
                        "mov r3, lr",
                        "stm r0!, {{r2, r3, r6, r7}}",
                        "pop {{r2, r3, r6, r7}}",
                        inout("r0") rows.x.as_ptr() => _,
                        inout("r1") rows.first => _,
                        inout("r2") sums.as_mut_ptr() => _,
                        inout("r3") rows.x.as_ptr_range().end => _,
                        out("r4") _, out("r5") _,
                        out("r8") _, out("r9") _, out("r10") _, out("r11") _, out("r12") _, out("lr") _,
                        stride = const 4 * $stride,
                    );
                }
            }
        };
    }

    /// The word of two rows of bytes at this offset. Its lowest byte is one instruction away, and its highest; then the two
    /// bytes of each half change places.
    macro_rules! two_rows {
        ($offset:literal, $first:literal, $second:literal) => {
            concat!(
                "ldr r4, [r1, #",
                $offset,
                "]\n",
                "sxtb r5, r4\n",
                "muls r5, r2, r5\n",
                "add ",
                $first,
                ", r5\n",
                "asrs r5, r4, #24\n",
                "muls r5, r3, r5\n",
                "add ",
                $second,
                ", r5\n",
                "rev16 r4, r4\n",
                "sxtb r5, r4\n",
                "muls r5, r2, r5\n",
                "add ",
                $second,
                ", r5\n",
                "asrs r4, r4, #24\n",
                "muls r4, r3, r4\n",
                "add ",
                $first,
                ", r4\n",
            )
        };
    }

    /// The word of one row at this offset.
    macro_rules! row {
        ($offset:literal, $sum:literal) => {
            concat!(
                "ldr r4, [r1, #",
                $offset,
                "]\n",
                "sxth r5, r4\n",
                "muls r5, r2, r5\n",
                "add ",
                $sum,
                ", r5\n",
                "asrs r4, r4, #16\n",
                "muls r4, r3, r4\n",
                "add ",
                $sum,
                ", r4\n",
            )
        };
    }

    /// Adds the products of 8-bit weights to the sums of their rows.
    #[inline(never)]
    pub(in super::super) fn add_bytes<const ROWS: usize, const STRIDE: usize>(
        sums: &mut [i32; ROWS],
        weights: &[u32],
        x: &[u32],
    ) {
        rows!(
            sums,
            weights,
            x,
            STRIDE,
            4,
            concat!(
                two_rows!("0", "r8", "r9"),
                two_rows!("4", "r10", "r11"),
                two_rows!("8", "r12", "lr"),
                two_rows!("12", "r6", "r7"),
            )
        );
    }

    /// The same for 16-bit weights.
    #[inline(never)]
    pub(in super::super) fn add_halves<const ROWS: usize, const STRIDE: usize>(
        sums: &mut [i32; ROWS],
        weights: &[u32],
        x: &[u32],
    ) {
        rows!(
            sums,
            weights,
            x,
            STRIDE,
            8,
            concat!(
                row!("0", "r8"),
                row!("4", "r9"),
                row!("8", "r10"),
                row!("12", "r11"),
                row!("16", "r12"),
                row!("20", "lr"),
                row!("24", "r6"),
                row!("28", "r7"),
            )
        );
    }
}
