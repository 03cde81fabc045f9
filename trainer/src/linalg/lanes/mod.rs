//! Vector types, alike to the kernel but for their width.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

/// A register of `COUNT` numbers.
pub(super) trait Lanes: Copy {
    /// How many numbers it holds.
    const COUNT: usize;
    /// `COUNT` registers.
    type Square: Copy + AsRef<[Self]>;
    /// Reads `COUNT` numbers.
    ///
    /// # Safety
    ///
    /// They can be read, and the processor has the instructions of this type.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes `COUNT` numbers.
    ///
    /// # Safety
    ///
    /// They can be written, and the processor has the instructions of this type.
    unsafe fn store(self, to: *mut f32);
    /// Reads the first `count` ≤ `COUNT` numbers; the other lanes are 0.
    ///
    /// # Safety
    ///
    /// They can be read, and the processor has the instructions of this type.
    unsafe fn load_first(from: *const f32, count: usize) -> Self;
    /// Writes the first `count` ≤ `COUNT` numbers.
    ///
    /// # Safety
    ///
    /// They can be written, and the processor has the instructions of this type.
    unsafe fn store_first(self, to: *mut f32, count: usize);
    /// The same number in every lane.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of this type.
    unsafe fn splat(x: f32) -> Self;
    /// The number in every lane, read in the way that suits a loop that reads many vectors.
    ///
    /// # Safety
    ///
    /// It can be read, and the processor has the instructions of this type.
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::splat(*from) }
    }
    /// a·b + self, rounded once.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of this type.
    unsafe fn add_product(self, a: Self, b: Self) -> Self;
    /// Each number that is not ≤ 0, else 0: NaNs stay.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of this type.
    unsafe fn relu(self) -> Self;
    /// Each number where that of y is > 0, else 0.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of this type.
    unsafe fn where_positive(self, y: Self) -> Self;
    /// A bit for each number that is not 0; that of the first is the lowest.
    ///
    /// # Safety
    ///
    /// The processor has the instructions of this type.
    unsafe fn nonzero(self) -> u64;
    /// The columns of a square of `COUNT` rows, `stride` apart.
    ///
    /// # Safety
    ///
    /// The rows can be read, and the processor has the instructions of this type.
    unsafe fn columns(from: *const f32, stride: usize) -> Self::Square;
    /// Writes the transpose of a square of `COUNT` rows, `stride` apart, in rows `to_stride` apart.
    ///
    /// # Safety
    ///
    /// The rows can be read and written, and the processor has the instructions of this type.
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            for (j, column) in Self::columns(from, stride).as_ref().iter().enumerate() {
                column.store(to.add(j * to_stride));
            }
        }
    }
    /// Asks for the cache line of a number, which need not exist.
    #[inline(always)]
    fn fetch(at: *const f32) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a hint, which every processor of this architecture knows and which reads nothing.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = at;
    }
}

impl Lanes for f32 {
    const COUNT: usize = 1;
    type Square = [f32; 1];
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { *from }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { *to = self }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's promise.
        if count == 0 { 0.0 } else { unsafe { *from } }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        if count > 0 {
            // SAFETY: the caller's promise.
            unsafe { *to = self }
        }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        x
    }
    #[inline(always)]
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        a.mul_add(b, self)
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        if self <= 0.0 { 0.0 } else { self }
    }
    #[inline(always)]
    unsafe fn where_positive(self, y: Self) -> Self {
        if y > 0.0 { self } else { 0.0 }
    }
    #[inline(always)]
    unsafe fn nonzero(self) -> u64 {
        u64::from(self != 0.0)
    }
    #[inline(always)]
    unsafe fn columns(from: *const f32, _: usize) -> Self::Square {
        // SAFETY: the caller's promise.
        unsafe { [*from] }
    }
}

/// Registers of any width, to test the kernel with those that this machine lacks.
#[cfg(test)]
impl<const N: usize> Lanes for [f32; N] {
    const COUNT: usize = N;
    type Square = [Self; N];
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { *from.cast() }
    }
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { *to.cast() = self }
    }
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        let mut lanes = [0.0; N];
        // SAFETY: the caller's promise.
        (0..count).for_each(|i| lanes[i] = unsafe { *from.add(i) });
        lanes
    }
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: the caller's promise.
        (0..count).for_each(|i| unsafe { *to.add(i) = self[i] });
    }
    unsafe fn splat(x: f32) -> Self {
        [x; N]
    }
    unsafe fn add_product(self, a: Self, b: Self) -> Self {
        std::array::from_fn(|i| a[i].mul_add(b[i], self[i]))
    }
    unsafe fn relu(self) -> Self {
        // SAFETY: a single number needs no instruction that a machine may lack.
        self.map(|x| unsafe { x.relu() })
    }
    unsafe fn where_positive(self, y: Self) -> Self {
        // SAFETY: the same.
        std::array::from_fn(|i| unsafe { self[i].where_positive(y[i]) })
    }
    unsafe fn nonzero(self) -> u64 {
        self.iter().rev().fold(0, |bits, x| bits << 1 | u64::from(*x != 0.0))
    }
    unsafe fn columns(from: *const f32, stride: usize) -> Self::Square {
        // SAFETY: the caller's promise.
        std::array::from_fn(|j| std::array::from_fn(|i| unsafe { *from.add(i * stride + j) }))
    }
}
