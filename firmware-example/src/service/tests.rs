use std::{string::String, vec::Vec};

use super::*;
use policy_core::link::{Cost, Source, frame::read};

/// It answers with what it was given, and counts what it was told to do.
#[derive(Default)]
struct Puppet {
    started: u32,
    stopped: u32,
    asked: Vec<String>,
}

impl Board for Puppet {
    fn identity(&mut self) -> Identity<'_> {
        Identity {
            protocol: policy_core::link::VERSION,
            board: "puppet",
            firmware: "0",
            cost: Cost::Cycles,
            capacity: 0,
            policy: Source::Firmware,
            checksum: 1,
            plant_fingerprint: 2,
            control_period: 0.05,
            observation_size: 1,
            action_size: 1,
            weights: 0,
            width: 16,
        }
    }

    fn act(&mut self, observation: &[f32]) -> Result<(Action, u32), Refusal> {
        self.asked.push(std::format!("{observation:?}"));
        let action = observation.iter().take(1).map(|x| -x).collect();
        Ok((action, 17))
    }

    fn snapshot(&mut self) -> Snapshot {
        crate::control::Mailbox::<f32, 16>::new().snapshot()
    }

    fn start(&mut self) {
        self.started += 1;
    }

    fn stop(&mut self) {
        self.stopped += 1;
    }
}

fn bytes(session: u16, sequence: u32, body: Request<'_>) -> Vec<u8> {
    let mut frame = Frame::new();
    frame.fill(&Packet { session, sequence, body }).unwrap();
    frame.bytes().to_vec()
}

/// Everything that it answers to the bytes, as text.
fn exchange(service: &mut Service, puppet: &mut Puppet, sent: &[u8]) -> Vec<String> {
    let (mut decoder, mut answers) = (Decoder::new(), Vec::new());
    for byte in sent {
        for byte in service.push(*byte, puppet).unwrap_or_default() {
            if let Some(plain) = decoder.push(*byte) {
                let packet = read::<Reply<'_>>(plain.unwrap()).unwrap();
                let Packet { session, sequence, body } = packet;
                answers.push(match body {
                    Reply::Hello(identity) => {
                        std::format!("{session} {sequence} {}", identity.board)
                    }
                    body => std::format!("{session} {sequence} {body:?}"),
                });
            }
        }
    }
    answers
}

#[test]
fn a_session_begins_with_hello() {
    let (mut service, mut puppet) = (Service::new(), Puppet::default());
    let mut ask = |sent: &[u8]| exchange(&mut service, &mut puppet, sent);
    assert_eq!(ask(&bytes(3, 1, Request::Start)), ["3 1 Refused(Session)"]);
    assert_eq!(ask(&bytes(3, 1, Request::Hello)), ["3 1 puppet"]);
    assert_eq!(ask(&bytes(3, 2, Request::Start)), ["3 2 Done"]);
    assert_eq!(ask(&bytes(4, 9, Request::Stop)), ["4 9 Refused(Session)"]);
    assert_eq!(ask(&bytes(4, 1, Request::Hello)), ["4 1 puppet"]);
    // What is left on the line of the session before is late.
    assert_eq!(ask(&bytes(3, 3, Request::Start)), [""; 0]);
    assert_eq!(ask(&bytes(3, 4, Request::Hello)), [""; 0]);
    assert_eq!(ask(&bytes(5, 3, Request::Start)), ["5 3 Refused(Session)"]);
    assert_eq!((puppet.started, puppet.stopped), (1, 0));
}

#[test]
fn a_question_that_comes_again_is_obeyed_once() {
    let (mut service, mut puppet) = (Service::new(), Puppet::default());
    let hello = bytes(3, 1, Request::Hello);
    exchange(&mut service, &mut puppet, &hello);
    let [start, stop] = [(2, Request::Start), (3, Request::Stop)].map(|(n, r)| bytes(3, n, r));
    for _ in 0..3 {
        assert_eq!(exchange(&mut service, &mut puppet, &start), ["3 2 Done"]);
    }
    assert_eq!(exchange(&mut service, &mut puppet, &stop), ["3 3 Done"]);
    // Somebody else's question in between changes nothing.
    assert_eq!(
        exchange(&mut service, &mut puppet, &bytes(8, 5, Request::Stop)),
        ["8 5 Refused(Session)"]
    );
    assert_eq!(exchange(&mut service, &mut puppet, &stop), ["3 3 Done"]);
    // A late one must not start a machine that was stopped since.
    assert_eq!(exchange(&mut service, &mut puppet, &start), [""; 0]);
    assert_eq!(exchange(&mut service, &mut puppet, &hello), [""; 0]);
    assert_eq!((puppet.started, puppet.stopped), (1, 1));
}

#[test]
fn damage_is_counted_and_not_answered() {
    let (mut service, mut puppet) = (Service::new(), Puppet::default());
    exchange(&mut service, &mut puppet, &bytes(3, 1, Request::Hello));
    let mut hit = bytes(3, 2, Request::Start);
    hit[3] ^= 4;
    assert_eq!(exchange(&mut service, &mut puppet, &hit), [""; 0]);
    let answers = exchange(&mut service, &mut puppet, &bytes(3, 3, Request::Status));
    assert!(answers[0].contains("damaged: 1"), "{answers:?}");
    assert_eq!(puppet.started, 0);
}

#[test]
fn observations_come_and_actions_go_bit_for_bit() {
    let (mut service, mut puppet) = (Service::new(), Puppet::default());
    exchange(&mut service, &mut puppet, &bytes(3, 1, Request::Hello));
    let observation = [f32::MIN_POSITIVE / 2.0];
    let act = Request::Act { observation: Floats::new(&observation) };
    let answers = exchange(&mut service, &mut puppet, &bytes(3, 2, act));
    let bits = (-observation[0]).to_bits().to_le_bytes();
    assert_eq!(answers, [std::format!("3 2 Action {{ action: Floats({bits:?}), cost: 17 }}")]);
    // One entry more than any board takes.
    let long = [0.0; MAX_INPUTS + 1];
    let act = Request::Act { observation: Floats::new(&long) };
    let answers = exchange(&mut service, &mut puppet, &bytes(3, 3, act));
    assert_eq!((answers[0].as_str(), puppet.asked.len()), ("3 3 Refused(Unknown)", 1));
}

#[test]
fn updates_are_refused_where_there_is_no_room() {
    let (mut service, mut puppet) = (Service::new(), Puppet::default());
    exchange(&mut service, &mut puppet, &bytes(3, 1, Request::Hello));
    for (sequence, request) in [
        (2, Request::Propose { manifest: &[1], signature: &[2] }),
        (3, Request::Chunk { offset: 0, bytes: &[3] }),
        (4, Request::Commit),
    ] {
        let answers = exchange(&mut service, &mut puppet, &bytes(3, sequence, request));
        assert_eq!(answers, [std::format!("3 {sequence} Refused(Update(NoSlots))")]);
    }
}
