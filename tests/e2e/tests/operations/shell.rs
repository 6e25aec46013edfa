//! The reader's shell.

use std::{
    fs,
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use rekey_e2e::process::{Exit, binary};

use crate::site::Site;

/// A shell in the folder of docker-compose.yml.
pub struct Shell {
    bash: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    screen: PathBuf,
}

impl Shell {
    pub fn start(site: &Site) -> Self {
        let mut command = Command::new("bash");
        let screen = site.path("state/screen");
        let programs = binary("rekey").parent().unwrap().to_owned();
        command.envs([("SITE", site.path("site")), ("STATE", site.path("state")), ("BIN", site.path("bin"))]);
        command.envs([
            ("SCREEN", &screen),
            ("KEYBOARD", &site.path("state/keyboard")),
            ("PROGRAMS", &programs),
        ]);
        let piped = command.current_dir(site.path("site")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut bash = piped.spawn().unwrap();
        let (input, output) =
            (bash.stdin.take().unwrap(), BufReader::new(bash.stdout.take().unwrap()).lines());
        let mut shell = Self { bash, input, output, screen };
        shell.run("PATH=$BIN:$PROGRAMS:$PATH; shopt -s expand_aliases");
        shell
    }

    /// Runs a command to its end.
    pub fn run(&mut self, command: &str) -> Exit {
        let files = r#">"$SCREEN" 2>"$SCREEN.errors" <"$KEYBOARD""#;
        writeln!(self.input, "{{\n{command}\n}} {files}\necho $?").unwrap();
        let code = self.output.next().unwrap().unwrap().parse().ok();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        Exit { code, stdout: read(&self.screen), stderr: read(&self.screen.with_extension("errors")) }
    }

    /// Sets the variables of the pages to what a command has printed, as docs/operations.md asks its reader to.
    pub fn learn(&mut self, exit: &Exit) {
        let lines: Vec<_> = exit.stdout.lines().collect();
        let after =
            |start: &str| lines.iter().find_map(|line| line.strip_prefix(start)?.split_whitespace().next());
        // Of a table with this title, the id in the first row.
        let first = |title: &str| {
            let row = lines.get(1).filter(|_| exit.stdout.starts_with(title));
            row.and_then(|row| row.split_whitespace().next())
        };
        let added = exit.stderr.strip_prefix("Key ").and_then(|text| text.split_once(". "));
        let learned = [
            after("CLIENT_ID=").map(|id| format!("CLIENT_ID={id}")),
            after("CLIENT_SECRET=").map(|secret| format!("CLIENT_SECRET={secret}")),
            // Unless it is set.
            first("CLIENT ID ").map(|id| format!("CLIENT_ID=${{CLIENT_ID:-{id}}}")),
            first("ID ").map(|id| format!("ID={id}")),
            after("signing ").map(|id| format!("OLD={id}")),
            added.map(|(id, _)| format!("NEW={id}")),
            lines.first().filter(|line| line.starts_with('/')).map(|backup| format!("FILE={backup}")),
        ];
        for assignment in learned.iter().flatten() {
            self.run(assignment);
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.bash.kill();
        let _ = self.bash.wait();
    }
}
