//! The page of `trainer view`, as a browser and as other web sites ask for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::{fail, json, short_run};

/// A server that ends with the test.
struct Server {
    process: Child,
    /// ADDRESS:PORT
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Shows the policy of a short run on a free port.
    fn start(directory: &Path) -> Server {
        Server::listen(directory, &["--port", "0"])
    }

    /// The same with other options.
    fn listen(directory: &Path, options: &[&str]) -> Server {
        let mut process = Command::new(env!("CARGO_BIN_EXE_trainer"))
            .args(["view", "run/policy.bin", "--json"])
            .args(options)
            .current_dir(directory)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the trainer starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let page = json(&line)["address"].as_str().expect("an address").to_string();
        Server { process, address: page.strip_prefix("http://").expect("of a page").into() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// The answer's head and body to a request for a path with further header lines.
    fn get(&self, path: &str, host: &str, more: &str) -> String {
        let mut stream = self.connect();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks for a session as a page of that origin does; gives the stream behind the answer's head, and its first line.
    fn open(&self, host: &str, origin: &str) -> (TcpStream, String) {
        let mut stream = self.connect();
        let request = format!(
            "GET /session HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        (stream, head)
    }
}

/// The text of the next message, which is whole and not masked.
fn message(stream: &mut TcpStream) -> Value {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 0x81, "one frame of text");
    let mut length = u64::from(head[1]);
    if length >= 126 {
        let mut long = vec![0; if length == 126 { 2 } else { 8 }];
        stream.read_exact(&mut long).unwrap();
        length = long.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    }
    let mut text = vec![0; length as usize];
    stream.read_exact(&mut text).unwrap();
    json(std::str::from_utf8(&text).unwrap())
}

/// A message with a mask of zeros.
fn say(stream: &mut TcpStream, kind: u8, text: &[u8]) {
    let length = text.len() as u16;
    let mut frame = vec![0x80 | kind, 0x80 | 126, (length >> 8) as u8, length as u8, 0, 0, 0, 0];
    if length < 126 {
        frame = vec![0x80 | kind, 0x80 | length as u8, 0, 0, 0, 0];
    }
    frame.extend(text);
    stream.write_all(&frame).unwrap();
}

/// A page that stopped time and then vanished, as on a machine that fell asleep, does not keep its place for ever.
#[test]
fn silent_pages_are_let_go() {
    let temporary = tempfile::tempdir().unwrap();
    short_run(temporary.path(), "run", &[]);
    let server = Server::start(temporary.path());
    let (mut stream, _) = server.open(&server.address, &format!("http://{}", server.address));
    say(&mut stream, 1, b"{\"do\":\"run\",\"value\":false}");
    while message(&mut stream)["running"] != false {}
    // It is asked once, answers, is asked again and does not answer.
    let ping = |stream: &mut TcpStream| {
        let mut asked = [0; 2];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(asked, [0x89, 0]);
    };
    ping(&mut stream);
    say(&mut stream, 10, b"");
    ping(&mut stream);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the end");
}

#[test]
fn a_policy_is_shown_to_its_own_page_only() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &[]);
    let mut server = Server::start(directory);
    let own = server.address.clone();
    let port = own.rsplit(':').next().unwrap().to_string();

    let page = server.get("/", &own, "");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<canvas id=\"machine\""), "{page}");
    assert!(page.contains("default-src 'none'"), "{page}");
    assert!(server.get("/page.js", &own, "").contains("text/javascript"));
    assert!(server.get("/secret", &own, "").starts_with("HTTP/1.1 404"));
    assert!(server.get("/session", &own, "").starts_with("HTTP/1.1 403"));
    // A name that somebody gave this machine's address.
    let rebound = server.get("/", &format!("evil.example:{port}"), "");
    assert!(
        rebound.starts_with("HTTP/1.1 403") && rebound.contains("open this page by its address")
    );

    for (host, origin) in [
        (own.as_str(), "http://evil.example"),
        (own.as_str(), "null"),
        (own.as_str(), "http://127.0.0.1:1"),
        ("evil.example", "http://evil.example"),
    ] {
        let (_, head) = server.open(host, origin);
        assert!(head.starts_with("HTTP/1.1 403"), "{host} {origin}: {head}");
    }

    let (mut stream, head) = server.open(&own, &format!("http://{own}"));
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    // The answer of RFC 6455's example.
    assert!(
        head.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    let hello = message(&mut stream);
    assert_eq!((&hello["kind"], &hello["plant"]), (&"hello".into(), &"pendulum".into()));
    assert_eq!(hello["observation"][2]["unit"], "rad/s");
    assert_eq!(hello["no_value"], Value::Null);
    assert!(message(&mut stream)["value"].is_f64(), "the agent beside the policy values it");
    for text in ["", "{", "{\"do\":\"fly\"}", "{\"do\":\"latency\",\"value\":35.5}", "\u{fffd}"] {
        say(&mut stream, 1, text.as_bytes());
    }
    let changed = (0..100).map(|_| message(&mut stream)).find(|frame| frame["latency"] == 35.5);
    let time = changed.expect("the latency that was asked for")["time"].as_f64().unwrap();
    assert!(message(&mut stream)["time"].as_f64().unwrap() > time);

    short_run(directory, "other", &["--seed", "9"]);
    std::fs::copy(directory.join("other/agent.bin"), directory.join("run/agent.bin")).unwrap();
    let (mut stream, _) = server.open(&own, &format!("http://{own}"));
    let mixed = message(&mut stream)["no_value"].clone();
    assert_eq!(mixed, "no value: the agent.bin beside this policy is that of another one");

    std::fs::write(directory.join("run/agent.bin"), "none").unwrap();
    let (mut stream, _) = server.open(&own, &format!("http://{own}"));
    let damaged = message(&mut stream)["no_value"].as_str().unwrap().to_string();
    assert!(
        damaged.starts_with("no value: ") && damaged.contains("is no usable agent"),
        "{damaged}"
    );
    std::fs::remove_file(directory.join("run/agent.bin")).unwrap();
    let (mut stream, _) = server.open(&own, &format!("http://{own}"));
    let missing = message(&mut stream)["no_value"].clone();
    assert_eq!(missing, "no value: there is no agent.bin beside this policy");

    // Longer than any command, or not text: the session ends, the server does not.
    for (kind, length) in [(1, 5000), (2, 10)] {
        let (mut stream, _) = server.open(&own, &format!("http://{own}"));
        say(&mut stream, kind, &vec![b' '; length]);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    assert!(server.get("/", &own, "").starts_with("HTTP/1.1 200"));

    let busy = fail(directory, &["view", "run/policy.bin", "--port", &port], 1);
    assert!(busy.contains(&format!("cannot listen on 127.0.0.1:{port}: ")), "{busy}");
    assert!(busy.contains("choose another port, or --port 0 for any that is free"), "{busy}");

    let busy = fail(directory, &["view", "run/policy.bin", "--listen", &own], 1);
    assert!(busy.trim_end().ends_with("; choose another address or port"), "{busy}");

    if cfg!(unix) {
        let interrupt = ["-INT", &server.process.id().to_string()];
        assert!(Command::new("kill").args(interrupt).status().unwrap().success());
        assert!(!server.process.wait().unwrap().success());
        assert!(TcpStream::connect(&own).is_err());
    }
}

/// What is printed opens the page, a session with it, whatever way the address was written.
#[test]
fn the_address_that_is_printed_opens_the_page() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    short_run(directory, "run", &[]);
    for (listen, printed) in [
        ("127.0.0.1:0", "127.0.0.1:"),
        ("[::1]:0", "[::1]:"),
        ("[::ffff:127.0.0.1]:0", "127.0.0.1:"),
    ] {
        if TcpListener::bind(listen).is_err() {
            eprintln!("not tested: this machine has no {listen}");
            continue;
        }
        let server = Server::listen(directory, &["--listen", listen]);
        let own = &server.address;
        assert!(own.starts_with(printed) && !own.ends_with(":0"), "{listen}: {own}");
        assert!(server.get("/", own, "").starts_with("HTTP/1.1 200"), "{listen}");
        let (_, head) = server.open(own, &format!("http://{own}"));
        assert!(head.starts_with("HTTP/1.1 101"), "{listen}: {head}");
    }
    let scoped = fail(directory, &["view", "run/policy.bin", "--listen", "[fe80::1%1]:0"], 2);
    assert!(scoped.contains("browsers cannot open a link-local address"), "{scoped}");
}

#[test]
fn what_cannot_be_shown_gets_one_sentence() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path();
    let missing = fail(directory, &["view", "missing.bin"], 1);
    assert!(missing.contains("cannot read missing.bin"), "{missing}");
    std::fs::write(directory.join("other.bin"), b"no policy").unwrap();
    let other = fail(directory, &["view", "other.bin"], 1);
    assert!(other.contains("other.bin is no usable policy"), "{other}");
    let both = ["view", "other.bin", "--port", "1", "--listen", "127.0.0.1:2"];
    assert!(fail(directory, &both, 2).contains("cannot be used with"));
    assert!(fail(directory, &["view", "other.bin", "--listen", "here"], 2).contains("here"));
}
