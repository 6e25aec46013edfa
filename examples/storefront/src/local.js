// Only for `rekey dev`. A shop that is in the world leaves this file out.
//
// The clients know the service by its public names, https://auth.DOMAIN and https://ORGANIZATION.DOMAIN, where a TLS proxy
// stands in production. On this machine nothing does, so their calls go to where this page came from.

/** A `fetch` that leads the service's public names here. */
export function fetchLocally({ domain, organization }, network = globalThis.fetch) {
  const names = [`auth.${domain}`, `${organization}.${domain}`]
  return (input, init) => {
    const asked = new URL(input, location.href)
    const here = names.includes(asked.host) ? new URL(asked.pathname + asked.search, location.origin) : asked
    return network(here, init)
  }
}
