//! Real ways to a board: TCP and pseudo-terminals, with a clock, and the command line at the end of them.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use policy_core::link::{Request, State};
use tests::boards::{InProcess, SAMPLE, answer_all, with_one_bit_flipped};
use trainer::cli;
use trainer::link::{Client, LinkError, Patience, Tcp, Transport};

const IMPATIENCE: Patience =
    Patience { timeout: Duration::from_millis(40), long: Duration::from_millis(40), attempts: 5 };

/// Where the sample policy is, as the command line takes it.
const POLICY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/sample/f32/policy.bin");

/// A board that answers one connection after the other, so many; and the address of its port, tcp:HOST:PORT.
fn listen(mut board: InProcess, connections: usize) -> (JoinHandle<InProcess>, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let name = format!("tcp:{}", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        for _ in 0..connections {
            let (stream, _) = listener.accept().unwrap();
            serve(&mut board, &stream);
        }
        board
    });
    (thread, name)
}

fn serve(board: &mut InProcess, stream: &TcpStream) {
    stream.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = (stream, stream);
    let read = |bytes: &mut [u8]| reader.read(bytes).ok().filter(|count| *count > 0);
    answer_all(board, read, |answer| {
        // Where nobody listens any more, the next read ends it.
        let _ = writer.write_all(answer);
    });
}

/// Runs the command line in this process.
fn trainer(arguments: &[&str]) -> ExitCode {
    let arguments = std::iter::once(&"trainer").chain(arguments).map(OsString::from);
    cli::run(arguments, |work| {
        work();
        0
    })
}

fn pil(port: &str) -> ExitCode {
    trainer(&["pil", POLICY, "--serial", port, "--episodes", "3", "--steps", "100", "--json"])
}

#[test]
fn pil_ends_with_0_only_where_all_bits_are_equal() {
    let (board, port) = listen(InProcess::new(SAMPLE), 1);
    assert_eq!(pil(&port), ExitCode::SUCCESS);
    assert_eq!(board.join().unwrap().acts, 300);
    // Another policy says so.
    let (board, port) = listen(InProcess::new(with_one_bit_flipped()), 1);
    assert_eq!(pil(&port), ExitCode::from(1));
    assert_eq!(board.join().unwrap().acts, 0);
    // And one that claims to be the same is found out.
    let mut other = InProcess::new(with_one_bit_flipped());
    other.checksum = InProcess::new(SAMPLE).checksum;
    let (board, port) = listen(other, 1);
    assert_eq!(pil(&port), ExitCode::from(1));
    assert_eq!(board.join().unwrap().acts, 300);
    // Wrong usage.
    for arguments in [&["--serial", "x", "--qemu", "m4"][..], &["--qemu", "m9"], &["--baud", "1"]] {
        assert_eq!(trainer(&[&["pil", POLICY], arguments].concat()), ExitCode::from(2));
    }
    let wanted = ["pil", POLICY, "--serial", "tcp:127.0.0.1:1", "--episodes", "201"];
    assert_eq!(trainer(&wanted), ExitCode::from(2));
    assert_eq!(trainer(&wanted[..4]), ExitCode::from(1));
}

#[test]
fn monitor_starts_and_stops() {
    let (board, port) = listen(InProcess::new(SAMPLE), 4);
    let monitor = |more: &[&str]| trainer(&[&["monitor", "--serial", &port], more].concat());
    assert_eq!(monitor(&["--start", "--for", "0.02", "--rate", "100"]), ExitCode::SUCCESS);
    // It runs, and acts for nobody else.
    assert_eq!(pil(&port), ExitCode::from(1));
    assert_eq!(monitor(&["--for", "0", "--json"]), ExitCode::SUCCESS);
    assert_eq!(monitor(&["--stop"]), ExitCode::SUCCESS);
    let board = board.join().unwrap();
    assert_eq!((board.state(), board.acts), (State::Stopped, 0));
    assert_eq!(monitor(&["--rate", "0"]), ExitCode::from(2));
    assert_eq!(monitor(&["--for", "-1"]), ExitCode::from(2));
    assert_eq!(monitor(&["--start", "--stop"]), ExitCode::from(2));
}

#[test]
fn monitor_does_not_take_silence_for_obedience() {
    let mut deaf = InProcess::new(SAMPLE);
    deaf.deaf = true;
    let (board, port) = listen(deaf, 2);
    let monitor = |more: &[&str]| trainer(&[&["monitor", "--serial", &port], more].concat());
    assert_eq!(monitor(&["--start", "--for", "0"]), ExitCode::SUCCESS);
    assert_eq!(monitor(&["--stop"]), ExitCode::from(1));
    assert_eq!(board.join().unwrap().state(), State::Running);
}

/// Every tenth answer comes after its timeout: the question has been asked again by then.
#[test]
fn late_answers_are_not_taken_for_others() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (other, _) = listener.accept().unwrap();
    let board = thread::spawn(move || {
        let (mut board, mut count) = (InProcess::new(SAMPLE), 0);
        let (mut reader, mut writer) = (&other, &other);
        let read = |bytes: &mut [u8]| reader.read(bytes).ok().filter(|count| *count > 0);
        answer_all(&mut board, read, |answer| {
            count += 1;
            if count % 10 == 0 {
                thread::sleep(2 * IMPATIENCE.timeout);
            }
            let _ = writer.write_all(answer);
        });
        board.acts
    });
    let tcp = Tcp::new(stream, "late").unwrap();
    // A busy machine is late by itself.
    let mut client = Client::new(Box::new(tcp), Patience { attempts: 50, ..IMPATIENCE });
    client.hello().unwrap();
    let policy = policy_core::Policy::<f32, 64>::from_bytes(SAMPLE).unwrap();
    for i in 0..100_u8 {
        let observation = [1.0, 0.0, 0.05 * f32::from(i)];
        let (action, _) = client.act(&observation, 1).unwrap();
        assert_eq!(action[0].to_bits(), policy.act(&observation).unwrap()[0].to_bits(), "{i}");
    }
    let counters = client.counters();
    println!("{counters:?}");
    assert!(counters.late >= 5 && counters.retries >= 5 && counters.exchanges == 101);
    assert!(client.round_trips().percentiles().unwrap().max > 40_000);
    drop(client);
    assert_eq!(board.join().unwrap(), 100);
}

#[test]
fn a_dead_link_is_an_error_within_its_time() {
    let begun = Instant::now();
    // Somebody who takes all and says nothing.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (other, _) = listener.accept().unwrap();
    let mut client = Client::new(Box::new(Tcp::new(stream, "mute").unwrap()), IMPATIENCE);
    let error = client.hello().unwrap_err();
    assert!(matches!(error, LinkError::Silent { attempts: 5, .. }), "{error}");
    assert!(error.to_string().contains("it is powered"), "{error}");
    assert!((200..2000).contains(&begun.elapsed().as_millis()));
    // Somebody who goes away.
    drop(other);
    let error = client.order(Request::Stop).unwrap_err();
    assert!(matches!(error, LinkError::Broken { .. }), "{error}");
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    drop(listener.accept().unwrap());
    let mut tcp = Tcp::new(stream, "gone").unwrap();
    let error = tcp.receive(&mut [0; 9], Instant::now() + IMPATIENCE.timeout).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    // From before the first episode's end on.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let name = format!("tcp:{}", listener.local_addr().unwrap());
    let board = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut board, mut left) = (InProcess::new(SAMPLE), 20);
        let mut reader = stream.try_clone().unwrap();
        let read = |bytes: &mut [u8]| {
            left -= 1;
            reader.read(bytes).ok().filter(|count| *count > 0 && left > 0)
        };
        answer_all(&mut board, read, |answer| stream.write_all(answer).unwrap());
    });
    assert_eq!(pil(&name), ExitCode::from(1));
    board.join().unwrap();
}

/// Of what a board has said that it cannot take nothing is sent, and its controller is not stopped for it.
#[test]
fn push_sends_only_what_the_board_can_run() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("push");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_string();
    let key = path("update.key");
    assert_eq!(trainer(&["keygen", "--out", &path("update")]), ExitCode::SUCCESS);
    let sample = |kind: &str| POLICY.replace("f32", kind);
    let length = SAMPLE.len() as u32;
    for (policy, room, proposals) in [
        (sample("f32"), length, 1),
        (sample("f32"), length - 1, 0),
        (sample("int8"), 1 << 20, 0),
        (sample("int16"), 1 << 20, 0),
        // It keeps no updates, or has no key: only the board knows which.
        (sample("f32"), 0, 1),
    ] {
        let signed = path("policy.signed");
        let sign = ["sign", &policy, "--key", &key, "--version", "2", "--out", &signed];
        assert_eq!(trainer(&sign), ExitCode::SUCCESS);
        let mut board = InProcess::new(SAMPLE);
        board.room = room;
        let (board, port) = listen(board, 1);
        let push = ["push", &signed, "--serial", &port, "--stop"];
        assert_eq!(trainer(&push), ExitCode::from(1), "{policy} {room}");
        let board = board.join().unwrap();
        assert_eq!((board.proposals, board.stops), (proposals, proposals), "{policy} {room}");
    }
}

#[cfg(target_os = "linux")]
mod serial {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use serial2::SerialPort;
    use trainer::link::Port;

    /// A board at one end of a pair of pseudo-terminals, until the flag is set; and the other end.
    fn pair(stop: &Arc<AtomicBool>) -> (JoinHandle<u64>, SerialPort) {
        let (mut there, here) = SerialPort::pair().expect("this system has pseudo-terminals");
        there.set_read_timeout(Duration::from_millis(20)).unwrap();
        let stop = Arc::clone(stop);
        let thread = thread::spawn(move || {
            let mut board = InProcess::new(SAMPLE);
            let read = |bytes: &mut [u8]| match there.read(bytes) {
                _ if stop.load(Ordering::Relaxed) => None,
                Ok(count) => Some(count),
                Err(error) if error.kind() == ErrorKind::TimedOut => Some(0),
                Err(_) => None,
            };
            answer_all(&mut board, read, |answer| {
                let _ = there.write_all(answer);
            });
            board.acts
        });
        (thread, here)
    }

    #[test]
    fn a_serial_port_carries_every_byte() {
        let stop = Arc::new(AtomicBool::new(false));
        let (board, port) = pair(&stop);
        let path = std::fs::read_link(format!("/proc/self/fd/{}", port.as_raw_fd())).unwrap();
        let mut client = Client::new(Box::new(Port::new(port, "pair")), Patience::NETWORK);
        let who = client.hello().unwrap();
        assert_eq!((who.name.as_str(), who.action_size), ("in-process", 1));
        // Observations with all sorts of bytes: zeros, those of flow control, line ends, the end of a text.
        for word in [0, 0x1113_0D0A, 0x0403_1A1C, 0x3F80_0000, 0x4115_177F] {
            let observation = [1.0, f32::from_bits(word), 0.0];
            client.act(&observation, 1).unwrap();
        }
        assert_eq!(client.counters().retries, 0);
        // Opened by its name, beside this one: with its settings made by the command line.
        assert_eq!(pil(path.to_str().unwrap()), ExitCode::SUCCESS);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(board.join().unwrap(), 305);
        // The other end is gone now.
        let begun = Instant::now();
        let error = client.hello().unwrap_err();
        assert!(matches!(error, LinkError::Broken { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}

/// Where the board of a monitor in tmux is.
const PORT_IN_TMUX: &str = "PORT_IN_TMUX";

/// The page of `monitor` leaves others' lines alone where the terminal's size changes, nothing of itself but its last state, and
/// Ctrl-C ends it below that. A terminal needs a process of its own: this test runs itself once more in tmux.
#[test]
fn monitor_leaves_one_page_whatever_the_terminals_width() {
    if let Ok(port) = std::env::var(PORT_IN_TMUX) {
        trainer(&["monitor", "--serial", &port, "--rate", "50"]);
        unreachable!("it goes on until Ctrl-C");
    }
    if Command::new("tmux").arg("-V").output().is_err() {
        eprintln!("not tested: tmux is missing (tests/setup installs it)");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let tmux = |arguments: &[&str]| {
        let mut command = Command::new("tmux");
        command.args(["-f", "/dev/null", "-S", "socket"]).args(arguments);
        command.current_dir(directory.path()).env_remove("TMUX").env("LC_ALL", "C.UTF-8");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let (board, port) = listen(InProcess::new(SAMPLE), 1);
    let own = std::env::current_exe().unwrap();
    let name = "monitor_leaves_one_page_whatever_the_terminals_width";
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8; do echo line $i of a person, which is as long as this; done\ntrap '' INT\n\
         (trap - INT; {PORT_IN_TMUX}={port} exec '{}' --exact {name} --nocapture)\necho ended with $?\nsleep 60\n",
        own.display()
    );
    std::fs::write(directory.path().join("script"), script).unwrap();
    tmux(&["new-session", "-d", "-x", "100", "-y", "30", "sh", "script"]);
    let shows = |wanted: &dyn Fn(&[&str]) -> bool| {
        let begun = Instant::now();
        loop {
            let text = tmux(&["capture-pane", "-p", "-S", "-1000"]);
            let lines: Vec<&str> =
                text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
            let (above, page) = lines.split_at(lines.len().min(9));
            let person = |(n, line): (usize, &&str)| {
                *line == format!("line {} of a person, which is as long as this", n + 1)
            };
            let intact = above.iter().take(8).enumerate().all(person)
                && above.last() == Some(&"running 1 test");
            if intact && wanted(page) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{text}");
            thread::sleep(Duration::from_millis(50));
        }
    };
    let names =
        ["in-process", "state ", "policy ", "observation ", "action ", "timing ", "trouble "];
    let whole = |page: &[&str]| {
        page.iter().zip(names).all(|(line, name)| line.starts_with(name)) && page.len() == 7
    };
    shows(&whole);
    for columns in ["30", "100", "60", "200", "100"] {
        tmux(&["resize-window", "-x", columns, "-y", "30"]);
        thread::sleep(Duration::from_millis(600));
        match columns {
            "100" => shows(&whole),
            // Longer lines take several rows, and nothing of them is lost.
            "60" => shows(&|page| {
                page.join(" ").split_whitespace().any(|word| word == "execution") && page.len() > 7
            }),
            _ => {}
        }
    }
    tmux(&["send-keys", "C-c"]);
    shows(&|page| page.len() == 8 && whole(&page[..7]) && page[7] == "ended with 130");
    tmux(&["kill-server"]);
    board.join().unwrap();
}
