use super::*;

fn look(colour: &str) -> Look {
    Look { logo_text: None, colour: colour.parse().unwrap(), support: Some("help@shop.example".to_owned()) }
}

#[test]
fn show() {
    let texts = Texts::built_in(Language::English).unwrap();
    let renderer = Renderer::new(texts, &look("#1f4fd8"), None).unwrap_or_else(|e| panic!("{e}"));
    for l in Language::ALL {
    for (name, r) in samples::all(&renderer, l, "Café Zwölf", Scope::Full).unwrap() {
        std::fs::write(format!("/tmp/mailscratch/{name}.{l}.html"), r.html).unwrap();
        std::fs::write(format!("/tmp/mailscratch/{name}.{l}.txt"), format!("{}\n\n{}", r.subject, r.text)).unwrap();
    }}
}
