//! The hardware of this board, and of the Pico 2, whose pins are the same.

use board_parts::{As5600, BAUD_RATE, Bridge, I2C_FREQUENCY, PWM_FREQUENCY, Slots, tasks};
use defmt::unwrap;
use embassy_rp::{
    bind_interrupts,
    clocks::clk_sys_freq,
    flash::{self, Flash},
    i2c::{self, I2c},
    init,
    peripherals::{FLASH, I2C0, UART0},
    pwm::{self, Pwm, PwmOutput},
    uart::{self, BufferedInterruptHandler, BufferedUart},
    watchdog,
};
use embassy_time::Duration;
use static_cell::ConstStaticCell;

use crate::FLASH_SIZE;

bind_interrupts!(struct Interrupts {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
});

/// Longer than the erasing of a sector of flash, for which nothing runs.
const WATCHDOG_PERIOD: Duration = Duration::from_secs(1);

type Bus = I2c<'static, I2C0, i2c::Blocking>;

/// What the control loop has.
pub(crate) type Control = tasks::Control<Bus, PwmOutput<'static>, PwmOutput<'static>, Watchdog>;

/// All that the firmware uses.
pub(crate) struct Board {
    /// For the high priority.
    pub(crate) control: Control,
    /// To a debug probe, whose second connector is a serial port on USB.
    pub(crate) serial: BufferedUart,
    /// In the flash beside the chip.
    pub(crate) slots: Slots<Flash<'static, FLASH, flash::Blocking, FLASH_SIZE>>,
}

/// Sets up the hardware. The watchdog runs from here on.
pub(crate) fn board() -> Board {
    let p = init(Default::default());

    let mut config = i2c::Config::default();
    config.frequency = I2C_FREQUENCY;
    // Those of the chip are too weak for this frequency, so that the encoder's board has some.
    (config.sda_pullup, config.scl_pullup) = (false, false);
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

    let mut watchdog = watchdog::Watchdog::new(p.WATCHDOG);
    watchdog.pause_on_debug(true);
    watchdog.start(WATCHDOG_PERIOD);

    Board {
        control: Control {
            encoder: As5600::new(bus),
            bridge: unwrap!(Bridge::new(in1, in2).ok()),
            watchdog: Watchdog(watchdog),
        },
        serial,
        slots: Slots::reserved(Flash::new_blocking(p.FLASH)),
    }
}

/// The chip's watchdog.
pub(crate) struct Watchdog(watchdog::Watchdog);

impl board_parts::Watchdog for Watchdog {
    fn feed(&mut self) {
        self.0.feed(WATCHDOG_PERIOD);
    }
}
