use rekey_runtime::config::{Configuration, LinkTemplate, LinkValues, MailerSettings, Source};

fn template(text: &str, client_id: Option<&str>) -> LinkTemplate {
    let key = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let pairs = [
        ("SERVER__PUBLIC_URL", "https://rekey.example.com"),
        ("KEYS__SEALING", key),
        ("DATABASE__URL", "postgres://localhost/rekey"),
        ("BROKER__URL", "amqp://localhost"),
        ("MAIL__FROM", "shop@example.com"),
        ("SMTP__RELAYS", "smtp://localhost"),
        ("LINKS__RESET_URL_TEMPLATE", text),
        ("PAGES__LOGIN_URL", "https://shop.example/login"),
        (
            "LINKS__CLIENTS",
            "a=https://a.example/?id={id}&token={token},b=https://b.example/{organization}/{id}/{token}",
        ),
    ];
    let environment = pairs.map(|(name, value)| (format!("REKEY__{name}"), value.to_owned()));
    let configuration = Configuration::load(&Source::from_environment(environment)).unwrap();
    let settings: MailerSettings = configuration.settings().unwrap();
    let organizations = configuration.organization_settings().unwrap();
    organizations.get(&"shop".parse().unwrap()).links.reset_template(&settings.server.public_url, client_id)
}

#[test]
fn host_poison_links_come_from_configuration_only() {
    let values = LinkValues {
        id: "RESETRESE1",
        token: "TOKEN",
        locale: "pt-BR",
        organization: "shop",
        client_id: "CLIENT",
        scope: "market:all",
        login_url: "https://shop.example/login?from=reset",
    };
    let filled = |text| template(text, Some("c")).fill(values);
    assert_eq!(
        filled(""),
        "https://rekey.example.com/reset-password?id=RESETRESE1&token=TOKEN&organization=shop&locale=pt-BR"
    );
    // C8: the forms that default.toml shows: most storefronts', and that of the vendor's hosted identity app.
    let manual = include_str!("../../../../runtime/config/default.toml");
    let examples: Vec<_> =
        manual.lines().filter_map(|line| line.strip_prefix("#   \"")?.split('"').next()).collect();
    assert_eq!(
        examples.iter().map(|example| filled(example)).collect::<Vec<_>>(),
        [
            "https://shop.example/reset?id=RESETRESE1&token=TOKEN",
            "https://identity.example/reset-password?clientId=CLIENT&scope=market%3Aall\
             &returnUrl=https%3A%2F%2Fshop.example%2Flogin%3Ffrom%3Dreset&customerPasswordResetId=RESETRESE1&resetPasswordToken=TOKEN",
        ]
    );
    assert_eq!(template("", Some("a")).fill(values), "https://a.example/?id=RESETRESE1&token=TOKEN");
    assert_eq!(template("", Some("b")).fill(values), "https://b.example/shop/RESETRESE1/TOKEN");
    assert_eq!(
        filled("HTTPS://Shop.example.com:443/{locale}/reset/{id}#{token}"),
        "https://shop.example.com/pt-BR/reset/RESETRESE1#TOKEN"
    );
    assert_eq!(
        filled("https://büro.example:8443?sí={id}&token={token}"),
        "https://xn--bro-hoa.example:8443/?s%C3%AD=RESETRESE1&token=TOKEN"
    );
    let hostile = LinkValues { locale: "{token}/../&#", ..values };
    assert_eq!(
        template("https://a.b/{locale}?{id}{token}", None).fill(hostile),
        "https://a.b/%7Btoken%7D%2F..%2F%26%23?RESETRESE1TOKEN"
    );
}
