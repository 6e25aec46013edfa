//! What the pages load: a stylesheet in the shop's colour, and a script that they can do without. The addresses hold a digest of
//! the contents, so that browsers may keep them for good.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, HeaderName},
    web::Path,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rekey_runtime::config::Color;
use sha2::{Digest, Sha256};

use super::palette;

const STYLE: &str = include_str!("templates/hosted/style.css");
const SCRIPT: &str = include_str!("templates/hosted/show_password.js");

/// What is served, for short: 8 octets of a digest tell versions apart.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    // The palette is code: its output for a colour that is darkened and lightened stands for it.
    let palette = palette::css(Color::new(0xff, 0xee, 0));
    let digest = Sha256::new().chain_update(STYLE).chain_update(palette).chain_update(SCRIPT).finalize();
    URL_SAFE_NO_PAD.encode(digest.get(..8).unwrap_or_default())
});

/// The stylesheet of a shop with that colour. It follows from the colour alone, and so does its address: `/pages/…/1f5fbf.css`.
pub fn style_url(color: Color) -> String {
    format!("/pages/{}/{}.css", *VERSION, color.to_string().trim_start_matches('#'))
}

/// The script that shows and hides a password.
pub fn script_url() -> String {
    format!("/pages/{}/show-password.js", *VERSION)
}

/// `GET /pages/{version}/{color}.css`; none if that is no colour.
pub fn style(version: &str, color: &str) -> Option<HttpResponse> {
    let color = Color::parse(&format!("#{color}"))?;
    Some(asset(version, "text/css; charset=utf-8", palette::css(color) + STYLE))
}

/// `GET /pages/{version}/show-password.js`.
pub async fn script(version: Path<String>) -> HttpResponse {
    asset(&version, "text/javascript; charset=utf-8", SCRIPT.to_owned())
}

/// Another version's contents are given by who no longer or not yet has them, while versions change: not to be kept.
fn asset(version: &str, media_type: &str, contents: String) -> HttpResponse {
    let is_ours = version == *VERSION;
    let kept = if is_ours { "public, max-age=31536000, immutable" } else { "no-cache" };
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((CACHE_CONTROL, kept))
        .insert_header((HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .body(contents)
}
