// The running service and its demo shop, as the environment names them, and how the clients get to it.
//
// The clients know the service by its public names only: https://auth.DOMAIN and https://ORGANIZATION.DOMAIN, served by a TLS
// proxy in production. Here `fetch` is that proxy; nothing of the clients is changed.
import { webcrypto } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

/** The settings of the service that the end-to-end test has started. */
export const service = {
  /** Its origin, such as http://127.0.0.1:8080. */
  url: given('REKEY_URL'),
  /** `auth.domain` of its configuration. */
  domain: given('REKEY_DOMAIN'),
  /** The shop's slug. */
  organization: given('REKEY_ORGANIZATION'),
  /** Whether the API clients are in test mode. */
  test: given('REKEY_MODE') === 'test',
  /** The file of the key that signs access tokens. */
  signingKey: given('REKEY_SIGNING_KEY'),
  /** `auth.fresh_seconds` of its configuration. */
  freshSeconds: Number(given('REKEY_FRESH_SECONDS')),
}

/** The shop's API clients, as js-auth takes them. */
export const credentials = {
  integration: { clientId: given('REKEY_CLIENT_ID'), clientSecret: given('REKEY_CLIENT_SECRET') },
  storefront: { clientId: given('REKEY_SALES_CLIENT_ID') },
  selfService: { clientId: given('REKEY_SELF_SERVICE_CLIENT_ID') },
}

// Node 18 has it, but not under this name.
globalThis.crypto ??= webcrypto

/** The original `fetch`. */
export const network = globalThis.fetch
const paths = {
  [`auth.${service.domain}`]: ['/oauth/', '/.well-known/'],
  [`${service.organization}.${service.domain}`]: ['/api/'],
}

/** A `fetch` that sends requests for the service's public names to its origin, and refuses all others. */
export async function viaProxy(input, init) {
  const asked = new URL(input)
  const known = paths[asked.host]?.some((path) => asked.pathname.startsWith(path))
  if (asked.protocol !== 'https:' || !known) throw new Error(`not the service: ${asked}`)
  return network(here(asked), init)
}
globalThis.fetch = viaProxy

/** Replaces the service's public names in a URL by its origin. */
export function here(url) {
  return new URL(url.pathname + url.search, service.url)
}

/** Returns a unique address. */
export function newEmail(name = 'customer') {
  return `${name}-${newName()}@example.com`
}

/** Returns a unique text of 16 hex digits. */
export function newName() {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex')
}

/** Waits until the service's clock, which shows milliseconds, has advanced. */
export function tick() {
  return sleep(3)
}

function given(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: tests/e2e/tests/clients.rs starts a service and runs these tests`)
  return value
}
