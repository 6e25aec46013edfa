// The running service and its demo shop, as the environment names them, and how the clients get to it.
//
// The clients know the service by its public names only: https://auth.DOMAIN and https://ORGANIZATION.DOMAIN, where a TLS
// proxy stands in production. Here `fetch` is that proxy; nothing of the clients is changed.
import { webcrypto } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the end-to-end test says of the service that it started. */
export const service = {
  /** Where it listens, such as http://127.0.0.1:8080. */
  url: given('REKEY_URL'),
  /** `auth.domain` of its configuration. */
  domain: given('REKEY_DOMAIN'),
  /** The shop's slug. */
  organization: given('REKEY_ORGANIZATION'),
  /** Whether the API clients are of the test mode. */
  test: given('REKEY_MODE') === 'test',
  /** The file of the key that signs access tokens. */
  signingKey: given('REKEY_SIGNING_KEY'),
}

/** The shop's API clients, as js-auth takes them. */
export const credentials = {
  integration: { clientId: given('REKEY_CLIENT_ID'), clientSecret: given('REKEY_CLIENT_SECRET') },
  storefront: { clientId: given('REKEY_SALES_CLIENT_ID') },
  selfService: { clientId: given('REKEY_SELF_SERVICE_CLIENT_ID') },
}

// Node 18 has it, but not under this name.
globalThis.crypto ??= webcrypto

/** `fetch` as it is without the proxy. */
export const network = globalThis.fetch
const paths = {
  [`auth.${service.domain}`]: ['/oauth/', '/.well-known/'],
  [`${service.organization}.${service.domain}`]: ['/api/'],
}

/** `fetch`, for which the service's public names lead to where it listens. No other place is called by anybody. */
export async function viaProxy(input, init) {
  const asked = new URL(input)
  const known = paths[asked.host]?.some((path) => asked.pathname.startsWith(path))
  if (asked.protocol !== 'https:' || !known) throw new Error(`not the service: ${asked}`)
  return network(here(asked), init)
}
globalThis.fetch = viaProxy

/** Where the service itself has a URL of its public names. */
export function here(url) {
  return new URL(url.pathname + url.search, service.url)
}

/** An address that no other test has. */
export function newEmail(name = 'customer') {
  return `${name}-${newName()}@example.com`
}

/** A text that no other test has: 16 hex digits. */
export function newName() {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex')
}

/** Lets the clock of the service, which shows milliseconds, go on. */
export function tick() {
  return sleep(3)
}

function given(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: tests/e2e/tests/clients.rs starts a service and runs these tests`)
  return value
}
