use rekey_core::organizations::Slug;
use rekey_runtime::config::{Color, OrganizationSettings, Support};
use strum::VariantArray;
use tempfile::TempDir;

use super::{SAMPLE_SHOP as SHOP, *};
use rekey_core::deliveries::MailName::{NoAccount, ResetRequested};

fn brand(color: &str) -> Brand {
    Brand {
        logo_text: None,
        color: Color::parse(color).unwrap(),
        support: Some(Support::Email("help@shop.example".to_owned())),
        support_phone: None,
        logo_url: None,
        favicon_url: None,
        domain: None,
    }
}

fn renderer() -> Renderer {
    built_in(&brand("#1f5fbf"))
}

fn built_in(brand: &Brand) -> Renderer {
    Renderer::new(Texts::built_in(Language::English).unwrap(), brand, None).unwrap()
}

/// Every mail in every language.
fn rendered(renderer: &Renderer, shop: &str) -> Vec<(&'static str, Rendered)> {
    let all = Language::ALL.map(|language| renderer.samples(language, shop).unwrap());
    all.into_iter().flatten().map(|(mail, rendered)| (mail.as_str(), rendered)).collect()
}

/// Every mail in every language, without what is optional.
fn minimal(renderer: &Renderer) -> Vec<(&'static str, Rendered)> {
    let mails = Language::ALL
        .iter()
        .flat_map(|language| MailName::VARIANTS.iter().map(move |mail| (*language, *mail)));
    mails
        .map(|(language, mail)| {
            (mail.as_str(), renderer.sample(mail, language, SHOP, Sample::Minimal).unwrap())
        })
        .collect()
}

#[test]
fn every_mail_in_every_language_is_as_it_was_approved() {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        for (name, mail) in rendered(&renderer(), "Café Zwölf") {
            let words = format!("Subject: {}\n\n{}", mail.subject, mail.text);
            insta::assert_snapshot!(format!("{name}.{}.text", mail.language), words);
            insta::assert_snapshot!(format!("{name}.{}.html", mail.language), mail.html);
        }
    });
}

#[test]
fn every_mail_says_its_language_and_direction() {
    for (name, mail) in minimal(&renderer()) {
        let (direction, start) =
            if mail.language == Language::Arabic { ("rtl", "right") } else { ("ltr", "left") };
        let html = format!(r#"<html lang="{}" dir="{direction}""#, mail.language);
        assert!(mail.html.contains(&html), "{name}");
        let other = if start == "left" { "text-align:right" } else { "direction:ltr;font-size" };
        assert!(
            mail.html.contains(&format!("text-align:{start};color")) && !mail.html.contains(other),
            "{name}"
        );
    }
}

#[test]
fn every_link_is_in_both_parts_and_nothing_is_loaded_from_anywhere() {
    for (name, mail) in rendered(&renderer(), SHOP) {
        let links = links(&mail.html);
        assert!(links.len() >= 2, "{name}: {links:?}");
        for link in &links {
            let written = link.replace("&amp;", "&");
            assert!(
                mail.text.contains(written.trim_start_matches("mailto:")),
                "{name} has no {written} in its text"
            );
        }
        let in_text = mail.text.split_whitespace().filter(|word| word.starts_with("https://"));
        for link in in_text {
            assert!(links.contains(&link.replace('&', "&amp;")), "{name} has no {link} in its HTML");
        }
        for loading in
            ["<img", "<link", "<script", "<iframe", "<object", "src=", "background=", "url(", "@import"]
        {
            assert!(!mail.html.to_lowercase().contains(loading), "{name}: {loading}");
        }
        let others = mail.html.split("http").skip(1).map(|rest| format!("http{rest}"));
        for other in others.filter(|other| !other.starts_with("https://shop.example/")) {
            let known = ["http://www.w3.org/1999/xhtml\"", "http-equiv"];
            assert!(known.iter().any(|known| other.starts_with(known)), "{name}: {}", &other[..60]);
        }
    }
}

/// The targets of all links.
fn links(html: &str) -> Vec<String> {
    html.split("href=\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[test]
fn the_link_is_there_as_a_button_and_as_words() {
    for (_, mail) in
        rendered(&renderer(), SHOP).into_iter().filter(|(name, _)| *name == ResetRequested.as_str())
    {
        let link = links(&mail.html).remove(0);
        assert!(mail.html.contains(&format!(">{link}</a>")));
        assert!(mail.html.contains(">K7PM-3XQT</span>") && mail.text.contains("\nK7PM-3XQT\n"));
    }
}

#[test]
fn page_leak_names_of_shops_are_escaped_in_html_and_nowhere_else() {
    let shop = r#"<script>alert("Fish & Chips")</script> {{ 7 * 7 }}"#;
    let look = Brand { logo_text: Some("<b>&".to_owned()), ..brand("#000000") };
    for (name, mail) in rendered(&built_in(&look), shop) {
        let escaped = "&lt;script&gt;alert(&quot;Fish &amp; Chips&quot;)&lt;&#x2f;script&gt; {{ 7 * 7 }}";
        assert!(mail.html.contains(escaped), "{name} in {}", mail.language);
        assert!(
            !mail.html.contains("<script")
                && !mail.html.contains("49")
                && mail.html.contains(">&lt;b&gt;&amp;<")
        );
        assert!(mail.subject.contains(shop), "{}", mail.subject);
        assert!(
            mail.text.replace('\n', " ").contains(shop) || mail.language == Language::Japanese,
            "{}",
            mail.text
        );
    }
}

#[test]
fn a_link_with_quotes_stays_in_its_attribute() {
    let renderer = renderer();
    let reader = renderer.reader(&[]);
    let link = r#"https://shop.example/" onclick="x"#.to_owned();
    let mail = mails::no_account::NoAccount {
        shop: SHOP.to_owned(),
        requested: String::new(),
        forgot_link: Some(link),
    };
    let mail = renderer.render(&reader, mail.content(&reader).unwrap()).unwrap();
    assert!(
        mail.html.contains("https://shop.example/&quot; onclick=&quot;x")
            && !mail.html.contains("onclick=\"")
    );
}

#[test]
fn whatever_the_shops_colour_buttons_and_links_can_be_read() {
    for color in ["#000000", "#ffffff", "#ffee00", "#1f5fbf", "#777777", "#ff0000"] {
        let palette = serde_json::to_value(Palette::from_brand(&brand(color))).unwrap();
        let of = |name: &str| Color::parse(palette[name].as_str().unwrap()).unwrap();
        let dark = Color::new(0x1b, 0x21, 0x2a);
        for (one, other, least) in [
            (of("accent"), of("on_accent"), Color::TEXT),
            (of("dark_accent"), of("on_dark_accent"), Color::TEXT),
            (of("link"), Color::WHITE, Color::TEXT),
            (of("dark_link"), dark, Color::TEXT),
            (of("accent"), Color::WHITE, Color::SHAPE),
            (of("dark_accent"), dark, Color::SHAPE),
        ] {
            assert!(one.contrast(other) >= least, "{color}: {one} on {other}");
        }
    }
    // The layout's own colours: words and what is behind them.
    let layout = include_str!("../../templates/layout.mjml");
    for (ink, paper) in [
        ("#1f2328", "#ffffff"),
        ("#59636e", "#ffffff"),
        ("#59636e", "#f4f5f7"),
        ("#e8ebf0", "#1b212a"),
        ("#a3aebd", "#12161c"),
    ] {
        assert!(layout.contains(ink) && layout.contains(paper));
        assert!(
            Color::parse(ink).unwrap().contrast(Color::parse(paper).unwrap()) >= Color::TEXT,
            "{ink} on {paper}"
        );
    }
}

/// An organization's folder with these files in `templates/`.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("templates")).unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join("templates").join(name), content).unwrap();
    }
    folder
}

fn with(files: &[(&str, &str)]) -> Result<Renderer, String> {
    let folder = folder(files);
    let texts = Texts::built_in(Language::English).unwrap();
    let made = Renderer::new(texts, &brand("#1f5fbf"), Some(folder.path()));
    made.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), ""))
}

#[test]
fn an_organizations_templates_replace_those_of_their_name() {
    let own = [("no_account.txt", "{{ shop }}: {{ why }}\n"), ("notes.md", "not a template")];
    let mails = rendered(&with(&own).unwrap(), SHOP);
    let none = mails.iter().find(|(name, _)| *name == NoAccount.as_str()).unwrap();
    assert!(none.1.text.starts_with("Shop: You are receiving this email because"));
    let before = rendered(&renderer(), SHOP);
    assert!(
        mails.iter().zip(&before).all(|((name, own), (_, old))| *name == NoAccount.as_str() || own == old)
    );
}

#[test]
fn a_template_that_would_fail_a_customer_fails_the_start() {
    for (name, content, said) in [
        ("reset.txt", "", "/templates/reset.txt is not a template of a mail; these are: layout.mjml, "),
        ("done.html", "", ".txt; those of pages are in pages/"),
        ("reset_requested.txt", "a\n{{ nothing }}", "reset_requested.txt:2: undefined value"),
        (
            "reset_requested.txt",
            "{% if code %}{{ code.x.y }}{% endif %}",
            "reset_requested.txt:1: undefined value",
        ),
        ("footer.txt", "{{ t(\"mail-none\") }}", "there is no text `mail-none`"),
        ("footer.txt", "{% if %}", "footer.txt:1: syntax error"),
        (
            "layout.mjml",
            "<mjml><mj-body></mj-body></mjml>",
            "there is no <mj-include path=\"content.mjml\" />",
        ),
        ("no_account.mjml", "\n<mj-text>", ": no_account.mjml:2: `mj-text` is not closed"),
        ("no_account.mjml", "<mj-foo />", ": no_account.mjml:1: MJML has no element `mj-foo`"),
        ("no_account.mjml", "<mj-include path=\"/etc/passwd\" />", "layout.mjml with no_account.mjml: "),
        ("no_account.mjml", "\n\n<mj-text>{{ link }}</mj-text>", ": no_account.mjml:3: undefined value"),
        ("no_account.mjml", "<mj-text>{{ shop }</mj-text>", ": no_account.mjml:1: syntax error: "),
        (
            "reset_requested.txt",
            "Hello {{ shop }}",
            ": reset_requested.txt does not say the link: {{ link }}",
        ),
        ("reset_requested.mjml", "<mj-text>Hi</mj-text>", ": reset_requested.mjml does not say the link: "),
        ("footer.txt", "{% include \"footer.txt\" %}", "footer.txt:1: invalid operation: recursion limit"),
        (
            "footer.txt",
            "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
            "footer.txt:1: engine ran out of fuel",
        ),
    ] {
        let error = with(&[(name, content)]).err().unwrap();
        assert!(error.contains(said), "{name}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_folder_next_to_that_of_the_pages_is_reported() {
    let folder = folder(&[]);
    let made = |name: &str| {
        std::fs::create_dir(folder.path().join("templates").join(name)).unwrap();
        Renderer::new(Texts::built_in(Language::English).unwrap(), &brand("#1f5fbf"), Some(folder.path()))
    };
    assert!(made("pages").is_ok());
    let error = made("page").err().unwrap().to_string();
    assert!(error.contains("/templates/page is not a template of a mail; "), "{error}");
}

#[test]
fn a_template_may_say_the_link_as_it_likes_and_begin_with_a_mark() {
    let own = [
        ("reset_requested.txt", "\u{feff}<{{ link }}>\n"),
        ("reset_requested.mjml", "\u{feff}<mj-text><a href=\"{{ link }}\">{{ shop }}</a></mj-text>"),
    ];
    let mails = rendered(&with(&own).unwrap(), SHOP);
    let reset = mails.into_iter().find(|(name, _)| *name == ResetRequested.as_str()).unwrap().1;
    assert!(reset.text.starts_with("<https://shop.example/reset-password?id="), "{}", reset.text);
    assert!(!reset.html.contains('\u{feff}'));
}

#[test]
fn a_wrong_file_is_reported_once_with_all_that_is_known() {
    let folder = folder(&[]);
    std::fs::create_dir_all(folder.path().join("templates/footer.txt")).unwrap();
    let texts = Texts::built_in(Language::English).unwrap();
    let error = Renderer::new(texts, &brand("#1f5fbf"), Some(folder.path())).err().unwrap();
    let mut said = error.to_string();
    assert_eq!(said.matches("can't be read").count(), 1, "{said}");
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        said = cause.to_string();
        assert!(!error.to_string().contains(&said), "{said} would be repeated");
        next = cause.source();
    }
}

// Gmail shows the first 102 KB of a mail's HTML and cuts off the rest.
#[test]
fn no_mail_is_so_long_that_gmail_would_clip_it() {
    let name = "Übergröße & Söhne ".repeat(5);
    for (_, mail) in rendered(&renderer(), &name) {
        assert!(mail.html.len() < 102 * 1024 / 4, "{}", mail.html.len());
    }
}

#[test]
fn plain_text_is_in_lines_that_fit_and_links_have_one_of_their_own() {
    for (name, mail) in rendered(&renderer(), "Café Zwölf") {
        for line in mail.text.lines() {
            let is_link = line.starts_with("https://") && !line.contains(' ');
            assert!(is_link || !line.contains("https://"), "{name} in {}: {line}", mail.language);
            assert!(
                is_link || textwrap::core::display_width(line) <= 72,
                "{name} in {}: {line}",
                mail.language
            );
        }
        assert!(!mail.text.contains("\n\n\n") && !mail.text.ends_with("\n\n"), "{name}: {}", mail.text);
    }
}

#[test]
fn values_without_a_templates_name_are_an_error() {
    let renderer = renderer();
    let values = context! { shop => SHOP, requested => "now" };
    let content = MailContent { mail: ResetRequested, subject: SHOP.to_owned(), values };
    let error = renderer.render(&renderer.reader(&[]), content).err().unwrap();
    assert_eq!(error.kind(), minijinja::ErrorKind::UndefinedError);
}

#[test]
fn a_shop_has_its_own_language_texts_and_templates() {
    let root = folder(&[]);
    let shop = root.path().join("acme");
    std::fs::create_dir_all(shop.join("texts")).unwrap();
    std::fs::write(
        shop.join("organization.toml"),
        "[languages]\ndefault = \"de-AT\"\ntime_zone = \"Europe/Vienna\"\n",
    )
    .unwrap();
    std::fs::write(shop.join("texts/de.ftl"), "mail-reset-title = Servus\n").unwrap();
    std::fs::remove_dir(root.path().join("templates")).unwrap();
    let shops = shops(root.path());
    let texts = Texts::built_in(Language::English).unwrap();
    let of =
        |slug: &str| Renderer::for_organization(&texts, shops.get(&slug.parse::<Slug>().unwrap())).unwrap();
    let (own, other) = (of("acme"), of("other"));
    assert_eq!(own.reader(&[]).say("mail-reset-title", &[]).unwrap(), "Servus");
    assert_eq!(other.reader(&[]).language(), Language::English);
    let moment = |shop: &Renderer| shop.reader(&[]).moment(time::OffsetDateTime::UNIX_EPOCH).unwrap();
    assert!(moment(&own).ends_with("01:00\u{a0}Uhr\u{a0}MEZ") && moment(&other).ends_with("\u{a0}UTC"));
    std::fs::write(shop.join("organization.toml"), "[languages]\ndefault = \"zh\"\n").unwrap();
    let shops = self::shops(root.path());
    let error =
        Renderer::for_organization(&texts, shops.get(&"acme".parse().unwrap())).err().unwrap().to_string();
    let said = "acme: there are no texts in `zh`, only in en, de, fr, es, it, pt-BR, nl, pl, ja, ar";
    assert!(error.starts_with("languages.default of ") && error.ends_with(said), "{error}");
}

/// What shops there are by the folders in this one.
fn shops(directory: &Path) -> PerOrganization<OrganizationSettings> {
    let pairs = [
        ("SERVER__PUBLIC_URL", "https://rekey.example.com"),
        ("KEYS__SEALING", "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("DATABASE__URL", "postgres://localhost/rekey"),
        ("BROKER__URL", "amqp://localhost"),
        ("MAIL__FROM", "shop@example.com"),
        ("SMTP__RELAYS", "smtp://localhost"),
        ("ORGANIZATIONS__DIRECTORY", directory.to_str().unwrap()),
    ];
    let environment = pairs.map(|(name, value)| (format!("REKEY__{name}"), value.to_owned()));
    let source = rekey_runtime::config::Source::from_environment(environment);
    rekey_runtime::config::Configuration::load(&source).unwrap().organization_settings().unwrap()
}
