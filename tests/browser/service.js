// The running service and its demo shop, as tests/e2e/tests/browser.rs configures them, and preparations of tests.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

/** The origin of `rekey dev`, such as http://127.0.0.1:8080. */
export const url = given('REKEY_URL')
/** A reset link of another instance, and the time when it expires. */
export const expiring = { link: given('REKEY_EXPIRING_LINK'), until: new Date(given('REKEY_EXPIRES_AT')) }

/** A password that every policy here accepts. */
export const PASSWORD = 'correct horse battery'
/** Another such password. */
export const NEW_PASSWORD = 'Tr0ub4dor & 3 piñatas'

/** The credentials of a sales channel. */
export const salesChannel = { client_id: given('REKEY_SALES_CLIENT_ID') }
/** The credentials of an integration. */
export const integration = { client_id: given('REKEY_CLIENT_ID'), client_secret: given('REKEY_CLIENT_SECRET') }

const JSON_API = 'application/vnd.api+json'
const backOffice = tokenOf(integration)

/** Creates a customer for one test, and returns its address. */
export async function newCustomer() {
  const email = `customer-${randomUUID()}@example.com`
  await create('customers', { email, password: PASSWORD })
  return email
}

/** Creates a reset for this customer, and returns the link in its mail in this language. */
export async function resetLink(email, language = 'en') {
  await create('customer_password_resets', { customer_email: email }, language)
  return linkOf(await mailTo(email))
}

/** Finds the reset link in a mail. */
export const linkOf = (mail) => linkTo('/reset-password', mail)

/** Finds the "It wasn't me" link in a mail. */
export const notMeLinkOf = (mail) => linkTo('/not-me', mail)

/** Finds the link that restores an address in a mail. */
export const restoreLinkOf = (mail) => linkTo('/restore-email', mail)

/** Moves a customer to another address, as the back office does. */
export async function moveCustomer(email, to) {
  const headers = { authorization: `Bearer ${await backOffice}`, 'content-type': JSON_API }
  const found = await fetch(`${url}/api/customers?filter[q][email_eq]=${encodeURIComponent(email)}`, { headers })
  const { data: [{ id }] } = await found.json()
  const body = JSON.stringify({ data: { type: 'customers', id, attributes: { email: to } } })
  const { status } = await fetch(`${url}/api/customers/${id}`, { method: 'PATCH', headers, body })
  if (status !== 200) throw new Error(`moving a customer: ${status}`)
}

function linkTo(path, { text }) {
  const links = text.match(/https?:\/\/\S+/g).filter((link) => new URL(link).pathname === path)
  if (links.length !== 1) throw new Error(`one link to ${path} in: ${text}`)
  return links[0]
}

/** Waits for the `n`th mail to an address. */
export function mailTo(email, n = 1) {
  return eventually(`mail ${n} to ${email}`, async () => (await mailsTo(email)).at(-n))
}

/** Returns the mails to an address so far, the newest first. */
export async function mailsTo(email) {
  const mails = await (await fetch(`${url}/dev/mailbox.json`)).json()
  return mails.filter(({ to }) => to === email)
}

/** Whether this password is the customer's. */
export async function canLogIn(username, password) {
  const grant = { grant_type: 'password', ...salesChannel, username, password }
  const { status } = await post('/oauth/token', grant)
  if (![200, 400].includes(status)) throw new Error(`a log-in answered ${status}`)
  return status === 200
}

/** Polls until there is a result; fails with `what` after two minutes. */
export async function eventually(what, ask) {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(50)) {
    const answer = await ask()
    if (answer) return answer
  }
  throw new Error(`waited in vain for ${what}`)
}

async function create(type, attributes, language = 'en') {
  const headers = { authorization: `Bearer ${await backOffice}`, 'accept-language': language }
  const answer = await post(`/api/${type}`, { data: { type, attributes } }, headers)
  if (answer.status !== 201) throw new Error(`creating ${type}: ${answer.status} ${await answer.text()}`)
}

async function tokenOf(client) {
  return (await (await post('/oauth/token', { grant_type: 'client_credentials', ...client })).json()).access_token
}

function post(path, body, headers = {}) {
  const type = path.startsWith('/api/') ? JSON_API : 'application/json'
  return fetch(url + path, { method: 'POST', headers: { 'content-type': type, ...headers }, body: JSON.stringify(body) })
}

function given(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: tests/e2e/tests/browser.rs starts the services and runs these tests`)
  return value
}
