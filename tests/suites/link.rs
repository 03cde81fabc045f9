//! The desktop's and the board's end of the link, on a line that does everything wrong that a line can.

use std::cell::RefCell;
use std::io::Result;
use std::rc::Rc;
use std::time::{Duration, Instant};

use policy_core::gaussian::uniform;
use policy_core::link::{
    Decoder, Floats, Frame, MAX_FRAME, Packet, Reply, Request, frame, refusal::Refusal,
};
use tests::boards::{COST, InProcess, SAMPLE, with_one_bit_flipped};
use tests::line::{End, Faults, Line, Way};
use trainer::eval::Starts;
use trainer::export::Blob;
use trainer::interface::Environment;
use trainer::link::{Client, LinkError, Patience, Transport};
use trainer::pil::{self, Findings, Mismatch};
use trainer::policy::AnyPolicy;
use trainer::rng::{Stream, stream};
use trainer::{envs, run::Progress};

/// 1 % of the bytes and 3 % of the frames.
const FAULTS: Faults = Faults { dropped: 0.004, duplicated: 0.002, corrupted: 0.004, late: 0.03 };
/// On a line whose time is no clock's; an attempt fails more often than not only by ill luck.
const PATIENCE: Patience =
    Patience { timeout: Duration::from_secs(5), long: Duration::from_secs(5), attempts: 60 };
/// Where a clock counts.
const IMPATIENCE: Patience =
    Patience { timeout: Duration::from_millis(30), long: Duration::from_millis(30), attempts: 3 };

struct Unobserved;

impl Progress for Unobserved {
    fn step(&mut self, _step: usize) {}
    fn episode(&mut self, _episode_return: f64) {}
}

fn sample() -> AnyPolicy<'static> {
    AnyPolicy::from_bytes(SAMPLE).unwrap()
}

/// The pendulum and the first of its starts.
fn machine(starts: usize) -> (Box<dyn Environment>, Vec<Vec<f64>>) {
    let table = envs::defaults("pendulum").unwrap();
    let states = Starts::builtin(&table).unwrap().states;
    (envs::make(&table).unwrap(), states[..starts].to_vec())
}

/// Says hello, checks the policies and runs the episodes.
fn in_the_loop(line: &Rc<RefCell<Line>>, starts: usize, steps: usize) -> Findings {
    let mut client = Client::new(Box::new(End(Rc::clone(line))), PATIENCE);
    let board = client.hello().unwrap();
    let policy = sample();
    pil::check(&board, &policy).unwrap();
    let (mut machine, states) = machine(starts);
    let progress = &mut Unobserved;
    pil::run(&mut client, board.cost, &policy, &mut *machine, &states, steps, progress)
}

/// What the board is asked about is compared with the ranges of a policy that has integers: each observation once, though the
/// episodes run twice.
#[test]
fn observations_outside_the_ranges_of_integers_are_counted() {
    let int8 = Blob::from_bytes(include_bytes!("../../firmware-example/sample/int8/policy.bin"));
    let int8 = AnyPolicy::from_bytes(int8.bytes()).unwrap();
    let warning = |policy: &AnyPolicy<'_>, speed: f64| {
        let line = Line::new(InProcess::new(SAMPLE), Faults::default(), 0);
        let mut client = Client::new(Box::new(End(Rc::clone(&line))), PATIENCE);
        let board = client.hello().unwrap();
        let (mut machine, _) = machine(1);
        let states = [vec![1.0, speed], vec![2.0, 0.0]];
        let progress = &mut Unobserved;
        pil::run(&mut client, board.cost, policy, &mut *machine, &states, 5, progress)
            .ranges
            .warning()
    };
    let found = warning(&int8, -9.0).unwrap();
    let part = "angular velocity is -9.000 rad/s, its range ends at -8.000 rad/s, left by 1 of 10 observations;";
    assert!(found.contains(part), "{found}");
    assert_eq!(warning(&int8, -8.0), None);
    assert_eq!(warning(&sample(), -9.0), None);
}

/// 20 episodes of 200 steps: no fault of the line becomes an action.
#[test]
fn a_line_full_of_faults_costs_time_and_no_bit() {
    let (starts, steps) = (20, 200);
    let faultless = Line::new(InProcess::new(SAMPLE), Faults::default(), 0);
    let faultless = in_the_loop(&faultless, starts, steps);
    assert!(faultless.all_equal() && faultless.equal == starts);
    assert_eq!((faultless.counters.retries, faultless.counters.late), (0, 0));

    let line = Line::new(InProcess::new(SAMPLE), FAULTS, 1);
    let found = in_the_loop(&line, starts, steps);
    let line = line.borrow();
    println!("client: {:?}", found.counters);
    println!("to the board: {:?}", line.to_board.counts);
    println!("to the desktop: {:?}", line.to_desktop.counts);
    assert!(found.all_equal() && found.equal == starts, "{found:?}");
    assert_eq!((found.board_hash, found.host_hash), (faultless.board_hash, faultless.board_hash));
    assert_eq!(found.board.returns, faultless.host.returns);
    // Each question was obeyed once, however often it came.
    assert_eq!(line.board.acts, (starts * steps) as u64);
    assert_eq!(found.round_trips.len(), starts * steps);
    let cost = found.cost.unwrap();
    assert!(cost.max == COST + COST / 2 && cost.mean > COST.into() && cost.mean < cost.max.into());

    let c = found.counters;
    assert!(c.retries > 1000 && c.damaged > 500 && c.late > 100, "{c:?}");
    for counts in [line.to_board.counts, line.to_desktop.counts] {
        let hit = counts.dropped + counts.duplicated + counts.corrupted;
        assert!(counts.dropped > 200 && counts.duplicated > 100 && counts.corrupted > 200);
        assert!((0.009..0.011).contains(&(hit as f64 / counts.bytes as f64)), "{counts:?}");
        assert!(counts.late > 100, "{counts:?}");
    }
}

/// Whatever has happened to the frames before, the next whole one is found, and nothing that was not sent.
#[test]
fn after_any_damage_the_next_whole_frame_is_found() {
    let faults = Faults { dropped: 0.05, duplicated: 0.05, corrupted: 0.05, late: 0.0 };
    let mut way = Way::new(faults, 2);
    let mut rng = stream(3, Stream::Environment);
    let (mut decoder, mut frame) = (Decoder::new(), Frame::new());
    let (mut intact, mut hit) = (0, 0);
    let mut before = Vec::new();
    for sequence in 1..=20_000_u32 {
        let numbers: Vec<f32> = (0..sequence % 128).map(|_| uniform(&mut rng) - 0.5).collect();
        let body = Request::Act { observation: Floats::new(&numbers) };
        let sent = Packet { session: 7, sequence, body };
        frame.fill(&sent).unwrap();
        // Every other one arrives as it was sent; the line may break off in the middle of one, and noise may follow.
        let mut bytes = frame.bytes().to_vec();
        if sequence % 2 == 0 {
            bytes = way.pass(&bytes);
            bytes.truncate((1.5 * uniform(&mut rng) * bytes.len() as f32) as usize);
            let noise = (20.0 * uniform(&mut rng)) as usize;
            bytes.extend((0..noise).map(|_| (256.0 * uniform(&mut rng)) as u8));
        }
        let mut found = false;
        for byte in &bytes {
            match decoder.push(*byte) {
                Some(Ok(plain)) => {
                    let packet = frame::read::<Request<'_>>(plain).unwrap();
                    found |= packet == sent;
                    // Where only the zero at its end was lost, the next one's first byte ends a frame.
                    let body = Request::Act { observation: Floats::new(&before) };
                    let last = Packet { session: 7, sequence: sequence - 1, body };
                    assert!(packet == sent || packet == last, "{packet:?}");
                }
                Some(Err(_)) => hit += 1,
                None => {}
            }
        }
        assert!(found || sequence % 2 == 0, "frame {sequence} was lost");
        intact += u32::from(found);
        before = numbers;
    }
    println!("{intact} frames found, {hit} damaged pieces");
    assert!(intact > 10_000 && hit > 8_000);
}

#[test]
fn another_policy_is_noticed_by_its_checksum_or_else_by_its_actions() {
    let other = with_one_bit_flipped();
    let line = Line::new(InProcess::new(other), Faults::default(), 0);
    let mut client = Client::new(Box::new(End(Rc::clone(&line))), PATIENCE);
    let board = client.hello().unwrap();
    let error = pil::check(&board, &sample()).unwrap_err();
    assert!(matches!(error, Mismatch::Checksum { .. }), "{error}");
    assert!(error.to_string().contains("another policy"), "{error}");
    // The same board, but it claims to run the sample.
    line.borrow_mut().board.checksum = sample().checksum();
    let found = in_the_loop(&line, 3, 200);
    let difference = found.first_difference.expect("one bit of a weight changes actions");
    assert!(!found.all_equal() && found.board_hash != found.host_hash);
    assert_eq!((difference.part, difference.entry), ("action", 0));
    assert_ne!(difference.board, difference.host);
    assert_eq!(found.board.returns.len(), 3);
}

/// What was finished before is reported, and the rest has no action.
fn assert_stopped(found: &Findings, words: &str) {
    let stop = found.stop.as_ref().expect("it cannot go on");
    let text = stop.to_string();
    assert!(text.contains(words) && text.contains("safe state, without an action"), "{text}");
    // Hello, then two whole episodes, then five steps of the third.
    assert_eq!((stop.start, stop.step, found.equal), (2, 5, 2));
    assert!(!found.all_equal() && found.first_difference.is_none());
    assert_eq!((found.board.returns.len(), found.board_hash), (2, found.host_hash));
}

#[test]
fn a_board_that_restarts_or_falls_silent_ends_the_episode() {
    let line = Line::new(InProcess::new(SAMPLE), Faults::default(), 0);
    line.borrow_mut().restart_after = Some(1 + 2 * 50 + 5 + 1);
    assert_stopped(&in_the_loop(&line, 4, 50), "the board has restarted");
    assert_eq!(line.borrow().board.acts, 105);

    let line = Line::new(InProcess::new(SAMPLE), Faults::default(), 0);
    line.borrow_mut().silent_after = Some(1 + 2 * 50 + 5);
    assert_stopped(&in_the_loop(&line, 4, 50), "has not answered 60 attempts");
    assert_eq!(line.borrow().board.acts, 105);
}

/// It answers each question with bytes of its own.
struct Liar<F>(F, Decoder, Vec<u8>);

impl<F: FnMut(u16, u32) -> Vec<u8>> Transport for Liar<F> {
    fn send(&mut self, bytes: &[u8], _deadline: Instant) -> Result<()> {
        for byte in bytes {
            if let Some(plain) = self.1.push(*byte) {
                let (session, sequence) = frame::address(plain.unwrap()).unwrap();
                self.2.extend((self.0)(session, sequence));
            }
        }
        Ok(())
    }

    fn receive(&mut self, bytes: &mut [u8], _deadline: Instant) -> Result<usize> {
        let count = bytes.len().min(self.2.len());
        bytes[..count].copy_from_slice(&self.2[..count]);
        self.2.drain(..count);
        Ok(count)
    }

    fn name(&self) -> &str {
        "the liar"
    }
}

/// Asks it for an action of one entry.
fn act(answer: impl FnMut(u16, u32) -> Vec<u8> + 'static) -> (LinkError, Client) {
    let liar = Liar(answer, Decoder::new(), Vec::new());
    let mut client = Client::new(Box::new(liar), IMPATIENCE);
    let error = client.act(&[1.0, 0.0, 0.0], 1).expect_err("nothing of this is an action");
    (error, client)
}

fn reply(session: u16, sequence: u32, body: Reply<'_>) -> Vec<u8> {
    let mut frame = Frame::new();
    frame.fill(&Packet { session, sequence, body }).unwrap();
    frame.bytes().to_vec()
}

fn action(session: u16, sequence: u32, action: &[f32]) -> Vec<u8> {
    reply(session, sequence, Reply::Action { action: Floats::new(action), cost: 1 })
}

#[test]
fn only_the_right_answer_becomes_an_action() {
    // The answer to another question, or another desktop's.
    for (other_session, other_sequence) in [(1, 0), (0, 1), (0, u32::MAX)] {
        let (error, client) = act(move |session, sequence| {
            let session = session.wrapping_add(other_session);
            action(session, sequence.wrapping_add(other_sequence), &[0.5])
        });
        assert!(matches!(error, LinkError::Silent { damaged: 0, .. }), "{error}");
        assert_eq!((client.counters().late, client.counters().retries), (3, 2));
    }
    // Altered after its checksum was made: its number is that of the question.
    let (error, client) = act(|session, sequence| {
        let mut bytes = action(session, sequence, &[0.5]);
        let last = bytes.len() - 8;
        bytes[last] ^= 0x40;
        bytes
    });
    assert!(error.to_string().contains("3 frames came that are damaged"), "{error}");
    assert_eq!(client.counters().damaged, 3);
    // Another size, or no number.
    for (entries, words) in [
        (&[][..], "has 0 entries, its policy gives 1"),
        (&[0.5, 0.5], "has 2 entries"),
        (&[0.5; 9], "has 0 entries"),
        (&[f32::NAN], "is not finite"),
        (&[f32::NEG_INFINITY], "is not finite"),
    ] {
        let (error, _) = act(move |session, sequence| action(session, sequence, entries));
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("not applied"), "{text}");
    }
    // Another kind of answer, a refusal, or none of this protocol.
    let (error, _) = act(|session, sequence| reply(session, sequence, Reply::Done));
    assert!(matches!(error, LinkError::Unexpected), "{error}");
    let refused = Reply::Refused(Refusal::Running);
    let (error, _) = act(move |session, sequence| reply(session, sequence, refused));
    assert!(error.to_string().contains("stop it first") && error.is_running(), "{error}");
    let (error, _) = act(|session, sequence| {
        let mut frame = Frame::new();
        frame.fill(&Packet { session, sequence, body: [0xFF_u8; 20] }).unwrap();
        frame.bytes().to_vec()
    });
    assert!(matches!(error, LinkError::Unreadable), "{error}");
}

/// Bytes without end, and no frame among them.
struct Babble(trainer::rng::Rng);

impl Transport for Babble {
    fn send(&mut self, _bytes: &[u8], _deadline: Instant) -> Result<()> {
        Ok(())
    }

    fn receive(&mut self, bytes: &mut [u8], _deadline: Instant) -> Result<usize> {
        bytes.fill_with(|| (256.0 * uniform(&mut self.0)) as u8);
        Ok(bytes.len())
    }

    fn name(&self) -> &str {
        "the babbler"
    }
}

#[test]
fn a_board_that_babbles_is_given_up() {
    let begun = Instant::now();
    let babble = Babble(stream(4, Stream::Environment));
    let error = Client::new(Box::new(babble), IMPATIENCE).hello().unwrap_err();
    let LinkError::Silent { attempts: 3, damaged, .. } = error else { panic!("{error}") };
    assert!(damaged > 10 && error.to_string().contains("--baud"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    // Bytes without any zero are damage as well, but nothing ends them: as if nobody were there.
    assert!(Patience::serial(115_200).timeout < Duration::from_millis(300));
    assert!(Patience::serial(9600).timeout.as_secs_f64() > 2.0 * 10.0 * MAX_FRAME as f64 / 9600.0);
}
