// The clients under test: each major of the SDK and of js-auth. Each test is run with each of them.
import { readFileSync } from 'node:fs'
import * as auth6 from 'js-auth-6'
import * as auth8 from 'js-auth-8'
import { CommerceLayer as sdk6 } from 'sdk-6'
// The entry of 7.x that supports several clients at once, as in 6.x; the other has its own test.
import { CommerceLayer as sdk7 } from 'sdk-7/bundle'
import { credentials, newEmail, service, viaProxy } from './service.js'

/** The majors of js-auth. */
export const auths = [
  { name: nameOf('js-auth-8'), ...auth8 },
  { name: nameOf('js-auth-6'), ...auth6 },
]

/** The majors of the SDK: `connect` makes a client that reaches the service. */
export const sdks = [
  { name: nameOf('sdk-7'), connect: connectBy(sdk7) },
  { name: nameOf('sdk-6'), connect: connectBy(sdk6) },
]

/** A password that the demo's policy accepts. */
export const PASSWORD = 'correct horse battery'
/** Another such password. */
export const NEW_PASSWORD = 'Tr0ub4dor & 3 piñatas'

const tokens = new Map()

/** The access token of one of the shop's API clients: one for all tests of a file. */
export function tokenOf(kind) {
  if (!tokens.has(kind)) tokens.set(kind, issue(credentials[kind]))
  return tokens.get(kind)
}

async function issue(client) {
  const { accessToken } = await auth8.authenticate('client_credentials', { ...client, domain: service.domain })
  return accessToken
}

/** Logs in at the storefront by js-auth. */
export function logIn(email, password = PASSWORD, auth = auth8) {
  const { clientId } = credentials.storefront
  return auth.authenticate('password', { clientId, username: email, password, domain: service.domain })
}

/** Whether a log-in succeeds. */
export async function canLogIn(email, password) {
  return (await logIn(email, password)).accessToken !== undefined
}

/** Creates a customer for one test by a client of the back office. */
export function newCustomer(backOffice, attributes = {}) {
  return backOffice.customers.create({ email: newEmail(), password: PASSWORD, ...attributes })
}

/** Returns one attribute of each record as a plain array, unlike the client's `map`. */
export function column(records, attribute) {
  return Array.from(records, (record) => record[attribute])
}

function connectBy(CommerceLayer) {
  return (accessToken, options = {}) => CommerceLayer({ accessToken, fetch: viaProxy, ...options })
}

function nameOf(alias) {
  const path = new URL(`node_modules/${alias}/package.json`, import.meta.url)
  const { name, version } = JSON.parse(readFileSync(path, 'utf8'))
  return `${name} ${version}`
}
