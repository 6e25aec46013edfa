// The shop's calls of the service, by the official clients: js-auth for tokens, the SDK for everything else.
import { authenticate, makeSalesChannel } from '@commercelayer/js-auth'
import { CommerceLayer, customer_password_resets as resets, customers, organization } from '@commercelayer/sdk'
import { fetchLocally } from './local.js'

/** The shop's settings. Yours are constants; the demo's are created on its first start, so it fetches them. */
export const settings = await (await fetch('/dev/shop.json')).json()
const { client_id: clientId, domain } = settings

// js-auth has no option for `fetch`, the SDK has one. Neither line is needed where the public names lead to the service.
const fetchHere = fetchLocally(settings)
globalThis.fetch = fetchHere

// Tokens are kept in memory, so that no script finds them in a storage, and a closed tab leaves none behind; but a reload logs
// out. A shop that wants to avoid that keeps them in an HttpOnly cookie of its own server.
const kept = new Map()
const memory = {
  getItem: async (key) => kept.get(key) ?? null,
  setItem: async (key, value) => void kept.set(key, value),
  removeItem: async (key) => void kept.delete(key),
}

// A sales channel: an API client that has an id and no secret, since a browser can keep none.
const channel = makeSalesChannel({ clientId, domain }, { storage: memory })

/** Logs a customer in: js-auth answers with `errors` where the SDK throws. */
export async function logIn(email, password) {
  const answer = await authenticate('password', { clientId, domain, username: email, password })
  if (answer.errors) throw answer
  await channel.setCustomer(answer)
}

/** Ends the session: the service forgets its tokens, too. */
export async function logOut() {
  await channel.logoutCustomer()
}

/** Returns the customer who is logged in, or null. Throws a 401 when the session has ended, such as by a new password. */
export async function loggedIn() {
  const { ownerType, ownerId } = await channel.getAuthorization()
  return ownerType === 'customer' ? customers.retrieve(ownerId, {}, await access()) : null
}

/** Forgets the tokens of a session that the service has ended. */
export async function forgetSession() {
  await channel.removeAuthorization('customer')
}

/** Requests a mail with a link. The answer is the same for an unknown address: it reveals nothing about who is a customer. */
export async function askForLink(email) {
  await resets.create({ customer_email: email }, {}, await access())
}

/** Returns the minimum length of a new password, to show before one is typed. */
export async function passwordLength() {
  const fields = { organizations: ['password_min_length'] }
  return (await organization.retrieve({ fields }, await access())).password_min_length
}

/** Sets the new password with the id and token of the link. It works once. */
export async function setPassword({ id, token }, password) {
  await resets.update({ id, customer_password: password, _reset_password_token: token }, {}, await access())
}

/** Returns the options with the customer's token, or a guest's; js-auth requests, keeps and renews it. */
async function access() {
  const { accessToken } = await channel.getAuthorization()
  const options = { accessToken, fetch: fetchHere }
  CommerceLayer(options)
  return options
}
