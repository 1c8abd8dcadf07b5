//! PostgreSQL: a server of its own with its default settings, which commit durably, reached over its socket.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use postgres::{Client, Config, NoTls};

use crate::RECORD;
use crate::commits::Load;

/// Where Debian keeps the programs of each version; elsewhere they are looked for on the `PATH`.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The users that the server runs as where it would be root, which it refuses: the first that exists.
const USERS: [&str; 2] = ["postgres", "nobody"];

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A server with an empty table; it ends when this is dropped.
pub(crate) struct Server {
    programs: PathBuf,
    user: Option<&'static str>,
    data: PathBuf,
    sockets: PathBuf,
}

impl Server {
    /// Makes a database in the directory and starts a server on it.
    pub(crate) fn start(directory: &Path) -> Result<Self> {
        let programs = programs()?;
        let user = if rustix::process::geteuid().is_root() { Some(user()?) } else { None };
        let home = directory.canonicalize()?.join("postgresql");
        // Sockets have short names, so they have a directory of their own.
        let sockets = std::env::temp_dir().join(format!("audited-peers-{}", std::process::id()));
        let server = Self { programs, user, data: home.join("data"), sockets };
        for own in [&home, &server.sockets] {
            fs::create_dir_all(own)?;
            if let Some(user) = user {
                done(Command::new("chown").arg(user).arg(own))?;
            }
        }
        if !server.data.exists() {
            let options = ["--username=bench", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
            done(server.program("initdb").args(options).arg("--pgdata").arg(&server.data))?;
        }
        let mut settings = OsString::from("-c listen_addresses='' -k ");
        settings.push(&server.sockets);
        let log = home.join("log");
        done(server.control().arg("--log").arg(log).arg("--options").arg(settings).arg("--no-wait").arg("start"))?;
        let mut client = server.wait()?;
        client.batch_execute(
            "DROP TABLE IF EXISTS records; CREATE TABLE records (number BIGSERIAL PRIMARY KEY, record TEXT NOT NULL)",
        )?;
        Ok(server)
    }

    /// Returns the transactions of one second: one insert in each, one connection for each thread.
    pub(crate) fn round(&self, load: &Load) -> Result<f64> {
        self.connect()?.batch_execute("TRUNCATE records; CHECKPOINT")?;
        let mut committers = Vec::new();
        for _ in 0..load.threads {
            let mut client = self.connect()?;
            let insert = client.prepare("INSERT INTO records (record) VALUES ($1)")?;
            committers.push(move || {
                client.execute(&insert, &[&RECORD])?;
                Ok(())
            });
        }
        load.run(committers)
    }

    /// Waits until the server answers, and makes sure that it commits durably.
    fn wait(&self) -> Result<Client> {
        let start = Instant::now();
        let mut client = loop {
            match self.connect() {
                Ok(client) => break client,
                Err(fault) if start.elapsed() > START_TIMEOUT => return Err(fault),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        for setting in ["fsync", "synchronous_commit"] {
            let value: String = client.query_one(&format!("SHOW {setting}"), &[])?.try_get(0)?;
            if value != "on" {
                bail!("expected {setting} to be on, found {value}");
            }
        }
        Ok(client)
    }

    fn connect(&self) -> Result<Client> {
        let mut config = Config::new();
        config.host_path(&self.sockets).user("bench").dbname("postgres");
        config.connect(NoTls).context("the server does not answer")
    }

    fn control(&self) -> Command {
        let mut command = self.program("pg_ctl");
        command.arg("--pgdata").arg(&self.data).arg("--silent");
        command
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let Some(user) = self.user else { return Command::new(path) };
        let mut command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", &group_of(user), "--clear-groups"]).arg(path).current_dir("/");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone_anyway = done(self.control().args(["--mode=immediate", "stop"]));
        let _left_behind = fs::remove_dir_all(&self.sockets);
    }
}

/// Runs a command to its end.
fn done(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?} cannot be run"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Returns the version of the server, as it says itself.
pub(crate) fn version() -> Result<String> {
    let output = Command::new(programs()?.join("postgres")).arg("--version").output()?;
    let text = String::from_utf8(output.stdout)?;
    text.split(' ').nth(2).map(|version| version.trim().to_owned()).context("the server tells no version")
}

/// Returns the directory of the newest version's programs.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .filter(|(_, programs)| programs.join("initdb").exists())
        .collect();
    found.sort();
    let on_path = || std::env::split_paths(&std::env::var_os("PATH")?).find(|place| place.join("initdb").exists());
    let newest = found.pop().map(|(_, programs)| programs).or_else(on_path);
    newest.context("PostgreSQL is not installed: on Debian, `apt-get install postgresql`")
}

fn user() -> Result<&'static str> {
    let known = fs::read_to_string("/etc/passwd")?;
    let is_known = |user: &&str| known.lines().any(|line| line.split(':').next() == Some(*user));
    USERS.into_iter().find(is_known).with_context(|| format!("expected one of the users {USERS:?}, found none"))
}

/// Returns the number of the user's own group.
fn group_of(user: &str) -> String {
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = known.lines().find(|line| line.split(':').next() == Some(user));
    line.and_then(|line| line.split(':').nth(3)).unwrap_or("nogroup").to_owned()
}
