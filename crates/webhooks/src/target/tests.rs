use super::*;

/// Public addresses, among them the neighbours of refused networks.
const PUBLIC: &str = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
    168.63.129.15 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.167.255.255 \
    192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 ::ffff:1.1.1.1 64:ff9b::1.1.1.1 2001:200:: \
    2002:101:101::1 2606:4700:4700::1111 3ffe::1 3fff:1000::";

/// What is refused, and addresses of it: the first and last of a network, and those that are used in attacks.
const REFUSED: [(&str, &str); 30] = [
    ("this network", "0.0.0.0 0.255.255.255"),
    ("private", "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255"),
    ("carrier-grade NAT", "100.64.0.0 100.127.255.255"),
    ("loopback", "127.0.0.0 127.0.0.1 127.255.255.255 ::1"),
    ("link-local", "169.254.0.0 169.254.255.255 fe80::1 febf::1"),
    ("metadata of clouds", "169.254.169.254 100.100.100.200 192.0.0.192 fd00:ec2::254 fd20:ce::254"),
    ("the agent of Azure's hosts", "168.63.129.16"),
    ("protocol assignments", "192.0.0.0 192.0.0.255 2001:100::1 2001:1ff:ffff::1"),
    ("documentation", "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff:: 3fff:fff::1"),
    ("AS112", "192.31.196.1 192.175.48.1 2001:4:112::1 2620:4f:8000::1"),
    ("AMT", "192.52.193.1 2001:3::1"),
    ("6to4 relay", "192.88.99.1"),
    ("benchmarking", "198.18.0.0 198.19.255.255 2001:2::1"),
    ("multicast", "224.0.0.0 239.255.255.255 ff02::1"),
    ("reserved, broadcast", "240.0.0.0 255.255.255.254 255.255.255.255"),
    ("unspecified", "::"),
    ("IPv4-mapped", "::ffff:10.0.0.7 ::ffff:7f00:1 ::ffff:169.254.169.254"),
    ("IPv4-translated", "::ffff:0:10.0.0.7"),
    ("IPv4-compatible, which is deprecated", "::10.0.0.7 ::127.0.0.1 ::1.1.1.1"),
    ("NAT64 of a special address", "64:ff9b::10.0.0.7 64:ff9b::a9fe:a9fe 64:ff9b::127.0.0.1"),
    ("outside of NAT64's /96, and a network's own", "64:ff9b::1:1.1.1.1 64:ff9b:1::1.1.1.1"),
    ("discard-only", "100::1 100:0:0:1::1"),
    ("Teredo", "2001::1"),
    ("ORCHID", "2001:10::1 2001:20::1"),
    ("drone tags", "2001:30::1"),
    ("6to4 of a special address", "2002:a00:7::1 2002:7f00:1:: 2002:a9fe:a9fe::1"),
    ("segment routing", "5f00::1"),
    ("unique local", "fc00::1 fdff:ffff::1"),
    ("site-local", "fec0::1 feff::1"),
    ("unassigned", "200::1 1fff::1 4000::1 e000::1"),
];

fn targets(networks: &[&str]) -> Targets {
    Targets::new(networks.iter().map(|network| network.parse().unwrap()).collect())
}

#[test]
fn ssrf_special_addresses_are_refused() {
    let targets = targets(&[]);
    for address in PUBLIC.split_whitespace() {
        assert!(targets.permits(address.parse().unwrap()), "{address}");
    }
    for (what, addresses) in REFUSED {
        for address in addresses.split_whitespace() {
            assert!(!targets.permits(address.parse().unwrap()), "{address}: {what}");
        }
    }
}

#[test]
fn ssrf_an_allowed_network_permits_its_own_addresses_only() {
    let targets = targets(&["10.1.0.0/16", "fd00:1::/32", "::1/128"]);
    for address in ["10.1.2.3", "::ffff:10.1.2.3", "fd00:1:2::3", "::1", "1.1.1.1"] {
        assert!(targets.permits(address.parse().unwrap()), "{address}");
    }
    for address in
        ["10.2.0.1", "127.0.0.1", "64:ff9b::10.1.2.3", "2002:a01:203::1", "::10.1.2.3", "fd00:2::1"]
    {
        assert!(!targets.permits(address.parse().unwrap()), "{address}");
    }
}
