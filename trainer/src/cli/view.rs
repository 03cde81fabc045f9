//! `trainer view`.

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::eval::described;
use super::numbers::whole;
use super::{Failure, policy_file, warn};
use crate::config::environment;
use crate::envs;
use crate::eval::{EvalError, check_shape};
use crate::policy::AnyPolicy;
use crate::run::{RunError, Trained};
use crate::text::Shown;
use crate::view::{Address, Exhibit, Value, serve};

/// Watch a policy run its machine on a page of the browser, poke it, drag it and change it
///
/// Prints the page's address and serves it until Ctrl-C. The policy runs here, through policy-core; each page has a simulation
/// of its own.
#[derive(Debug, Args)]
#[command(after_help = "Example: trainer view runs/sac/policy.bin --port 8080")]
pub(super) struct View {
    /// A policy.bin
    policy: PathBuf,
    /// The page's port on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "N", default_value = "8080", conflicts_with = "listen", value_parser = whole::<u16>(0..=65_535))]
    port: u16,
    /// Where to listen instead, for pages on other machines: without password or encryption
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A setting of the environment, such as reset_noise_scale=0.2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

impl View {
    pub(super) fn run(self, as_json: bool) -> Result<String, Failure> {
        // Lent to every page until the process ends.
        let blob = Box::leak(Box::new(policy_file::read(&self.policy)?));
        let policy = policy_file::policy(&self.policy, blob)?;
        let name = policy_file::plant(&self.policy, &policy)?;
        let table = environment(name, &self.assignments)?;
        let machine = envs::make(&table)?;
        let failed = |error: EvalError| Failure::Failed(error.to_string());
        check_shape(&policy, machine.spec()).map_err(failed)?;
        let at_home = policy_file::was_trained_on(&self.policy, &policy, &table)?;

        let place = self.listen.unwrap_or((Ipv4Addr::LOCALHOST, self.port).into());
        let (listener, address) = listen(place, self.listen.is_none())?;
        if address.is_open() {
            let reach = address.reach();
            warn(&format!(
                "whoever reaches {reach} can watch and steer these simulations, without a password"
            ));
        }
        let exhibit = Exhibit {
            title: title(&self.policy, &policy, &described(&table))?,
            other_machine: !at_home,
            value: value_of(&self.policy, &policy),
            policy,
            environment: table,
        };
        announce(address, &self.policy, as_json)?;
        let Err(error) = serve(listener, exhibit);
        Err(Failure::Failed(format!("cannot serve the page at {address}: {error}")))
    }
}

/// A listener, and by which address its page is opened.
fn listen(address: SocketAddr, by_port: bool) -> Result<(TcpListener, Address), Failure> {
    if Address::of(address).is_none() {
        return Err(Failure::Usage(format!(
            "--listen {address}: browsers cannot open a link-local address, which needs a scope; choose another address of this \
             machine, or [::]:{} for all of them",
            address.port()
        )));
    }
    let bound = TcpListener::bind(address).and_then(|listener| {
        let real = listener.local_addr()?;
        let address = Address::of(real).ok_or(ErrorKind::AddrNotAvailable)?;
        Ok((listener, address))
    });
    bound.map_err(|error| {
        let hint = match by_port {
            true => "choose another port, or --port 0 for any that is free",
            false => "choose another address or port",
        };
        Failure::Failed(format!("cannot listen on {address}: {error}; {hint}"))
    })
}

/// What runs, in a few words.
fn title(path: &Path, policy: &AnyPolicy<'_>, machine: &str) -> Result<String, Failure> {
    let contract = policy.contract().map_err(|error| policy_file::refused(path, &error))?;
    let (algorithm, kind, count) = (contract.algorithm(), policy.kind(), policy.parameters());
    Ok(format!("{}: {algorithm} for {machine}, {count} parameters as {kind}", path.shown()))
}

/// What makes values of observations for a page: the critics of the agent whose policy this is, by its checksum.
fn value_of(path: &Path, policy: &AnyPolicy<'_>) -> Box<dyn Fn() -> Result<Value, String>> {
    let (directory, wanted) =
        (path.parent().unwrap_or(Path::new("")).to_path_buf(), policy.checksum());
    let load = move || {
        let trained = Trained::load(&directory)?;
        Ok::<_, RunError>((trained.policy_checksum()?, trained))
    };
    Box::new(move || match load() {
        Ok((exported, _)) if exported != wanted => {
            Err("no value: the agent.bin beside this policy is that of another one".into())
        }
        Ok((_, mut trained)) => Ok(Box::new(move |observation: &[f32]| trained.value(observation))),
        Err(RunError::Read { error, .. }) if error.kind() == ErrorKind::NotFound => {
            Err("no value: there is no agent.bin beside this policy".into())
        }
        Err(error) => Err(format!("no value: {error}")),
    })
}

/// Says where the page is, at once: whoever waits for it reads a line.
fn announce(address: Address, policy: &Path, as_json: bool) -> Result<(), Failure> {
    let everywhere = match address.is_everywhere() {
        true => format!("; so does {}", address.reach()),
        false => String::new(),
    };
    let line = match as_json {
        true => json!({ "address": address.to_string() }).to_string(),
        false => format!("{address} shows {}{everywhere}; Ctrl-C ends it", policy.shown()),
    };
    let mut out = std::io::stdout();
    let said = writeln!(out, "{line}").and_then(|()| out.flush());
    said.map_err(|error| Failure::Failed(format!("cannot print the page's address: {error}")))
}
