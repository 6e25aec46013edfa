//! What each key may be.

use std::{num::NonZeroU32, time::Duration};

use rekey_core::scope::Mode;

use super::*;

#[test]
fn integers_are_held_to_their_bounds() {
    for (key, least, most) in [
        ("server.max_body_bytes", 1024, 10_485_760),
        ("server.idempotency_key_seconds", 60, 604_800),
        ("server.keep_alive_seconds", 1, 3600),
        ("server.shutdown_seconds", 1, 600),
        ("auth.integration_token_seconds", 60, 86_400),
        ("auth.sales_channel_token_seconds", 60, 86_400),
        ("auth.refresh_token_seconds", 3600, 7_776_000),
        ("auth.session_max_seconds", 3600, 31_536_000),
        ("auth.refresh_leeway_seconds", 0, 60),
        ("auth.fresh_seconds", 0, 86_400),
        ("auth.password_guesses", 1, 100),
        ("database.max_connections", 1, 1000),
        ("database.acquire_timeout_seconds", 1, 60),
        ("relay.batch", 1, 1000),
        ("relay.lease_seconds", 5, 600),
        ("relay.poll_milliseconds", 50, 60_000),
        ("passwords.argon2_memory_kib", 19_456, 1_048_576),
        ("passwords.argon2_iterations", 1, 16),
        ("passwords.argon2_parallelism", 1, 16),
        ("passwords.hashing_threads", 0, 256),
        ("passwords.hashing_queue", 1, 10_000),
        ("resets.token_life_seconds", 60, 604_800),
        ("resets.self_service_cooldown_seconds", 0, 3600),
        ("resets.self_service_budget", 1, 1000),
        ("resets.self_service_window_seconds", 60, 604_800),
        ("resets.code_guesses", 1, 100),
        ("resets.code_guesses_window_seconds", 60, 604_800),
        ("limits.token_per_minute", 0, 1_000_000),
        ("limits.live_per_minute", 0, 1_000_000),
        ("limits.test_per_minute", 0, 1_000_000),
        ("limits.sales_channel_per_minute", 0, 1_000_000),
        ("limits.page_per_minute", 0, 1_000_000),
        ("smtp.timeout_seconds", 1, 300),
        ("smtp.connections", 1, 256),
        ("mailer.concurrency", 1, 1000),
        ("webhooks.concurrency", 1, 1000),
        ("webhooks.webhook_concurrency", 1, 100),
        ("webhooks.organization_concurrency", 1, 1000),
    ] {
        let set = |number: i64| {
            // A key that depends on another is tried with a value of the other that allows it.
            let other = match key {
                "passwords.argon2_iterations" => ("passwords.argon2_memory_kib", "1048576"),
                _ => ("relay.lease_seconds", "30"),
            };
            let number = number.to_string();
            let own = (key, number.as_str());
            with(&if other.0 == key { vec![own] } else { vec![other, own] })
        };
        for number in [least, most] {
            load(&set(number)).unwrap_or_else(|error| panic!("{key} = {number}: {error}"));
        }
        for number in [least - 1, most + 1, -1, i64::MIN, i64::MAX] {
            let found = format!("configuration: {key} is {number} (from {})", variable(key));
            assert_eq!(error(&set(number)), format!("{found}, expected an integer from {least} to {most}"));
        }
    }
}

#[test]
fn texts_are_held_to_their_form() {
    let two_keys = PEM.repeat(2);
    for (key, good, bad) in [
        ("server.listen", &["0.0.0.0:80", "[::]:80"][..], &["localhost:80", "80", "1.2.3.4"][..]),
        (
            "admin.listen",
            &["", "off", "127.0.0.1:0", "[::]:9464"],
            &["127.0.0.1", ":80", "on", "localhost:80"],
        ),
        (
            "server.public_url",
            &[
                "https://shop.example.com",
                "https://shop.example.com/",
                "http://[::1]:8080",
                "http://127.0.0.1",
                "http://localhost:8080",
            ],
            &[
                // A9: links with tokens begin with it.
                "http://shop.example.com",
                "http://192.0.2.1:8080",
                "http://10.0.0.1",
                "http://0.0.0.0",
                "http://localhost.example.com",
                "shop.example.com",
                "ftp://a.b",
                "https://a.b/c",
                "https://a.b?c",
                "https://a.b/#c",
                "https://u:p@a.b",
                "https://",
            ],
        ),
        ("server.trusted_proxies", &["", "10.0.0.0/8,::1,fd00::/8"], &["10.0.0.0/33", "proxy", "*"]),
        ("webhooks.allowed_networks", &["", "10.20.0.0/16,::1"], &["10.0.0.0/33", "receiver.example"]),
        ("server.forwarded_header", &["x-forwarded-for", "forwarded"], &["X-Forwarded-For", "x-real-ip"]),
        (
            "auth.domain",
            &["example.com", "rekey.localhost"],
            &["Example.com", "a..b", "a/b", "-a.b", "a.b:80", "ä.de"],
        ),
        ("brand.support_phone", &["", "+39 02 1234567"], &["1\n2"]),
        (
            "brand.logo_url",
            &["", "https://cdn.example/logo.svg?v=1", "http://localhost/l.png"],
            &["http://cdn.example/l.png", "/l.png", "javascript:1", "data:image/png;base64,AA=="],
        ),
        ("brand.favicon_url", &["", "https://cdn.example/f.ico"], &["f.ico", "https://u:p@cdn.example/f"]),
        ("brand.domain", &["", "shop.example"], &["https://shop.example", "a b"]),
        ("broker.namespace", &["a", "a.b_c-1"], &["A", "a b", "a/b"]),
        ("mail.envelope_from", &["", "bounces@shop.example.com"], &["Bounces <b@shop.example.com>", "<>"]),
        (
            "mail.bounce_domain",
            &["", "bounces.shop.example"],
            &["bounces@shop.example", "Bounces.example", "a b"],
        ),
        ("bounces.listen", &["", "127.0.0.1:8083"], &["8083", "off", "localhost:80"]),
        (
            "bounces.ses_topics",
            &["", "arn:aws:sns:eu-west-1:123456789012:b, arn:aws-cn:sns:cn-north-1:1:B_1.fifo"],
            &[
                "bounces",
                "arn:aws:sqs:eu-west-1:1:b",
                "arn:aws:sns:eu.evil:1:b",
                "arn:aws:sns:eu-west-1:1:",
                ",",
            ],
        ),
        ("bounces.sendgrid_public_key", &["", SENDGRID], &["no key", "MFkw", PEM]),
        (
            "bounces.postmark_login",
            &["", "user:a-password-of-22-chars"],
            &["user", "user:short", ":a-password-of-22-chars"],
        ),
        ("bounces.mailgun_signing_key", &["", "0123456789abcdef"], &["0123456789abcde", "0123456789 abcdef"]),
        ("dkim.private_key", &["", PEM], &["secret", "-----BEGIN PUBLIC KEY-----", &two_keys]),
        ("dkim.selector", &["rekey", "2026.rekey"], &["a b", "_a", "a;b"]),
        ("dkim.domain", &["", "example.com"], &["Example.com", "a b", "a;b"]),
        ("smtp.helo_name", &["", "rekey.example.com"], &["a b", "a\r\nMAIL FROM:<x>"]),
        ("mail.reply_to", &["", "help@example.com"], &["help"]),
        ("passwords.profile", &["single_factor", "multi_factor"], &["mfa", "SINGLE_FACTOR"]),
        ("passwords.min_length", &["0", "8", "64"], &["1", "7", "65", "-1", "eight"]),
        (
            "telemetry.log",
            &["debug", "info,rekey_mailer=trace"],
            &["rekey=loud", "a=b=c", "loud", "info,rekey_mailer"],
        ),
        ("telemetry.log_format", &["text"], &["pretty"]),
        (
            "telemetry.otlp_endpoint",
            &["", "http://collector:4318", "https://c/base/"],
            &["collector:4318", "http://u:p@c", "grpc://c"],
        ),
        ("telemetry.service_namespace", &["shop"], &[]),
    ] {
        assert_form(key, good, bad);
    }
    for key in ["broker.namespace", "telemetry.service_namespace"] {
        assert!(load(&with(&[(key, &"a".repeat(64))])).is_ok());
        assert!(error(&with(&[(key, &"a".repeat(65))])).contains(key));
    }
}

/// C11: what a password manager, an editor or a web page leaves in a setting is not to be seen.
#[test]
fn an_invisible_character_in_a_setting_is_named() {
    for (key, value, name) in [
        ("broker.url", "\u{feff}amqp://h/v", "a byte order mark (U+FEFF)"),
        ("broker.url", "amqp://u:marker\u{a0}@h/v", "a no-break space (U+00A0)"),
        ("database.url", "postgres://u:marker@h/d\u{200b}", "an invisible character (U+200B)"),
        ("database.url", "postgres://u:marker@h/d\r", "a carriage return (U+000D)"),
        ("smtp.relays", "\u{feff}smtp://u:marker@mail.example", "a byte order mark (U+FEFF)"),
        ("smtp.relays", "smtp://u:marker@mail.example\u{a0}", "a no-break space (U+00A0)"),
        ("keys.sealing", &format!("\u{feff}{SEALING}"), "a byte order mark (U+FEFF)"),
        ("auth.signing_key", &format!("\u{feff}{PEM}"), "a byte order mark (U+FEFF)"),
        ("auth.domain", "shop.example\r", "a carriage return (U+000D)"),
        ("mail.from", "Shop\u{200b} <shop@example.com>", "an invisible character (U+200B)"),
    ] {
        let line = error(&with(&[(key, value)]));
        assert!(line.ends_with(&format!("; it contains {name}: remove it")), "{line}");
        assert!(line.starts_with(&format!("configuration: {key} is ")) && !line.contains("marker"), "{line}");
    }
    let crlf = PEM.replace('\n', "\r\n");
    load(&with(&[("auth.signing_key", &crlf), ("smtp.relays", "smtp://a.example\r\nsmtp://b.example\r\n")]))
        .unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rekey.toml");
    for (content, name) in [
        ("[mail]\nfrom\u{a0}= 'a@b.c'\n", "line 2: "),
        ("[mail]\nfrom = \u{201c}a@b.c\u{201d}\n", "line 2: "),
    ] {
        std::fs::write(&path, content).unwrap();
        let line = error(&environment(&[]).file(Some(&path)));
        assert!(line.contains(name), "{line}");
        let ending = "; the line contains a no-break space (U+00A0): remove it";
        assert_eq!(line.ends_with(ending), content.contains('\u{a0}'), "{line}");
    }
    // Neither is in the way.
    std::fs::write(&path, "\u{feff}[mail]\r\nfrom = 'a@b.c'\r\n").unwrap();
    load(&with(&[]).file(Some(&path))).unwrap();
}

pub(super) fn assert_form(key: &str, good: &[&str], bad: &[&str]) {
    for value in good {
        load(&with(&[(key, value)])).unwrap_or_else(|error| panic!("{key} = {value:?}: {error}"));
    }
    for value in bad {
        let line = error(&with(&[(key, value)]));
        assert!(
            line.starts_with(&format!("configuration: {key} is ")) && line.contains(", expected "),
            "{line}"
        );
    }
}

#[test]
fn values_arrive_in_their_types() {
    let source = with(&[("server.trusted_proxies", "10.0.0.0/8,::ffff:192.0.2.1")]);
    let (api, _) = load(&source).unwrap();
    assert_eq!(api.server.public_url.as_str(), "http://localhost:8080");
    assert!(!api.server.public_url.is_https());
    assert_eq!(api.server.keep_alive, Duration::from_secs(75));
    assert_eq!(api.auth.refresh_token_ttl, Duration::from_hours(14 * 24));
    assert_eq!(api.auth.session_max_age, Duration::from_hours(90 * 24));
    assert_eq!(api.outbox_relay.poll_interval, Duration::from_secs(1));
    let hasher = api.passwords.hasher;
    assert_eq!((hasher.memory_kib, hasher.iterations, hasher.parallelism, hasher.queue), (19_456, 2, 1, 64));
    assert_eq!(api.passwords.policy.min_length, 8);
    assert_eq!(
        (api.limits.token.map(NonZeroU32::get), api.limits.for_mode(Mode::Live)),
        (Some(30), NonZeroU32::new(200))
    );
    for (peer, trusted) in [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("192.0.2.1", true),
        ("192.0.2.2", false),
        ("11.0.0.1", false),
        ("::1", false),
    ] {
        assert_eq!(api.server.trusted_proxies.contains(peer.parse().unwrap()), trusted, "{peer}");
    }
    let organizations = organization_mail_settings(&source).unwrap();
    let own = organizations.get(&"shop".parse().unwrap());
    let mail = &own.mail;
    assert_eq!(mail.from.name.as_deref(), Some("Shop"));
    assert_eq!(mail.from.address.as_str(), "shop@example.com");
    assert!(own.dkim.key.is_none());
    assert_eq!((own.dkim.selector.as_str(), own.dkim.domain.as_str()), ("rekey", "example.com"));
}

#[test]
fn password_policy_is_never_below_its_profile() {
    let policy = |profile: &str, least: &str| {
        let pairs = [("passwords.profile", profile), ("passwords.min_length", least)];
        load(&with(&pairs)).map(|(api, _)| api.passwords.policy.min_length)
    };
    for (profile, least, length) in [
        ("multi_factor", "0", 8),
        ("multi_factor", "8", 8),
        ("multi_factor", "12", 12),
        ("single_factor", "0", 15),
        ("single_factor", "15", 15),
        ("single_factor", "64", 64),
    ] {
        assert_eq!(policy(profile, least).unwrap(), length);
    }
    for (profile, least, bounds) in [("multi_factor", "7", "8 to 64"), ("single_factor", "14", "15 to 64")] {
        let line = policy(profile, least).unwrap_err().to_string();
        assert!(line.ends_with(&format!("expected 0 or an integer from {bounds}")), "{line}");
    }
}

#[test]
fn argon2_is_never_cheaper_than_owasp_allows() {
    for (iterations, least) in
        [("1", 47_104), ("2", 19_456), ("3", 12_288), ("4", 9_216), ("5", 7_168), ("16", 7_168)]
    {
        let cost = |memory: i32| {
            let memory = memory.to_string();
            load(&with(&[
                ("passwords.argon2_iterations", iterations),
                ("passwords.argon2_memory_kib", &memory),
            ]))
        };
        assert!(cost(least).is_ok());
        let line = cost(least - 1).unwrap_err().to_string();
        assert!(
            line.contains("passwords.argon2_memory_kib") && line.contains(&format!("from {least} to")),
            "{line}"
        );
    }
}

#[test]
fn a_long_value_is_shown_in_part() {
    let line = error(&with(&[("telemetry.log_format", &"ä".repeat(10_000))]));
    assert!(line.len() < 400 && line.contains('…'), "{line}");
}

#[test]
fn a_limit_of_zero_is_no_limit() {
    let (api, _) = load(&with(&[("limits.test_per_minute", "0"), ("limits.page_per_minute", "1")])).unwrap();
    assert_eq!((api.limits.for_mode(Mode::Test), api.limits.page), (None, NonZeroU32::new(1)));
}
