//! What the records say.

use crate::doctor::finding::Finding;

const SPF: &str = "dns.spf";
const MX: &str = "dns.mx";
const DKIM: &str = "dns.dkim";
const DMARC: &str = "dns.dmarc";

/// Checks the SPF record (RFC 7208) of an envelope's domain. Whether it allows the relays is not visible from here: they may send from other
/// addresses than those that take mails.
pub fn spf(domain: &str, texts: &[String]) -> Finding {
    let is_spf =
        |text: &&String| text.split(' ').next().is_some_and(|word| word.eq_ignore_ascii_case("v=spf1"));
    let records: Vec<_> = texts.iter().filter(is_spf).collect();
    let own = format!(
        "a TXT record of {domain}, such as \"v=spf1 include:RELAY -all\", with what the relay's operator names"
    );
    match records[..] {
        [] => Finding::warn(
            SPF,
            format!("{domain} has no SPF record: many servers refuse its mails"),
            format!("publish {own}"),
        ),
        [record] => {
            let terms: Vec<_> = record.split_whitespace().skip(1).map(str::to_ascii_lowercase).collect();
            let is_open = terms.iter().any(|term| matches!(term.as_str(), "all" | "+all" | "?all"));
            if is_open {
                let found = format!("the SPF record of {domain} allows everybody: {record}");
                Finding::warn(SPF, found, "end it with -all or ~all")
            } else if terms.iter().all(|term| matches!(term.as_str(), "-all" | "~all")) {
                Finding::fail(
                    SPF,
                    format!("the SPF record of {domain} allows no relay: {record}"),
                    format!("change it to {own}"),
                )
            } else {
                Finding::ok(SPF, format!("{domain}: {record}"))
            }
        }
        _ => Finding::fail(
            SPF,
            format!("{domain} has {} SPF records, which count as none", records.len()),
            "join them to one",
        ),
    }
}

/// Checks where bounces to an envelope's domain go.
pub fn mx(domain: &str, hosts: &[String], has_address: bool) -> Finding {
    let fix = format!(
        "publish an MX record of {domain}, or set mail.bounce_domain or mail.envelope_from to one that gets mails"
    );
    if hosts.iter().any(|host| host == ".") {
        Finding::fail(
            MX,
            format!("{domain} gets no mails (a null MX), so bounces are lost, and servers refuse its mails"),
            fix,
        )
    } else if hosts.is_empty() && !has_address {
        Finding::fail(
            MX,
            format!(
                "{domain} has no MX record and no address: bounces are lost, and servers refuse its mails"
            ),
            fix,
        )
    } else if hosts.is_empty() {
        Finding::warn(MX, format!("{domain} has no MX record: bounces go to its address"), fix)
    } else {
        Finding::ok(MX, format!("{domain}: {}", hosts.join(", ")))
    }
}

/// Compares the DKIM record (RFC 6376 §3.6.1) with that of our key.
pub fn dkim(name: &str, texts: &[String], own: &str) -> Finding {
    let publish = "publish the record that `rekey mail dkim` prints";
    let keys: Vec<_> = texts.iter().filter(|text| tag(text, "p").is_some()).collect();
    match keys[..] {
        [] => Finding::fail(DKIM, format!("{name} has no key: signatures can't be verified"), publish),
        [key] if tag(key, "p").as_deref() == Some("") => Finding::fail(
            DKIM,
            format!("the key of {name} is revoked"),
            format!("make a new one, then {publish}"),
        ),
        [key] if tag(key, "p") != tag(own, "p") || kind(key) != kind(own) => {
            let fix = format!("{publish}; for a new key, choose another dkim.selector");
            Finding::fail(DKIM, format!("{name} has another key than the mailer signs with"), fix)
        }
        [key] if tag(key, "t").is_some_and(|flags| flags.split(':').any(|flag| flag == "y")) => {
            Finding::warn(DKIM, format!("{name} is marked as a test (t=y)"), "remove t=y")
        }
        [_] => Finding::ok(DKIM, format!("{name} has our key")),
        _ => Finding::fail(
            DKIM,
            format!("{name} has {} keys", keys.len()),
            "leave the one that `rekey mail dkim` prints",
        ),
    }
}

/// Reports a sender without signed mails.
pub fn unsigned(domain: &str) -> Finding {
    let fix = "make a key and publish it: Sign mails with DKIM in docs/operations.md";
    Finding::warn(DKIM, format!("mails from {domain} are not signed"), fix)
}

/// Checks a DMARC record (RFC 7489 §6.3), if there is one.
pub fn dmarc(domain: &str, texts: &[String]) -> Option<Finding> {
    let records: Vec<_> = texts.iter().filter(|text| tag(text, "v").as_deref() == Some("DMARC1")).collect();
    match records[..] {
        [] => None,
        [record] => Some(match tag(record, "p").as_deref() {
            Some("none" | "quarantine" | "reject") => Finding::ok(DMARC, format!("{domain}: {record}")),
            _ => Finding::fail(
                DMARC,
                format!("the DMARC record of {domain} has no policy: {record}"),
                "add p=none, p=quarantine or p=reject",
            ),
        }),
        _ => {
            let found = format!("{domain} has {} DMARC records, which count as none", records.len());
            Some(Finding::fail(DMARC, found, "leave one"))
        }
    }
}

/// Reports a domain without a DMARC record.
pub fn no_dmarc(domain: &str) -> Finding {
    let found = format!(
        "{domain} has no DMARC record: anybody can write in its name, and large providers ask for one"
    );
    Finding::warn(
        DMARC,
        found,
        format!("publish a TXT record of _dmarc.{domain}, such as \"v=DMARC1; p=quarantine\""),
    )
}

/// Returns the kind of a key; RSA is the default.
fn kind(record: &str) -> String {
    tag(record, "k").unwrap_or_else(|| "rsa".to_owned())
}

/// Returns the value of a tag in `v=DKIM1; k=rsa; p=…`, without the white space in it.
fn tag(record: &str, name: &str) -> Option<String> {
    let mut tags = record.split(';').filter_map(|tag| tag.split_once('='));
    let (_, value) = tags.find(|(own, _)| own.trim() == name)?;
    Some(value.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn spf_records_are_read() {
        for (records, status) in [
            (&["v=spf1 include:relay.example -all", "other=1"][..], Status::Ok),
            (&["V=SPF1 redirect=_spf.example"], Status::Ok),
            (&["v=spf10 -all"], Status::Warn),
            (&["v=spf1 a ?all"], Status::Warn),
            (&["v=spf1 -all"], Status::Fail),
            (&["v=spf1"], Status::Fail),
            (&["v=spf1 a -all", "v=spf1 mx -all"], Status::Fail),
        ] {
            assert_eq!(spf("shop.example", &texts(records)).status, status, "{records:?}");
        }
    }

    #[test]
    fn dkim_records_are_compared_with_our_key() {
        let own = "v=DKIM1; k=rsa; p=MIIBAAC";
        for (records, status) in [
            (&[own][..], Status::Ok),
            (&["p=MIIB AAC", "unrelated"], Status::Ok),
            (&["v=DKIM1; t=y; p=MIIBAAC"], Status::Warn),
            (&["v=DKIM1; t=s; p=MIIBAAC;"], Status::Ok),
            (&["v=DKIM1; k=ed25519; p=MIIBAAC"], Status::Fail),
            (&["v=DKIM1; p=MIIBAAD"], Status::Fail),
            (&["v=DKIM1; p="], Status::Fail),
            (&[own, "v=DKIM1; p=MIIBAAD"], Status::Fail),
            (&[], Status::Fail),
        ] {
            assert_eq!(dkim("k._domainkey.shop.example", &texts(records), own).status, status, "{records:?}");
        }
    }

    #[test]
    fn mx_and_dmarc_records_are_read() {
        for (hosts, has_address, status) in [
            (&["mail.example."][..], false, Status::Ok),
            (&[], true, Status::Warn),
            (&[], false, Status::Fail),
            (&["."], true, Status::Fail),
        ] {
            assert_eq!(mx("shop.example", &texts(hosts), has_address).status, status, "{hosts:?}");
        }
        for (records, status) in [
            (&["v=DMARC1; p=none"][..], Some(Status::Ok)),
            (&["v=DMARC1; rua=mailto:a@shop.example"], Some(Status::Fail)),
            (&["v=DMARC1; p=none", "v=DMARC1; p=reject"], Some(Status::Fail)),
            (&["v=spf1 -all"], None),
        ] {
            let found = dmarc("shop.example", &texts(records)).map(|finding| finding.status);
            assert_eq!(found, status, "{records:?}");
        }
    }
}
