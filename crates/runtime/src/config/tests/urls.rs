//! The URLs of the database and the broker.

use super::{rules::assert_form, *};

/// C6: a password as a server generates it, unescaped, makes the URL another one; and a host is reached where it says, or refused.
#[test]
fn the_url_of_a_server_says_what_to_escape() {
    let escaped = "expected the URL to have user and password percent-encoded: write \"/\" as %2F, \"?\" as %3F, \"#\" as %23, \
                   \"@\" as %40";
    let host = "expected the URL to have a host name or an IP address, IPv6 in brackets and without a zone";
    for (key, scheme, path) in [("broker.url", "amqp", "%2f"), ("database.url", "postgres", "rekey")] {
        for password in
            ["ma/rker", "ma?rker", "ma#rker", "1/marker", "1?marker", "1#marker", "ma/rker@x", "ma%ffrker"]
        {
            let line = error(&with(&[(key, &format!("{scheme}://u:{password}@h:5672/{path}"))]));
            assert!(line.contains(escaped) && !line.contains("rker"), "{password}: {line}");
        }
        let line = error(&with(&[(key, &format!("{scheme}://u:mar@ker@h/{path}"))]));
        assert!(line.ends_with(": \"@\" in the password is %40, \",\" %2C"), "{line}");
        let line = error(&with(&[(key, &format!("{scheme}://h:port/{path}"))]));
        assert!(line.contains("expected the URL to have a port from 1 to 65535 behind its host"), "{line}");
        for name in ["[fe80::1%25eth0]", "[::g]", "::1", "ho%61st", "%5B::1%5D", "h h", "bücher", "u:p@"] {
            let line = error(&with(&[(key, &format!("{scheme}://{name}/{path}"))]));
            assert!(line.starts_with(&format!("configuration: {key} is ")), "{name}: {line}");
        }
        for name in ["fe80::1%25eth0", "::g"] {
            assert!(error(&with(&[(key, &format!("{scheme}://[{name}]/{path}"))])).contains(host), "{name}");
        }
        for good in
            ["my_server.internal", "192.0.2.1", "[2001:db8::5]:5672", "[::ffff:192.0.2.1]", "u:a%2Fb%23@H"]
        {
            load(&with(&[(key, &format!("{scheme}://{good}/{path}"))]))
                .unwrap_or_else(|e| panic!("{good}: {e}"));
        }
    }
    for socket in [
        "postgres://rekey@%2Fvar%2Frun%2Fpostgresql/rekey",
        "postgres:///rekey?host=/var/run/postgresql&user=rekey",
        "postgres://rekey@localhost/rekey?host=/var/run/postgresql",
    ] {
        load(&with(&[("database.url", socket)])).unwrap_or_else(|error| panic!("{socket}: {error}"));
    }
    for (key, value) in [
        ("broker.url", "amqp:///v"),
        ("broker.url", "amqp://%2Frun%2Fmq/v"),
        ("database.url", "postgres:///d"),
    ] {
        assert!(error(&with(&[(key, value)])).contains(host), "{value}");
    }
}

/// B8: of a list in another form, all but the first URL would be taken for parts of it.
#[test]
fn the_url_of_a_server_is_one_url_or_a_list_of_the_brokers_nodes() {
    for (key, good, bad) in [
        (
            "broker.url",
            &[
                "amqps://u@h:5671/v",
                "amqp://u:a%40b%2C@[::1]/%2f?heartbeat=10",
                "amqp://u:p@h,amqp://u:p@i",
                "amqp://u:p@h:5672/v, amqps://u:p@i:5671/v",
                "amqp://u:p@h/v\namqp://u:p@i/v\n",
            ][..],
            &[
                "http://h",
                "amqp:",
                "h:5672",
                ",",
                "amqp://u:p@h,postgres://u:p@i",
                "amqp://u:p@h;amqp://u:p@i",
                "amqp://u:p@h,i/v",
                "amqp://u:p@h:5672,u:p@i:5672",
                "amqp://u:p@h/v,u:p@i/v",
            ][..],
        ),
        (
            "database.url",
            &["postgresql://h/d", "postgres://u:p@h:5432/d?sslmode=require&options[a]=b"],
            &[
                "mysql://h/d",
                "h/d",
                "postgres:",
                "postgres://u:p@h/d,postgres://u:p@i/d",
                "postgres://u:p@h,i/d",
                "postgres://u:p@h/d?sslpassword=p",
            ],
        ),
    ] {
        assert_form(key, good, bad);
    }
}
