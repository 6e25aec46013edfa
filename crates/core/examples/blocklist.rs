//! Makes the list of common passwords: `blocklist OUTPUT LIST…`. A list is a text with a password a line, or a JSON array.
//! `make blocklist` fetches the lists and runs this.

use std::{env, fs, path::Path};

use rekey_core::passwords::blocklist;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let mut arguments = env::args_os().skip(1);
    let output = arguments.next().ok_or("usage: blocklist OUTPUT LIST…")?;
    let mut passwords = Vec::new();
    for list in arguments {
        passwords.extend(read(Path::new(&list))?);
    }
    let list = blocklist::build(passwords.iter().map(String::as_str))?;
    fs::write(output, list)?;
    Ok(())
}

fn read(list: &Path) -> Outcome<Vec<String>> {
    let text = fs::read_to_string(list)?;
    Ok(if list.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text)?
    } else {
        text.lines().map(str::to_owned).collect()
    })
}
