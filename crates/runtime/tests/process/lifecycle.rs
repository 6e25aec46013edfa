//! Signals, failures and exit codes.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use crate::{
    Check,
    child::{Exit, Role, play},
    roles::SECRET,
};

pub const CHECKS: &[Check] = &[
    ("a_signal_drains_the_tasks", a_signal_drains_the_tasks),
    ("a_signal_that_nobody_waits_for_yet_is_remembered", a_signal_that_nobody_waits_for_yet_is_remembered),
    ("a_second_signal_ends_the_process_at_once", a_second_signal_ends_the_process_at_once),
    ("a_task_that_does_not_stop_is_named", a_task_that_does_not_stop_is_named),
    ("a_task_that_fails_or_ends_stops_the_rest", a_task_that_fails_or_ends_stops_the_rest),
    ("a_panic_is_logged_without_its_message", a_panic_is_logged_without_its_message),
    ("a_wrong_configuration_is_one_line_and_code_2", a_wrong_configuration_is_one_line_and_code_2),
    ("a_variable_that_is_not_text_is_named", a_variable_that_is_not_text_is_named),
    ("a_failed_start_is_one_line_and_code_1", a_failed_start_is_one_line_and_code_1),
];

pub const DATABASE: (&str, &str) = ("REKEY__DATABASE__URL", "postgres://localhost/rekey");

fn a_signal_drains_the_tasks() {
    for signal in ["TERM", "INT"] {
        let mut role = Role::start("steady", &[DATABASE]);
        assert_eq!(role.line(), "ready");
        role.signal(signal);
        let Exit { code, stdout, stderr } = role.end();
        assert_eq!((code, stdout.as_str()), (Some(0), "drained\n"), "{stderr}");
        assert!(stderr.contains(&format!("\"signal\":\"SIG{signal}\"")), "{stderr}");
    }
}

fn a_signal_that_nobody_waits_for_yet_is_remembered() {
    let mut role = Role::start("early", &[DATABASE]);
    assert_eq!(role.line(), "ready");
    role.signal("TERM");
    let Exit { code, stdout, stderr } = role.end();
    assert_eq!((code, stdout.as_str()), (Some(0), "drained\n"), "{stderr}");
}

fn a_second_signal_ends_the_process_at_once() {
    for (signal, expected) in [("TERM", 143), ("INT", 130)] {
        let mut role = Role::start("stubborn", &[DATABASE]);
        assert_eq!(role.line(), "ready");
        role.signal("TERM");
        assert_eq!(role.line(), "drained");
        role.signal(signal);
        let Exit { code, stderr, .. } = role.end();
        assert_eq!(code, Some(expected), "{stderr}");
        // The drained task may not have been joined yet: it comes after the relay.
        assert!(stderr.contains("\"running\":\"relay"), "{stderr}");
    }
}

fn a_task_that_does_not_stop_is_named() {
    let mut role = Role::start("stuck", &[DATABASE]);
    assert_eq!(role.line(), "ready");
    role.signal("TERM");
    let Exit { code, stderr, .. } = role.end();
    assert_eq!(code, Some(1));
    assert_eq!(stderr.matches("still running at the end of the time to stop: relay").count(), 1, "{stderr}");
}

fn a_task_that_fails_or_ends_stops_the_rest() {
    for (role, expected) in [
        ("failing", "\"message\":\"the task relay failed\",\"cause\":\"no broker\""),
        ("exit", "\"message\":\"the task relay ended before the program was stopped\""),
        ("panicking", "\"message\":\"the task relay panicked\""),
    ] {
        let Exit { code, stdout, stderr } = play(role, &[DATABASE]);
        assert_eq!(code, Some(1), "{role}");
        assert!(stdout.contains("drained"), "{role}");
        assert_eq!(stderr.matches(expected).count(), 1, "{role}: {stderr}");
        assert!(stderr.lines().all(|line| line.starts_with('{')), "{role}: {stderr}");
    }
}

fn a_panic_is_logged_without_its_message() {
    let Exit { stderr, .. } = play("panicking", &[DATABASE, ("REKEY__TELEMETRY__LOG", "trace")]);
    let line = stderr.lines().find(|line| line.contains("\"message\":\"panicked\"")).unwrap();
    assert!(line.contains("\"level\":\"ERROR\"") && line.contains("roles.rs:"), "{line}");
    assert!(!stderr.contains(SECRET), "{stderr}");
}

fn a_wrong_configuration_is_one_line_and_code_2() {
    let missing = "rekey-role: configuration: database.url is missing: set it in the file, or as \
                   REKEY__DATABASE__URL or REKEY__DATABASE__URL_FILE\n";
    let Exit { code, stderr, .. } = play("steady", &[] as &[(&str, &str)]);
    assert_eq!((code, stderr.as_str()), (Some(2), missing));
    let unknown = "rekey-role: configuration: unknown key database.uri (from REKEY__DATABASE__URI)\n";
    let Exit { code, stderr, .. } = play("steady", &[DATABASE, ("REKEY__DATABASE__URI", "x")]);
    assert_eq!((code, stderr.as_str()), (Some(2), unknown));
}

fn a_variable_that_is_not_text_is_named() {
    let bytes = OsStr::from_bytes(b"postgres://\xff");
    let Exit { code, stderr, .. } = play("steady", &[(DATABASE.0, bytes)]);
    let expected = "rekey-role: configuration: REKEY__DATABASE__URL is not UTF-8\n";
    assert_eq!((code, stderr.as_str()), (Some(2), expected));
    let Exit { code, stderr, .. } = play("traced", &[("LANG", bytes), (DATABASE.0, OsStr::new(DATABASE.1))]);
    assert_eq!(code, Some(0), "{stderr}");
}

fn a_failed_start_is_one_line_and_code_1() {
    let Exit { code, stderr, .. } = play("start", &[DATABASE]);
    assert_eq!(
        (code, stderr.as_str()),
        (Some(1), "rekey-role: can't reach the database: no route to host\n")
    );
}
