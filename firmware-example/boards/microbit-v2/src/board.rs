//! The hardware of this board.

use core::mem::forget;

use board_parts::{I2C_FREQUENCY, PWM_FREQUENCY, machine};
use embassy_executor::InterruptExecutor;
use embassy_nrf::{
    Peri, bind_interrupts,
    buffered_uarte::{self, BufferedUarte},
    config::{Config, HfclkSource, LfclkSource},
    gpio::{AnyPin, Level, Output, OutputDrive},
    init,
    nvmc::Nvmc,
    pac::{self, shared::vals::Connect},
    peripherals::{P0_01, P0_17, TWISPI0, UARTE0, WDT},
    pwm::{DutyCycle, Prescaler, SimpleConfig, SimplePwm},
    twim::{self, Twim},
    uarte::{self, Baudrate},
    wdt::{self, WatchdogHandle},
};
use embedded_hal::pwm::{ErrorType, SetDutyCycle};
use firmware_example::{control, plants::Pendulum};
use static_cell::ConstStaticCell;

pub(crate) use embassy_nrf::interrupt;

/// Raised by software only: the chip's event generator 1 is not used.
pub(crate) use embassy_nrf::interrupt::EGU1_SWI1 as INTERRUPT;

/// Runs in that interrupt, so that it takes the processor from all tasks of `main`.
pub(crate) static HIGH: InterruptExecutor = InterruptExecutor::new();

#[interrupt]
#[allow(unsafe_code)]
unsafe fn EGU1_SWI1() {
    // SAFETY: `main` has started it on this interrupt before the first task can raise it.
    unsafe { HIGH.on_interrupt() }
}

bind_interrupts!(struct Interrupts {
    TWISPI0 => twim::InterruptHandler<TWISPI0>;
    UARTE0 => buffered_uarte::InterruptHandler<UARTE0>;
});

/// The machine that the control loop runs.
pub(crate) type Machine = Pendulum<Twim<'static>, Pwm, Pwm>;

/// All that the firmware uses.
pub(crate) struct Board {
    /// At rest.
    pub(crate) machine: Machine,
    /// To be started once the policy is proven.
    pub(crate) watchdog: Peri<'static, WDT>,
    /// To the second chip of the board, which is a serial port on USB.
    pub(crate) serial: BufferedUarte<'static>,
    /// In the chip's own flash.
    pub(crate) flash: Nvmc<'static>,
}

/// Sets up the hardware. The watchdog does not run yet.
pub(crate) fn board() -> Board {
    let mut config = Config::default();
    // The board has a crystal of 32 MHz but none of 32 kHz; the slow clock, of which the time is made, is divided from it.
    config.hfclk_source = HfclkSource::ExternalXtal;
    config.lfclk_source = LfclkSource::Synthesized;
    let p = init(config);

    // Pins P20 and P19 of the edge connector.
    static TO_BUS: ConstStaticCell<[u8; 16]> = ConstStaticCell::new([0; 16]);
    let mut config = twim::Config::default();
    config.frequency = twim::Frequency::K400;
    const { assert!(I2C_FREQUENCY == 400_000) };
    let bus = Twim::new(p.TWISPI0, Interrupts, p.P1_00, p.P0_26, config, TO_BUS.take());

    // Pins P13 and P14 of the edge connector.
    let pwm = pwm();
    let in1 = Pwm(SimplePwm::new_1ch(p.PWM0, p.P0_17, &pwm));
    let in2 = Pwm(SimplePwm::new_1ch(p.PWM1, p.P0_01, &pwm));

    static RECEIVED: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
    static TO_SEND: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
    let mut config = uarte::Config::default();
    config.baudrate = Baudrate::Baud115200;
    let serial = BufferedUarte::new(
        p.UARTE0,
        p.TIMER1,
        p.PPI_CH0,
        p.PPI_CH1,
        p.PPI_GROUP0,
        p.P1_08,
        p.P0_06,
        Interrupts,
        config,
        RECEIVED.take(),
        TO_SEND.take(),
    );

    Board {
        machine: machine::pendulum(bus, in1, in2),
        watchdog: p.WDT,
        serial,
        flash: Nvmc::new(p.NVMC),
    }
}

fn pwm() -> SimpleConfig {
    let mut config = SimpleConfig::default();
    config.prescaler = Prescaler::Div1;
    config.max_duty = (16_000_000 / PWM_FREQUENCY) as u16;
    config
}

/// One output of a PWM peripheral of its own: those of one peripheral cannot be parted.
pub(crate) struct Pwm(SimplePwm<'static>);

impl ErrorType for Pwm {
    type Error = core::convert::Infallible;
}

impl SetDutyCycle for Pwm {
    fn max_duty_cycle(&self) -> u16 {
        self.0.max_duty()
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Self::Error> {
        // The peripheral's polarity: what is inverted is high first.
        let duty = DutyCycle::inverted(duty);
        // Setting waits for the end of a period.
        if self.0.duty(0) != duty {
            self.0.set_duty(0, duty);
        }
        Ok(())
    }
}

/// The chip's watchdog.
pub(crate) struct Watchdog(WatchdogHandle);

/// Starts the watchdog.
pub(crate) fn watchdog(chip: Peri<'static, WDT>) -> Watchdog {
    let mut config = wdt::Config::default();
    config.timeout_ticks = 32_768 / 2; // 0.5 s
    config.action_during_debug_halt = wdt::HaltConfig::Pause;
    let Ok((_, [watchdog])) = wdt::Watchdog::try_new(chip, config) else {
        defmt::panic!("the watchdog runs already, with another period");
    };
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
    // A PWM that has a pin overrules what it is set to.
    for pwm in [pac::PWM0, pac::PWM1] {
        pwm.enable().write(|word| word.set_enable(false));
        pwm.psel().out(0).write(|word| word.set_connect(Connect::Disconnected));
    }
    // SAFETY: whoever had the pins does not run any more.
    let pins: [Peri<'_, AnyPin>; 2] = unsafe { [P0_17::steal().into(), P0_01::steal().into()] };
    for pin in pins {
        forget(Output::new(pin, Level::Low, OutputDrive::Standard));
    }
}

/// Resets the chip.
pub(crate) fn reset() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
