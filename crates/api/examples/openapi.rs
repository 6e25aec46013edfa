//! Prints the API's description, as `docs/openapi.json` is to be: `make openapi` puts it there.

fn main() {
    print!("{}", rekey_api::openapi::text());
}
