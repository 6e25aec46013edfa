use rekey_runtime::config::{LinkTemplate, LinkValues, MailerSettings, Source};

use super::*;

fn template(text: &str, client_id: Option<&str>) -> LinkTemplate {
    let key = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let pairs = [
        ("SERVER__PUBLIC_URL", "https://rekey.example.com"),
        ("KEYS__SEALING", key),
        ("DATABASE__URL", "postgres://localhost/rekey"),
        ("BROKER__URL", "amqp://localhost"),
        ("MAIL__FROM", "shop@example.com"),
        ("SMTP__HOST", "localhost"),
        ("LINKS__RESET_URL_TEMPLATE", text),
        (
            "LINKS__CLIENTS",
            "a=https://a.example/?id={id}&token={token},b=https://b.example/{organization}/{id}/{token}",
        ),
    ];
    let environment = pairs.map(|(name, value)| (format!("REKEY__{name}"), value.to_owned()));
    let settings = MailerSettings::load(&Source::from_environment(environment)).unwrap();
    let shop = settings.shops.of(&"shop".parse().unwrap());
    shop.shop.links.reset_template(&settings.server.public_url, client_id)
}

#[test]
fn host_poison_links_come_from_configuration_only() {
    let values = LinkValues { id: "RESETRESE1", token: "TOKEN", locale: "pt-BR", organization: "shop" };
    let filled = |text| template(text, Some("c")).fill(values);
    assert_eq!(
        filled(""),
        "https://rekey.example.com/reset-password?id=RESETRESE1&token=TOKEN&locale=pt%2DBR"
    );
    assert_eq!(template("", Some("a")).fill(values), "https://a.example/?id=RESETRESE1&token=TOKEN");
    assert_eq!(template("", Some("b")).fill(values), "https://b.example/shop/RESETRESE1/TOKEN");
    assert_eq!(
        filled("https://shop.example.com/{locale}/reset/{id}#{token}"),
        "https://shop.example.com/pt%2DBR/reset/RESETRESE1#TOKEN"
    );
}

#[test]
fn a_life_is_told_in_the_readers_words() {
    for (seconds, words) in [
        (-5, "1 minute"),
        (20, "1 minute"),
        (60, "1 minute"),
        (119, "2 minutes"),
        (1799, "30 minutes"),
        (3599, "1 hour"),
        (3601, "1 hour"),
        (5400, "90 minutes"),
        (7199, "2 hours"),
        (21_599, "6 hours"),
        (86_400, "24 hours"),
        (172_799, "2 days"),
        (604_800, "7 days"),
    ] {
        assert_eq!(in_words(Duration::seconds(seconds)), words, "{seconds} s");
    }
}

#[test]
fn a_moment_names_its_time_zone() {
    let at = OffsetDateTime::from_unix_timestamp(1_730_126_165).unwrap();
    assert_eq!(moment(at), "28 October 2024 at 14:36 UTC");
}
