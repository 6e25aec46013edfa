// Only for `rekey dev`. A real shop leaves this file out.
//
// The clients call the service by its public names, https://auth.DOMAIN and https://ORGANIZATION.DOMAIN, where in production a TLS
// proxy listens. On this machine there is none, so these calls go to this page's origin.

/** Returns a `fetch` that redirects the service's public names to this origin. */
export function fetchLocally({ domain, organization }, network = globalThis.fetch) {
  const names = [`auth.${domain}`, `${organization}.${domain}`]
  return (input, init) => {
    const asked = new URL(input, location.href)
    const here = names.includes(asked.host) ? new URL(asked.pathname + asked.search, location.origin) : asked
    return network(here, init)
  }
}
