//! The hardware of this board, and of the Pico 2, whose pins are the same.

use core::mem::forget;

use board_parts::{BAUD_RATE, I2C_FREQUENCY, PWM_FREQUENCY, machine};
use embassy_executor::InterruptExecutor;
use embassy_rp::{
    Peri, bind_interrupts,
    clocks::clk_sys_freq,
    flash::{self, Flash},
    gpio::{AnyPin, Level, Output},
    i2c::{self, I2c},
    init,
    peripherals::{FLASH, I2C0, PIN_2, PIN_3, UART0, WATCHDOG},
    pwm::{self, Pwm, PwmOutput},
    uart::{self, BufferedInterruptHandler, BufferedUart},
    watchdog,
};
use embassy_time::Duration;
use firmware_example::{control, plants::Pendulum};
use static_cell::ConstStaticCell;

use crate::FLASH_SIZE;

pub(crate) use embassy_rp::interrupt;

/// Raised by software only: no peripheral has it.
pub(crate) use embassy_rp::interrupt::SWI_IRQ_1 as INTERRUPT;

/// Runs in that interrupt, so that it takes the processor from all tasks of `main`.
pub(crate) static HIGH: InterruptExecutor = InterruptExecutor::new();

#[interrupt]
#[allow(unsafe_code)]
unsafe fn SWI_IRQ_1() {
    // SAFETY: `main` has started it on this interrupt before the first task can raise it.
    unsafe { HIGH.on_interrupt() }
}

bind_interrupts!(struct Interrupts {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
});

/// Longer than the erasing of a sector of flash, for which nothing runs.
const WATCHDOG_PERIOD: Duration = Duration::from_secs(1);

type Bus = I2c<'static, I2C0, i2c::Blocking>;

/// The machine that the control loop runs.
pub(crate) type Machine = Pendulum<Bus, PwmOutput<'static>, PwmOutput<'static>>;

/// All that the firmware uses.
pub(crate) struct Board {
    /// At rest.
    pub(crate) machine: Machine,
    /// To be started once the policy is proven.
    pub(crate) watchdog: Peri<'static, WATCHDOG>,
    /// To a debug probe, whose second connector is a serial port on USB.
    pub(crate) serial: BufferedUart,
    /// In the flash beside the chip.
    pub(crate) flash: Flash<'static, FLASH, flash::Blocking, FLASH_SIZE>,
}

/// Sets up the hardware. The watchdog does not run yet.
pub(crate) fn board() -> Board {
    let p = init(Default::default());

    let mut config = i2c::Config::default();
    config.frequency = I2C_FREQUENCY;
    // Too weak for this frequency, so that the encoder's board has others; but without it the bus must not look busy: the HAL
    // would wait for its end, for ever.
    (config.sda_pullup, config.scl_pullup) = (true, true);
    let bus = I2c::new_blocking(p.I2C0, p.PIN_5, p.PIN_4, config);

    let mut config = pwm::Config::default();
    config.top = (clk_sys_freq() / PWM_FREQUENCY - 1) as u16;
    let pwm = Pwm::new_output_ab(p.PWM_SLICE1, p.PIN_2, p.PIN_3, config);
    let (Some(in1), Some(in2)) = pwm.split() else {
        defmt::panic!("the slice has been set up with two outputs");
    };

    static RECEIVED: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
    static TO_SEND: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);
    let mut config = uart::Config::default();
    config.baudrate = BAUD_RATE;
    let serial = BufferedUart::new(
        p.UART0,
        p.PIN_0,
        p.PIN_1,
        Interrupts,
        TO_SEND.take(),
        RECEIVED.take(),
        config,
    );

    Board {
        machine: machine::pendulum(bus, in1, in2),
        watchdog: p.WATCHDOG,
        serial,
        flash: Flash::new_blocking(p.FLASH),
    }
}

/// The chip's watchdog.
pub(crate) struct Watchdog(watchdog::Watchdog);

/// Starts the watchdog.
pub(crate) fn watchdog(chip: Peri<'static, WATCHDOG>) -> Watchdog {
    let mut watchdog = watchdog::Watchdog::new(chip);
    watchdog.pause_on_debug(true);
    watchdog.start(WATCHDOG_PERIOD);
    Watchdog(watchdog)
}

impl control::Watchdog for Watchdog {
    fn feed(&mut self) {
        self.0.feed(WATCHDOG_PERIOD);
    }
}

/// Takes the drive from the motor, whoever has its pins.
#[allow(unsafe_code)]
pub(crate) fn let_go() {
    // SAFETY: whoever had the pins does not run any more.
    let pins: [Peri<'_, AnyPin>; 2] = unsafe { [PIN_2::steal().into(), PIN_3::steal().into()] };
    for pin in pins {
        forget(Output::new(pin, Level::Low));
    }
}

/// Resets the chip, peripherals and pins with it, which a reset of the processor alone would leave as they are.
#[allow(unsafe_code)]
pub(crate) fn reset() -> ! {
    // SAFETY: whoever had the watchdog does not run any more.
    watchdog::Watchdog::new(unsafe { WATCHDOG::steal() }).trigger_reset();
    loop {
        core::hint::spin_loop();
    }
}
