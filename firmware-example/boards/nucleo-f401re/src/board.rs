//! The hardware of this board.

use core::mem::forget;

use board_parts::{BAUD_RATE, I2C_FREQUENCY, PWM_FREQUENCY, machine};
use defmt::unwrap;
use embassy_executor::InterruptExecutor;
use embassy_stm32::{
    Config, Peri, bind_interrupts,
    flash::{Blocking, Flash},
    gpio::{AnyPin, Level, Output, OutputType, Speed},
    i2c::{self, I2c, Master},
    init, mode,
    peripherals::{IWDG, PB4, PB5, TIM3, USART2},
    rcc::{
        AHBPrescaler, APBPrescaler, Hse, HseMode, Pll, PllMul, PllPDiv, PllPreDiv, PllSource,
        Sysclk,
    },
    time::Hertz,
    timer::simple_pwm::{PwmPin, SimplePwm, SimplePwmChannel},
    usart::{self, BufferedUart},
    wdg::IndependentWatchdog,
};
use embassy_time::Duration;
use firmware_example::{control, plants::Pendulum};
use static_cell::ConstStaticCell;

pub(crate) use embassy_stm32::interrupt;

/// Raised by software only: the peripheral is not used.
pub(crate) use embassy_stm32::interrupt::SPI4 as INTERRUPT;

/// Runs in that interrupt, so that it takes the processor from all tasks of `main`.
pub(crate) static HIGH: InterruptExecutor = InterruptExecutor::new();

#[interrupt]
#[allow(unsafe_code)]
unsafe fn SPI4() {
    // SAFETY: `main` has started it on this interrupt before the first task can raise it.
    unsafe { HIGH.on_interrupt() }
}

bind_interrupts!(struct Interrupts {
    USART2 => usart::BufferedInterruptHandler<USART2>;
});

type Bus = I2c<'static, mode::Blocking, Master>;
type Pwm = SimplePwmChannel<'static, TIM3>;

/// The machine that the control loop runs.
pub(crate) type Machine = Pendulum<Bus, Pwm, Pwm>;

/// All that the firmware uses.
pub(crate) struct Board {
    /// At rest.
    pub(crate) machine: Machine,
    /// To be started once the policy is proven.
    pub(crate) watchdog: Peri<'static, IWDG>,
    /// To the ST-LINK, which is a serial port on USB.
    pub(crate) serial: BufferedUart<'static>,
    /// In the chip's own flash.
    pub(crate) flash: Flash<'static, Blocking>,
}

/// Sets up the hardware. The watchdog does not run yet.
pub(crate) fn board() -> Board {
    let p = init(clocks());

    // D14 and D15 of the Arduino connector.
    let mut config = i2c::Config::default();
    config.frequency = Hertz(I2C_FREQUENCY);
    // A byte takes 23 µs. What the bus does not do in time is an error, and the control loop goes on.
    config.timeout = Duration::from_millis(1);
    let bus = I2c::new_blocking(p.I2C1, p.PB8, p.PB9, config);

    // D5 and D4.
    let in1 = PwmPin::new(p.PB4, OutputType::PushPull);
    let in2 = PwmPin::new(p.PB5, OutputType::PushPull);
    let pwm = SimplePwm::new(
        p.TIM3,
        Some(in1),
        Some(in2),
        None,
        None,
        Hertz(PWM_FREQUENCY),
        Default::default(),
    );
    let pwm = pwm.split();
    let (mut in1, mut in2) = (pwm.ch1, pwm.ch2);
    in1.enable();
    in2.enable();

    static RECEIVED: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
    static TO_SEND: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
    let mut config = usart::Config::default();
    config.baudrate = BAUD_RATE;
    let serial = unwrap!(BufferedUart::new(
        p.USART2,
        p.PA3,
        p.PA2,
        TO_SEND.take(),
        RECEIVED.take(),
        Interrupts,
        config,
    ));

    Board {
        machine: machine::pendulum(bus, in1, in2),
        watchdog: p.IWDG,
        serial,
        flash: Flash::new_blocking(p.FLASH),
    }
}

/// 84 MHz, the chip's highest, from the 8 MHz that the ST-LINK provides.
fn clocks() -> Config {
    let mut config = Config::default();
    config.rcc.hse = Some(Hse { freq: Hertz(8_000_000), mode: HseMode::Bypass });
    config.rcc.pll_src = PllSource::HSE;
    config.rcc.pll = Some(Pll {
        prediv: PllPreDiv::DIV4,
        mul: PllMul::MUL168,
        divp: Some(PllPDiv::DIV4),
        divq: None,
        divr: None,
    });
    config.rcc.sys = Sysclk::PLL1_P;
    config.rcc.ahb_pre = AHBPrescaler::DIV1;
    config.rcc.apb1_pre = APBPrescaler::DIV2;
    config.rcc.apb2_pre = APBPrescaler::DIV1;
    config
}

/// The chip's independent watchdog.
pub(crate) struct Watchdog(IndependentWatchdog<'static, IWDG>);

/// Starts the watchdog.
pub(crate) fn watchdog(chip: Peri<'static, IWDG>) -> Watchdog {
    // While a slot is being erased, for 4 s at worst, nothing runs; and the clock of this watchdog may be half as fast again
    // as it should be.
    let mut watchdog = IndependentWatchdog::new(chip, 8_000_000);
    watchdog.unleash();
    Watchdog(watchdog)
}

impl control::Watchdog for Watchdog {
    fn feed(&mut self) {
        self.0.pet();
    }
}

/// Takes the drive from the motor, whoever has its pins.
#[allow(unsafe_code)]
pub(crate) fn let_go() {
    // SAFETY: whoever had the pins does not run any more.
    let pins: [Peri<'_, AnyPin>; 2] = unsafe { [PB4::steal().into(), PB5::steal().into()] };
    for pin in pins {
        forget(Output::new(pin, Level::Low, Speed::Low));
    }
}

/// Resets the chip.
pub(crate) fn reset() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
