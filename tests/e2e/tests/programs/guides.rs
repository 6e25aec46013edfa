//! Tests the guides in `docs`: their scripts, links and variables.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use rekey_e2e::{dev::Dev, mail::Link, process::project};
use reqwest::StatusCode;
use tempfile::TempDir;

/// The pages for newcomers and operators.
const PAGES: [&str; 31] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "deploy/kubernetes/README.md",
    "deploy/organizations/README.md",
    "docs/ARCHITECTURE.md",
    "docs/evidence.md",
    "docs/integration.md",
    "docs/look.md",
    "docs/migrate-from-commerce-layer.md",
    "docs/operations.md",
    "docs/reference.md",
    "docs/runbooks/README.md",
    "docs/runbooks/api.md",
    "docs/runbooks/broker-alarm.md",
    "docs/runbooks/disk-full.md",
    "docs/runbooks/failed-migration.md",
    "docs/runbooks/leaked-secret.md",
    "docs/runbooks/lost-sealing-key.md",
    "docs/runbooks/mails.md",
    "docs/runbooks/maintenance.md",
    "docs/runbooks/relay-refuses.md",
    "docs/runbooks/restore.md",
    "docs/runbooks/roll-back.md",
    "docs/runbooks/start.md",
    "docs/runbooks/webhooks.md",
    "docs/scaling.md",
    "docs/storefront.md",
    "docs/webhooks.md",
    "examples/storefront/README.md",
];

#[test]
fn the_evidence_is_made_from_what_was_measured() {
    let check = Command::new(project().join("scripts/evidence.py")).arg("--check").output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

#[tokio::test]
async fn the_scripts_in_the_guides_work() {
    let data = TempDir::new().unwrap();
    let dev = Dev::start(data.path()).await;
    let scripts = Scripts::of(&["docs/storefront.md", "docs/integration.md"], &dev);

    let asked = scripts.run("forgot.mjs", &["john@example.com", "de"]).await;
    assert!(asked.starts_with("If john@example.com has an account, a mail is on its way ("), "{asked}");
    let mail = dev.mails(1).await.remove(0);
    assert_eq!(mail["subject"], "Neues Passwort für Demo Shop festlegen");
    let link = Link::find(mail["text"].as_str().unwrap()).url;

    let common = scripts.run("set.mjs", &[&link, "password123"]).await;
    assert!(
        common.starts_with("422 customer_password too_common is too common [ 'common_password', "),
        "{common}"
    );
    let changed = scripts.run("set.mjs", &[&link, "five purple hats"]).await;
    assert_eq!(changed, "Your password was changed.\n");
    dev.log_in("five purple hats").await.expect(StatusCode::OK);
    let dead = scripts.run("set.mjs", &[&link, "six purple hats!"]).await;
    assert_eq!(dead, "422 _reset_password_token invalid is invalid []\n");

    let delivered = scripts.run("office.mjs", &["john@example.com"]).await;
    assert_eq!(delivered, "reset_requested sent\n");

    let moved =
        scripts.run("change.mjs", &["john@example.com", "five purple hats", "johnny@example.com"]).await;
    assert_eq!(moved, "Your address was changed.\n");
}

#[test]
fn every_link_in_the_pages_has_a_target() {
    let mut missing = Vec::new();
    for page in PAGES {
        let path = project().join(page);
        let text = fs::read_to_string(&path).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let images = text.split(" src=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for target in targets.chain(images).filter(|target| !target.starts_with("http")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let linked = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            if !linked.exists() || !heading.is_empty() && !headings(&linked).contains(heading) {
                missing.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The table of threats names tests by the beginning of their names.
#[test]
fn every_test_that_holds_a_threat_is_there() {
    let page = fs::read_to_string(project().join("SECURITY.md")).unwrap();
    let tests = page.split('[').skip(1).filter_map(|link| link.split_once(')')?.0.split_once("]("));
    let named: Vec<_> = tests
        .filter(|(_, file)| Path::new(file).extension().is_some_and(|extension| extension == "rs"))
        .collect();
    assert!(named.len() > 40, "{named:?}");
    for (name, file) in named {
        let code = fs::read_to_string(project().join(file)).unwrap();
        assert!(
            code.contains(&format!("fn {name}_")) || code.contains(&format!("fn {name}(")),
            "{name} in {file}"
        );
    }
}

/// Returns the anchors of a page's headings: lower case, with hyphens for spaces and without punctuation.
fn headings(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let titles =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |title: &str| {
        let kept = title.chars().filter(|each| each.is_alphanumeric() || " -_".contains(*each));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    titles.map(anchor).collect()
}

#[test]
fn variables_that_the_operators_pages_name_are_in_the_compose_file() {
    let pages = ["docs/operations.md", "docs/reference.md"];
    let guide = pages.map(|page| fs::read_to_string(project().join(page)).unwrap()).join("\n");
    let compose = fs::read_to_string(project().join("docker-compose.yml")).unwrap();
    let named = guide.split('`').filter(|code| code.starts_with("REKEY_") && !code.starts_with("REKEY__"));
    let variables: Vec<_> =
        named.filter_map(|code| code.split('=').next()).filter(|name| *name != "REKEY_CONFIG").collect();
    assert!(variables.len() > 8, "{variables:?}");
    for name in variables {
        assert!(compose.contains(&format!("${{{name}:-")), "{name}");
    }
}

/// The scripts of some guides, written next to the vendor's clients.
pub struct Scripts {
    pub folder: TempDir,
    pub environment: BTreeMap<String, String>,
}

impl Scripts {
    /// Writes each block of JavaScript whose first line is a comment with a file's name to that file.
    pub fn of(guides: &[&str], dev: &Dev) -> Self {
        let folder = TempDir::new().unwrap();
        let modules = project().join("examples/storefront/node_modules");
        assert!(modules.exists(), "the clients are not there: scripts/setup.sh installs them");
        std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
        for guide in guides {
            let text = fs::read_to_string(project().join(guide)).unwrap();
            for block in text.split("```js\n").skip(1).filter_map(|rest| rest.split("```").next()) {
                let first = block.lines().next().and_then(|line| line.strip_prefix("// "));
                let name = first.and_then(|line| line.split([' ', ':']).next()).unwrap();
                write(folder.path(), name, block);
            }
        }
        let mut environment = dev.env.clone();
        environment.insert("REKEY_URL".to_owned(), dev.api.url.clone());
        Self { folder, environment }
    }

    /// Runs a script, and returns what it prints.
    pub async fn run(&self, name: &str, arguments: &[&str]) -> String {
        let mut node = Command::new("node");
        node.arg(name).args(arguments).current_dir(self.folder.path()).envs(&self.environment);
        let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn write(folder: &Path, name: &str, content: &str) {
    assert!(!name.contains('/'), "{name}");
    fs::write(folder.join(name), content).unwrap();
}
