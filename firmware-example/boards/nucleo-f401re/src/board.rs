//! The hardware of this board.

use board_parts::{As5600, BAUD_RATE, Bridge, I2C_FREQUENCY, PWM_FREQUENCY, Slots, tasks};
use defmt::unwrap;
use embassy_stm32::{
    Config, bind_interrupts,
    flash::{Blocking, Flash},
    gpio::OutputType,
    i2c::{self, I2c, Master},
    init, mode,
    peripherals::{IWDG, TIM3, USART2},
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
use static_cell::ConstStaticCell;

bind_interrupts!(struct Interrupts {
    USART2 => usart::BufferedInterruptHandler<USART2>;
});

type Bus = I2c<'static, mode::Blocking, Master>;
type Pwm = SimplePwmChannel<'static, TIM3>;

/// What the control loop has.
pub(crate) type Control = tasks::Control<Bus, Pwm, Pwm, Watchdog>;

/// All that the firmware uses.
pub(crate) struct Board {
    /// For the high priority.
    pub(crate) control: Control,
    /// To the ST-LINK, which is a serial port on USB.
    pub(crate) serial: BufferedUart<'static>,
    /// In the chip's own flash.
    pub(crate) slots: Slots<Flash<'static, Blocking>>,
}

/// Sets up the hardware. The watchdog runs from here on.
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

    // While a slot is being erased, for 4 s at worst, nothing runs; and the clock of this watchdog may be half as fast again
    // as it should be.
    let mut watchdog = IndependentWatchdog::new(p.IWDG, 8_000_000);
    watchdog.unleash();

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

impl board_parts::Watchdog for Watchdog {
    fn feed(&mut self) {
        self.0.pet();
    }
}
