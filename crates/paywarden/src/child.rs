//! A server of this same binary in a process of its own, so that its time is its own.

use crate::{
    failure::{Failure, Result},
    key_desk::{Answer, Question, ask, staff},
    wiring::local_ca_pem,
};
use paywarden_access::Scopes;
use paywarden_domain::TenantId;
use std::{
    fs::File,
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long a server may take to start; one that ends by itself is not waited for.
const START_SECONDS_MAX: u64 = 180;
const START_POLL: Duration = Duration::from_millis(20);
/// Microseconds in one tick of `/proc/PID/stat` on Linux (USER_HZ is 100 on every architecture).
const TICK_US: u64 = 10_000;
/// How much of its last words is shown when a server does not start.
const LAST_WORDS_BYTES_MAX: usize = 4_096;

/// A server that ends, at the latest, when this is dropped.
pub struct ServerChild {
    process: Child,
    data_dir: PathBuf,
    address: SocketAddr,
}

impl ServerChild {
    /// Starts this very binary; see [`ServerChild::start`].
    pub fn start_self(data_dir: &Path, settings: &[String]) -> Result<Self> {
        let binary = std::env::current_exe().map_err(|error| {
            let what = format!("cannot find this program: {error}");
            Failure::environment(what, "start a server by hand and name it with --url")
        })?;
        Self::start(&binary, data_dir, settings)
    }

    /// Starts `binary serve` on a free loopback port with its data in `data_dir`, and waits until
    /// it answers. Each of `settings` is a `key=value` of the configuration.
    pub fn start(binary: &Path, data_dir: &Path, settings: &[String]) -> Result<Self> {
        let unstarted = |error: &dyn std::fmt::Display| {
            let what = format!("cannot start {}: {error}", binary.display());
            Failure::environment(what, "run `paywarden serve` by hand to see what it says")
        };
        crate::private::folder(data_dir)?;
        let words = data_dir.join("serve.log");
        let log = File::create(&words).map_err(|error| unstarted(&error))?;
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .arg("--data-dir")
            .arg(data_dir)
            .args(["--set", "listen=127.0.0.1:0"]);
        for setting in settings {
            command.args(["--set", setting]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut process = command.spawn().map_err(|error| unstarted(&error))?;
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        loop {
            if let Ok(Some(Answer::Status { address })) = ask(data_dir, &Question::Status) {
                return Ok(Self {
                    process,
                    data_dir: data_dir.to_owned(),
                    address,
                });
            }
            let ended = process.try_wait().map_err(|error| unstarted(&error))?;
            if ended.is_some() || Instant::now() > deadline {
                let _ = process.kill();
                return Err(unstarted(&last_words(&words)));
            }
            std::thread::sleep(START_POLL);
        }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What its clients trust.
    pub fn ca_pem(&self) -> PathBuf {
        local_ca_pem(&self.data_dir)
    }

    /// Makes a key with every scope; the answer is its id and its private half.
    pub fn create_key(&self, tenant: &TenantId, algorithm: &str) -> Result<(String, String)> {
        let question = Question::Create {
            algorithm: algorithm.to_owned(),
            tenant: tenant.clone(),
            scopes: Scopes::usual().to_string(),
            name: "measurement".to_owned(),
        };
        match ask(&self.data_dir, &question)? {
            Some(Answer::Created { key, private }) => Ok((key.id, private.expose().to_owned())),
            other => Err(Failure::environment(
                format!("the server made no key: {other:?}"),
                "report this as a bug",
            )),
        }
    }

    /// Makes an account of staff with this login name and these roles; the answer is the link by
    /// which it is set up, once.
    pub fn invite(&self, tenant: &TenantId, login: &str, roles: &[&str]) -> Result<String> {
        let question = Question::Staff(staff::Question::Invite {
            tenant: tenant.clone(),
            login: Some(login.to_owned()),
            name: "measurement".to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        });
        match ask(&self.data_dir, &question)? {
            Some(Answer::Staff(staff::Answer::Link { link, .. })) => Ok(link.expose().to_owned()),
            other => Err(Failure::environment(
                format!("the server made no account: {other:?}"),
                "report this as a bug",
            )),
        }
    }

    /// Processor time that it has used so far, user and system, in microseconds.
    pub fn cpu_us(&self) -> Result<u64> {
        cpu_us(&self.process.id().to_string())
    }

    /// The most memory that it has held resident so far (`VmHWM`), in bytes.
    pub fn memory_bytes_max(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        resident_max(&text).ok_or_else(|| unreadable(&path))
    }

    /// Ends it at once, as a power cut would (SIGKILL).
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for ServerChild {
    fn drop(&mut self) {
        self.end();
    }
}

/// Processor time that a process, by number or `self`, has used so far, in microseconds.
pub fn cpu_us(process: &str) -> Result<u64> {
    let path = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let ticks = cpu_ticks(&text).ok_or_else(|| unreadable(&path))?;
    Ok(ticks * TICK_US)
}

fn unreadable(path: &str) -> Failure {
    Failure::environment(format!("cannot read {path}"), "measure on Linux with /proc")
}

/// The peak of resident memory in `/proc/PID/status`, which counts in KiB.
fn resident_max(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// User and system time of a line of `/proc/PID/stat`; the name before them may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn last_words(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| {
        file.take(LAST_WORDS_BYTES_MAX as u64)
            .read_to_string(&mut text)
    });
    match read {
        Ok(0) | Err(_) => format!("it does not answer within {START_SECONDS_MAX} s"),
        Ok(_) => text.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_past_any_name() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 1 0 0 0 150 25 0 0 20 0 9 0 1";
        assert_eq!(cpu_ticks(stat), Some(175));
        assert_eq!(cpu_ticks(""), None);
    }

    #[test]
    fn the_peak_of_memory_is_read_in_bytes() {
        let status = "VmPeak:\t  900 kB\nVmHWM:\t  300000 kB\nVmRSS:\t  100 kB\n";
        assert_eq!(resident_max(status), Some(307_200_000));
        assert_eq!(resident_max("VmRSS:\t 1 kB"), None);
    }
}
