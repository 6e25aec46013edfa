//! Runs every command of docs/operations.md, docs/migrate-from-commerce-layer.md and docs/runbooks, in the order of the pages, on a deployment as docker-compose.yml describes it: with
//! `tests/e2e/docker.py` in the place of `docker`.
#![cfg(test)]

mod page;
mod shell;
mod site;

use std::{collections::BTreeSet, time::Instant};

use page::{OPERATIONS, Step, pages, read, steps};
use shell::Shell;
use site::Site;

/// Why `rekey doctor` does not run here.
const DOCTOR: &str = "it asks DNS; programs/doctor.rs has a server for that";
/// The commands that can't run here, and why.
const NOT_RUN: [(&str, &str); 20] = [
    ("PGHOST=db.example PGUSER=postgres PGDATABASE=rekey deploy/backup.sh /srv/backups", "no such host"),
    (
        "docker compose exec mailer bash -c 'exec 3<>/dev/tcp/mail.example.com/587 && head -n 1 <&3'",
        "no such host",
    ),
    ("commercelayer exports:create -t customers -x customers.json", "Commerce Layer's own"),
    ("docker builder prune --force", "Docker's own"),
    ("docker compose exec api rekey doctor --for api", DOCTOR),
    ("docker compose exec mailer rekey doctor --for mailer", DOCTOR),
    (
        "docker compose exec mailer rekey doctor --for mailer --test-mail you@shop.example --organization acme",
        DOCTOR,
    ),
    ("docker compose exec webhooks bash -c 'exec 3<>/dev/tcp/example.com/443'", "it calls a host outside"),
    ("docker compose exec webhooks rekey webhook test $ID --organization acme", "no such host"),
    ("docker compose run --rm rekey doctor --for tool", DOCTOR),
    (
        "docker compose run --rm -T rekey bounce ingest - < report.eml",
        "programs/bounces.rs has a report on a mail that was sent",
    ),
    ("docker image ls rekey", "Docker's own"),
    ("docker image prune --all --force", "Docker's own"),
    ("docker system df -v | head -n 40", "Docker's own"),
    ("git pull", "the deployment is no clone"),
    ("journalctl --vacuum-size=200M", "it would delete this machine's logs"),
    (
        "node node_modules/@commercelayer/cli-plugin-webhooks/bin/run.js webhooks:create -t customers.create -u \
         https://shop.example/hooks/rekey",
        "no such domain; tests/clients/plugin.test.js runs it",
    ),
    ("npm install @commercelayer/cli-plugin-webhooks", "in tests/clients"),
    ("kubectl exec --namespace rekey deploy/tool -- rekey", "needs Kubernetes"),
    (
        "kubectl rollout undo deployment/api deployment/mailer deployment/maintenance --namespace rekey",
        "needs Kubernetes",
    ),
];
/// What commands print, in the words of docs/operations.md.
const PRINTED: [(&str, &str); 13] = [
    ("docker compose run --rm rekey config check", "ok"),
    ("docker compose exec mailer rekey-mailer --health", r#"{"status":"ready"}"#),
    ("docker compose run --rm rekey client rotate-secret $CLIENT_ID", "CLIENT_SECRET="),
    ("docker compose run --rm rekey delivery resend $ID", "It is due again."),
    ("docker compose run --rm rekey suppression lift john@example.com --organization acme", "Lifted."),
    ("docker compose run --rm rekey dead-letter replay --all", "replayed"),
    ("docker compose run --rm --no-deps migrate", "The database is up to date."),
    ("docker compose run --rm maintenance rekey purge", "resets=0"),
    ("docker compose exec webhooks rekey-webhooks --health", r#"{"status":"ready"}"#),
    ("docker compose run --rm rekey webhook reset-circuit $ID --organization acme", "The circuit is closed."),
    ("docker compose run --rm rekey webhook replay $ID --organization acme", "It is due again."),
    ("docker compose run --rm rekey webhook replay --failed --since 3d --organization acme", "Due again: "),
    ("docker compose run --rm -T rekey audit verify --compare /dev/stdin < heads.jsonl", "intact"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_the_operators_pages_works() {
    let mut site = Site::new().await;
    let mut seen = BTreeSet::new();
    for page in pages() {
        let mut shell = Shell::start(&site);
        for step in steps(&read(&page)) {
            match step {
                Step::Environment(text) => site.append_environment(&text),
                Step::Organization(text) => site.write_settings(&text, &shell.run("echo $CLIENT_ID").stdout),
                Step::Run(command) => {
                    if !NOT_RUN.iter().any(|(other, _)| *other == command) {
                        site.before(&command, &mut shell).await;
                        let started = Instant::now();
                        let exit = shell.run(&site.here(&command));
                        println!("{:7.1} s  {page}: {command}", started.elapsed().as_secs_f64());
                        assert_eq!(exit.code, Some(0), "{page}: {command}: {exit:?}");
                        for (_, text) in PRINTED.iter().filter(|(printing, _)| *printing == command) {
                            assert!(exit.stdout.contains(text), "{page}: {command}: no {text} in {exit:?}");
                        }
                        shell.learn(&exit);
                        site.after(&command, &exit, &mut shell).await;
                    }
                    seen.insert(command);
                }
            }
        }
        site.still_sends_mails(&page).await;
        site.restore_environment();
    }
    let expected = NOT_RUN.iter().chain(&PRINTED).map(|(command, _)| *command);
    let missing: Vec<_> = expected.filter(|command| !seen.contains(*command)).collect();
    assert!(missing.is_empty(), "no page has these commands: {missing:?}");
}

#[test]
fn the_pages_say_what_commands_print_and_begin_as_the_readme_does() {
    let page = read(OPERATIONS);
    for (command, text) in PRINTED {
        assert!(page.contains(&format!("`{text}`")), "{command} prints {text}");
    }
    let start =
        |page: &str| page.split("```sh\n").find(|block| block.contains("make-secrets.sh")).map(str::to_owned);
    let block = |page: &str| start(page).unwrap().split("```").next().unwrap().to_owned();
    assert_eq!(block(&read("README.md")), block(&page));
}

#[test]
fn commands_of_kubectl_name_the_namespace() {
    for page in pages().into_iter().chain(["deploy/kubernetes/README.md".to_owned()]) {
        let text = read(&page);
        let commands = text.split(['`', '\n']).map(str::trim).filter(|part| part.starts_with("kubectl "));
        for command in commands {
            // These have it in the objects, or act on none.
            let is_free = ["apply", "create namespace", "label namespace"]
                .iter()
                .any(|verb| command.starts_with(&format!("kubectl {verb} ")));
            assert!(is_free || command.contains("--namespace rekey"), "{page}: {command}");
        }
    }
}
