//! The stylesheet in the shop's colour, and the script, which the pages work without. Their URLs have a digest of the contents, so that
//! browsers may keep them for good.

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
use crate::jsonapi::error::Problem;

const STYLE: &str = include_str!("templates/hosted/style.css");
const SCRIPT: &str = include_str!("templates/hosted/show_password.js");

/// The version in the URLs: 8 bytes of a digest.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    // The palette is code: its output for a colour that is darkened and lightened represents it.
    let palette = palette::css(Color::new(0xff, 0xee, 0));
    let digest = Sha256::new().chain_update(STYLE).chain_update(palette).chain_update(SCRIPT).finalize();
    URL_SAFE_NO_PAD.encode(digest.get(..8).unwrap_or_default())
});

/// Returns the URL of the stylesheet for that colour, such as `/pages/…/1f5fbf.css`.
pub fn style_url(color: Color) -> String {
    format!("/pages/{}/{}.css", *VERSION, color.to_string().trim_start_matches('#'))
}

/// Returns the URL of the script that shows and hides a password.
pub fn script_url() -> String {
    format!("/pages/{}/show-password.js", *VERSION)
}

/// `GET /pages/{version}/{color}.css`.
pub async fn style(path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (version, color) = path.into_inner();
    let color = Color::parse(&format!("#{color}")).ok_or(Problem::NotFound)?;
    Ok(asset(&version, "text/css; charset=utf-8", palette::css(color) + STYLE))
}

/// `GET /pages/{version}/show-password.js`.
pub async fn script(version: Path<String>) -> HttpResponse {
    asset(&version, "text/javascript; charset=utf-8", SCRIPT.to_owned())
}

/// During an upgrade another version's URL may be requested: the answer has other contents, and must not be cached.
fn asset(version: &str, media_type: &str, contents: String) -> HttpResponse {
    let is_current = version == *VERSION;
    let caching = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((CACHE_CONTROL, caching))
        .insert_header((HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .body(contents)
}
