//! The hardware of this board.

use board_parts::{BAUD_RATE, I2C_FREQUENCY, PWM_FREQUENCY, machine};
use defmt::unwrap;
use esp_hal::{
    Async, Blocking,
    clock::CpuClock,
    gpio::{AnyPin, DriveMode, Level, Output, OutputConfig},
    i2c::master::{self as i2c, I2c},
    init,
    ledc::{
        LSGlobalClkSource, Ledc, LowSpeed,
        channel::{self, Channel, ChannelIFace},
        timer::{self, LSClockSource, TimerIFace},
    },
    peripherals::{FROM_CPU_INTR1, GPIO6, GPIO7, LEDC, TIMG1},
    time::{Duration, Rate},
    timer::timg::{MwdtStage, TimerGroup, Wdt},
    uart::{self, Uart},
};
use firmware_example::{control, plants::Pendulum};
use static_cell::StaticCell;

type Pwm = Channel<'static, LowSpeed>;

/// The machine that the control loop runs.
pub(crate) type Machine = Pendulum<I2c<'static, Blocking>, Pwm, Pwm>;

/// All that the firmware uses.
pub(crate) struct Board {
    /// For the high priority.
    pub(crate) parts: Parts,
    /// To be started once the policy is proven.
    pub(crate) watchdog: TIMG1<'static>,
    /// The interrupt that it runs in.
    pub(crate) interrupt: FROM_CPU_INTR1<'static>,
    /// To the bridge to USB that most boards have. It is buffered by the peripheral: 128 bytes each way.
    pub(crate) serial: Uart<'static, Async>,
}

/// Sets up the hardware, and starts the scheduler and its clock. The watchdog does not run yet.
pub(crate) fn board() -> Board {
    let p = init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
    esp_rtos::start(TimerGroup::new(p.TIMG0).timer0, p.FROM_CPU_INTR0);

    let config = i2c::Config::default().with_frequency(Rate::from_hz(I2C_FREQUENCY));
    let bus = unwrap!(I2c::new(p.I2C0, config)).with_sda(p.GPIO4).with_scl(p.GPIO5);

    let config = uart::Config::default().with_baudrate(BAUD_RATE);
    let serial = unwrap!(Uart::new(p.UART0, config)).with_rx(p.GPIO20).with_tx(p.GPIO21);

    Board {
        parts: Parts { bus, pwm: p.LEDC, in1: p.GPIO6, in2: p.GPIO7 },
        watchdog: p.TIMG1,
        interrupt: p.FROM_CPU_INTR1,
        serial: serial.into_async(),
    }
}

/// What the control loop is put together from. Only the interrupt that it runs in may do so, as a channel of the PWM
/// cannot change to another one.
pub(crate) struct Parts {
    bus: I2c<'static, Blocking>,
    pwm: LEDC<'static>,
    in1: GPIO6<'static>,
    in2: GPIO7<'static>,
}

impl Parts {
    pub(crate) fn assemble(self) -> Machine {
        static TIMER: StaticCell<timer::Timer<'static, LowSpeed>> = StaticCell::new();
        let mut pwm = Ledc::new(self.pwm);
        pwm.set_global_slow_clock(LSGlobalClkSource::APBClk);
        let timer = TIMER.init(pwm.timer(timer::Number::Timer0));
        unwrap!(timer.configure(timer::config::Config {
            // 80 MHz are 4 000 times the frequency.
            duty: timer::config::Duty::Duty11Bit,
            clock_source: LSClockSource::APBClk,
            frequency: Rate::from_hz(PWM_FREQUENCY),
        }));
        let config =
            channel::config::Config { timer, duty_pct: 0, drive_mode: DriveMode::PushPull };
        let mut in1 = pwm.channel(channel::Number::Channel0, self.in1);
        let mut in2 = pwm.channel(channel::Number::Channel1, self.in2);
        unwrap!(in1.configure(config));
        unwrap!(in2.configure(config));
        machine::pendulum(self.bus, in1, in2)
    }
}

/// The watchdog of the chip's second group of timers.
pub(crate) struct Watchdog(Wdt<TIMG1<'static>>);

/// Starts the watchdog.
pub(crate) fn watchdog(chip: TIMG1<'static>) -> Watchdog {
    let mut watchdog = TimerGroup::new(chip).wdt;
    watchdog.set_timeout(MwdtStage::Stage0, Duration::from_secs(1));
    watchdog.enable();
    Watchdog(watchdog)
}

impl control::Watchdog for Watchdog {
    fn feed(&mut self) {
        self.0.feed();
    }
}

/// Takes the drive from the motor, whoever has its pins.
#[allow(unsafe_code)]
pub(crate) fn let_go() {
    // SAFETY: whoever had the pins does not run any more.
    let pins: [AnyPin<'_>; 2] = unsafe { [GPIO6::steal().into(), GPIO7::steal().into()] };
    for pin in pins {
        let _ = Output::new(pin, Level::Low, OutputConfig::default());
    }
}
