//! The same windows on PostgreSQL: one indexed query per aggregate, prepared once. Asked one by one
//! from outside, as a service would, and all of them by one function inside the server.

use super::world::{KINDS, WINDOWS, World};
use crate::failure::{Failure, Result};
use crate::private::Scratch;
use paywarden_features::FeatureEvent;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Stops the server by its process number when the pipe from here closes, however we end.
const GUARD: &str = r#""$@" & server=$!; cat > /dev/null; kill -INT $server; wait $server"#;
const TRIES: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// A private server, gone with this value.
pub struct Postgres {
    programs: String,
    scratch: Scratch,
    guard: Child,
}

/// What one payment got: its values in the order of the windows, and how long that took.
pub struct Asked {
    /// -1 where there is none.
    pub values: Vec<i64>,
    pub took_us: f64,
}

impl Postgres {
    /// Starts the newest installed version; none if there is none.
    pub fn start() -> Result<Option<Self>> {
        let Some(programs) = programs() else {
            return Ok(None);
        };
        let scratch = Scratch::new()?;
        let folder = scratch.path().display().to_string();
        let data = format!("{folder}/data");
        let prefix = prefix(&folder)?;
        let mut make = Command::new(prefix[0]);
        make.args(&prefix[1..]).arg(format!("{programs}/initdb"));
        make.args(["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]);
        succeeded(make.args(["--locale=C", "-N"]).output(), "initdb")?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .args(prefix)
            .arg(format!("{programs}/postgres"))
            .args(["-D", &data, "-k", &folder, "-c", "listen_addresses="])
            .args(["-c", "shared_buffers=512MB", "-c", "jit=off"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failure("postgres", &error))?;
        let server = Self {
            programs,
            scratch,
            guard,
        };
        for _ in 0..TRIES {
            if server.run("SELECT 1").is_ok() {
                return Ok(Some(server));
            }
            std::thread::sleep(PAUSE);
        }
        Err(failure("postgres", &"it does not answer"))
    }

    /// Copies the payments of a world into a table with a covering index for each entity.
    pub fn load(&self, world: &World) -> Result<()> {
        let mut script = String::from("CREATE TABLE events (at bigint, amount bigint, ");
        script += "country smallint, mcc smallint";
        for place in 0..KINDS.len() {
            let _ = write!(script, ", e{place} bigint");
        }
        script += ");\nCOPY events FROM stdin;\n";
        for number in 1..=world.events {
            let event = world.event(number);
            let amount = event.amount.unwrap_or(0);
            let _ = write!(script, "{}\t{amount}", event.at);
            let _ = write!(script, "\t{}\t{}", event.country, event.mcc);
            for kind in KINDS {
                let _ = write!(script, "\t{}", event.entity(kind) as i64);
            }
            script.push('\n');
        }
        script += "\\.\n";
        for place in 0..KINDS.len() {
            let _ = writeln!(
                script,
                "CREATE INDEX ON events (e{place}, at) INCLUDE (amount, country, mcc);"
            );
        }
        script += "VACUUM ANALYZE events;\n";
        script += &function();
        self.run(&script).map(drop)
    }

    /// Asks all windows of some payments, one prepared statement and one answer after the other.
    pub fn ask_each(&self, events: &[FeatureEvent]) -> Result<Vec<Asked>> {
        let mut script = String::new();
        let queries: Vec<(usize, String)> = queries("$1", "$2").collect();
        for (number, (_, query)) in queries.iter().enumerate() {
            let _ = writeln!(script, "PREPARE q{number}(bigint, bigint) AS {query};");
        }
        script += "\\timing on\n";
        for event in events {
            for (number, (place, _)) in queries.iter().enumerate() {
                let key = event.entity(KINDS[*place]) as i64;
                let _ = writeln!(script, "EXECUTE q{number}({key}, {});", event.at);
            }
        }
        let answers = self.run(&script)?;
        let (times, values): (Vec<_>, Vec<_>) =
            answers.lines().partition(|line| line.starts_with("Time:"));
        let values: Option<Vec<i64>> = values.iter().map(|line| line.parse().ok()).collect();
        let times: Option<Vec<f64>> = times.iter().map(|line| milliseconds(line)).collect();
        let (values, times) = values
            .zip(times)
            .filter(|(values, times)| values.len() == times.len())
            .ok_or_else(|| failure("psql", &"its answer cannot be read"))?;
        let asked = values
            .chunks(queries.len())
            .zip(times.chunks(queries.len()));
        Ok(asked
            .map(|(values, times)| Asked {
                values: values.to_vec(),
                took_us: times.iter().sum::<f64>() * 1000.0,
            })
            .collect())
    }

    /// Asks all windows of some payments by one call each.
    pub fn ask(&self, events: &[FeatureEvent]) -> Result<Vec<Asked>> {
        let mut script = String::new();
        for event in events {
            let keys: Vec<String> = KINDS
                .iter()
                .map(|kind| (event.entity(*kind) as i64).to_string())
                .collect();
            let keys = keys.join(",");
            let _ = writeln!(script, "SELECT ask(ARRAY[{keys}]::bigint[], {});", event.at);
        }
        let answers = self.run(&script)?;
        let parsed = answers.lines().map(|line| {
            let numbers = line.trim_matches(['{', '}']).split(',');
            let mut numbers = numbers.map(|number| number.parse::<i64>().ok());
            let took = numbers.next().flatten()?;
            let values = numbers.collect::<Option<Vec<i64>>>()?;
            Some(Asked {
                values,
                took_us: took as f64,
            })
        });
        parsed
            .collect::<Option<_>>()
            .ok_or_else(|| failure("psql", &"its answer cannot be read"))
    }

    /// Runs a script; returns what it prints.
    fn run(&self, script: &str) -> Result<String> {
        let mut child = Command::new(format!("{}/psql", self.programs))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
            .args(["-U", "postgres", "-d", "postgres", "-h"])
            .arg(self.scratch.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failure("psql", &error))?;
        let input = child.stdin.take();
        let output = std::thread::scope(|scope| {
            let writer = scope.spawn(|| input.map(|mut input| input.write_all(script.as_bytes())));
            let output = child.wait_with_output();
            drop(writer.join());
            output
        });
        succeeded(output, "psql")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        drop(self.guard.wait());
    }
}

/// A function that asks one statement per aggregate, each planned once, and says how long all of
/// them took.
fn function() -> String {
    let mut text = String::from(
        "CREATE FUNCTION ask(keys bigint[], t bigint) RETURNS bigint[] LANGUAGE plpgsql AS $$\n\
         DECLARE began timestamptz := clock_timestamp(); v bigint; r bigint[] := '{}';\nBEGIN\n",
    );
    for (place, query) in queries("keys[place]", "t") {
        let query = query.replace("keys[place]", &format!("keys[{}]", place + 1));
        let _ = writeln!(text, "v := ({query}); r := r || v;");
    }
    text += "RETURN (extract(epoch FROM clock_timestamp() - began) * 1000000)::bigint || r;\n";
    text + "END $$;\n"
}

/// One query per aggregate, in the order of the windows, with the place of its entity.
fn queries(key: &str, at: &str) -> impl Iterator<Item = (usize, String)> {
    let aggregates = [
        "count(*)",
        "coalesce(sum(amount), 0)",
        "coalesce(round(avg(amount)), -1)",
        "coalesce(max(amount), -1)",
        "count(DISTINCT country)",
        "count(DISTINCT mcc)",
    ];
    let windows = (0..KINDS.len()).flat_map(|place| WINDOWS.map(|older| (place, older)));
    windows.flat_map(move |(place, older)| {
        aggregates.map(|aggregate| {
            let query = format!(
                "SELECT ({aggregate})::bigint FROM events WHERE e{place} = {key} \
                 AND at > {at} - {older} AND at <= {at}"
            );
            (place, query)
        })
    })
}

/// The number of a line that says how long a statement took.
fn milliseconds(line: &str) -> Option<f64> {
    line.strip_prefix("Time: ")?.split(' ').next()?.parse().ok()
}

/// What to put before a command of the server, which refuses to run as root.
fn prefix(folder: &str) -> Result<&'static [&'static str]> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        return Ok(&["env"]);
    }
    let given = Command::new("chown").args(["postgres", folder]).output();
    succeeded(given, "chown")?;
    Ok(&[
        "setpriv",
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
    ])
}

fn programs() -> Option<String> {
    let versions = (13..=18).rev();
    let mut folders = versions.map(|version| format!("/usr/lib/postgresql/{version}/bin"));
    folders.find(|folder| Path::new(folder).join("initdb").exists())
}

fn succeeded(output: std::io::Result<Output>, program: &str) -> Result<String> {
    let output = output.map_err(|error| failure(program, &error))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(failure(program, &String::from_utf8_lossy(&output.stderr))),
    }
}

fn failure(program: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::environment(
        format!("{program}: {error}"),
        "the anchor of this bench is a private PostgreSQL server; leave it out with --no-anchor",
    )
}
