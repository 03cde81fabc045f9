//! The server: a few files, and a WebSocket for each page.
//!
//! One thread does it all. A page's simulation waits for its socket where the network is slow, so that nothing piles up.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

use super::{Session, Value, guard, pages, protocol};
use crate::envs;
use crate::policy::AnyPolicy;

/// So many pages have a simulation at the same time,
const MAX_PAGES: usize = 16;
/// and so many connections are open.
const MAX_CONNECTIONS: usize = 128;
/// A page's message is no longer than this, in bytes.
const MAX_MESSAGE: usize = 4096;
/// For a request's head, and for a page to take what it is sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where the system gives no connection (it has no more files to give), before the next try.
const PAUSE: Duration = Duration::from_millis(100);

/// What is shown.
#[allow(missing_debug_implementations, reason = "what makes values is a function")]
pub struct Exhibit {
    /// Acts.
    pub policy: AnyPolicy<'static>,
    /// The `[environment]` table of its machine.
    pub environment: toml::Table,
    /// The policy in a few words.
    pub title: String,
    /// Was it trained on a machine with other settings?
    pub other_machine: bool,
    /// Makes what values observations, for each page anew, or says why there is no such thing.
    pub value: Box<dyn Fn() -> Result<Value, String>>,
}

struct Server {
    exhibit: Exhibit,
    /// Pages that there have been.
    opened: Cell<usize>,
    pages: Rc<()>,
    connections: Rc<()>,
}

/// Serves pages until the process ends.
///
/// # Errors
///
/// If the listener or the runtime does not work.
pub fn serve(listener: TcpListener, exhibit: Exhibit) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let (pages, connections) = (Rc::new(()), Rc::new(()));
    let server = Rc::new(Server { exhibit, opened: Cell::new(0), pages, connections });
    LocalSet::new().block_on(&runtime, async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                sleep(PAUSE).await;
                continue;
            };
            if Rc::strong_count(&server.connections) > MAX_CONNECTIONS {
                continue;
            }
            // Where it cannot be set, frames come late; they come.
            let _ = stream.set_nodelay(true);
            let (server, counted) = (server.clone(), server.connections.clone());
            spawn_local(async move {
                let service = service_fn(|request| {
                    let server = server.clone();
                    async move { Ok::<_, Infallible>(server.answer(request)) }
                });
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
                let connection = http.serve_connection(TokioIo::new(stream), service);
                // A client that breaks off is its own affair.
                let _ = connection.with_upgrades().await;
                drop(counted);
            });
        }
    })
}

impl Server {
    fn answer(self: &Rc<Self>, mut request: Request<Incoming>) -> Response<Full<Bytes>> {
        if guard::host(request.headers()).is_none() {
            return refusal(
                StatusCode::FORBIDDEN,
                "open this page by its address, such as http://127.0.0.1:8080, or as localhost",
            );
        }
        let path = request.uri().path();
        if path == "/session" {
            return self.open(&mut request);
        }
        let Some((kind, text)) = pages::find(path) else {
            return refusal(StatusCode::NOT_FOUND, "there is no such page; the only one is /");
        };
        match *request.method() {
            Method::GET | Method::HEAD => reply(StatusCode::OK, kind, text),
            _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "pages can only be read, with GET"),
        }
    }

    /// The handshake of RFC 6455, section 4.2.
    fn open(self: &Rc<Self>, request: &mut Request<Incoming>) -> Response<Full<Bytes>> {
        if !guard::from_own_page(request.headers()) {
            return refusal(
                StatusCode::FORBIDDEN,
                "only this server's own page may open a session",
            );
        }
        let Ok(response) = handshake::server::create_response_with_body(request, Full::default)
        else {
            return refusal(StatusCode::BAD_REQUEST, "a session is a WebSocket of version 13");
        };
        if Rc::strong_count(&self.pages) > MAX_PAGES {
            let text = "too many pages are open; close one and load this one again";
            return refusal(StatusCode::SERVICE_UNAVAILABLE, text);
        }
        let (server, counted) = (self.clone(), self.pages.clone());
        let upgrade = hyper::upgrade::on(request);
        spawn_local(async move {
            let _ = server.session(upgrade).await;
            drop(counted);
        });
        response
    }

    /// One page's simulation, until its socket closes.
    async fn session(&self, upgrade: OnUpgrade) -> Option<()> {
        let upgraded = timeout(PATIENCE, upgrade).await.ok()?.ok()?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let mut page = Page(socket);

        let Exhibit { policy, environment, title, other_machine, value } = &self.exhibit;
        let machine = envs::make(environment).ok()?;
        let (value, no_value) = match value() {
            Ok(value) => (Some(value), None),
            Err(why) => (None, Some(why)),
        };
        let index = self.opened.replace(self.opened.get() + 1);
        let mut session = Session::new(policy.clone(), machine, value, index).ok()?;
        page.tell(&session.hello(title.clone(), *other_machine, no_value)).await?;
        page.tell(&session.frame()).await?;

        let mut next = Instant::now();
        // While time stands still, nothing shows whether the page is still there, so that it is asked.
        let (mut ask, mut asked) = (Instant::now() + PATIENCE, false);
        loop {
            tokio::select! {
                () = sleep_until(next), if session.running() => {
                    session.advance();
                    let pace = Duration::from_secs_f64(session.pace());
                    // A machine that was asleep does not catch up.
                    next = (next + pace).max(Instant::now());
                    page.tell(&session.frame()).await?;
                }
                () = sleep_until(ask), if !session.running() => {
                    if asked {
                        return Some(());
                    }
                    (ask, asked) = (Instant::now() + PATIENCE, true);
                    page.send(Message::Ping(Bytes::new())).await?;
                }
                message = page.0.next() => {
                    (ask, asked) = (Instant::now() + PATIENCE, false);
                    match message?.ok()? {
                        // What is no command is ignored.
                        Message::Text(text) => if let Some(command) = protocol::command(&text) {
                            let stood = !session.running();
                            session.obey(&command);
                            if stood && session.running() {
                                next = Instant::now();
                            }
                            if !session.running() {
                                page.tell(&session.frame()).await?;
                            }
                        },
                        Message::Ping(_) | Message::Pong(_) => {}
                        Message::Binary(_) | Message::Close(_) | Message::Frame(_) => {
                            let _ = timeout_at(Instant::now() + PATIENCE, page.0.close(None)).await;
                            return Some(());
                        }
                    }
                }
            }
        }
    }
}

struct Page(WebSocketStream<TokioIo<Upgraded>>);

impl Page {
    /// `None` where it is gone, or takes nothing any more.
    async fn tell<T: serde::Serialize>(&mut self, what: &T) -> Option<()> {
        let text = serde_json::to_string(what).ok()?;
        self.send(Message::text(text)).await
    }

    /// `None` as for [`Page::tell`].
    async fn send(&mut self, message: Message) -> Option<()> {
        timeout(PATIENCE, self.0.send(message)).await.ok()?.ok()
    }
}

fn refusal(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    reply(status, "text/plain; charset=utf-8", text)
}

fn reply(status: StatusCode, kind: &'static str, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, pages::SECURITY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // The program of tomorrow has another page.
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
