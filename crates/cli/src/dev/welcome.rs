//! The text that `rekey dev` prints when it is ready.

use std::path::Path;

use super::seed::{CUSTOMER_EMAIL, CUSTOMER_PASSWORD};

/// Returns the addresses, and commands to paste into another terminal.
pub fn text(url: &str, data_dir: &Path) -> String {
    let env = data_dir.join("demo.env");
    let env = env.display();
    format!(
        r#"
Rekey is running. Open the demo shop, and reset a password there:

  {url}/

  Customer     {CUSTOMER_EMAIL}, whose first password is "{CUSTOMER_PASSWORD}"
  Mailbox      {url}/dev/mailbox   every mail it sends
  All mails    {url}/dev/mails   a sample of each, in ten languages
  Reference    {url}/docs   every call, to read and to try
  Credentials  {env}

Or by hand, in another terminal:

  . '{env}'

  TOKEN=$(curl -s {url}/oauth/token -H 'Content-Type: application/json' -d "{{\"grant_type\":\"client_credentials\",\"client_id\":\"$CLIENT_ID\",\"client_secret\":\"$CLIENT_SECRET\"}}" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')

  curl -s {url}/api/customer_password_resets -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/vnd.api+json' -d '{{"data":{{"type":"customer_password_resets","attributes":{{"customer_email":"{CUSTOMER_EMAIL}"}}}}}}'

Then open {url}/dev/mailbox, click the link in the mail, and choose a new password. Log in with it:

  curl -s {url}/oauth/token -H 'Content-Type: application/json' -d "{{\"grant_type\":\"password\",\"client_id\":\"$SALES_CLIENT_ID\",\"username\":\"{CUSTOMER_EMAIL}\",\"password\":\"YOUR NEW PASSWORD\"}}"

Ctrl-C stops it. The next start continues with the same data.
"#
    )
}
