// js-auth 8's makeSalesChannel and makeIntegration: credentials that are kept, refreshed and given back for the shop.
import assert from 'node:assert/strict'
import { before, beforeEach, describe, test } from 'node:test'
import { auths, logIn, newCustomer, sdks, tokenOf } from './clients.js'
import { INVALID_TOKEN, refused } from './refusals.js'
import { credentials, service } from './service.js'
import { withLifeOf } from './tokens.js'

const [{ connect }] = sdks
const [auth] = auths

describe(`${auth.name}, kept credentials`, () => {
  const { integration, storefront } = credentials
  let storage, customer

  before(async () => {
    customer = await newCustomer(connect(await tokenOf('integration')))
  })
  beforeEach(() => {
    storage = memory()
  })
  const salesChannel = () => auth.makeSalesChannel({ ...storefront, domain: service.domain }, { storage })
  const keyOf = (type, client) => `cl_${type}-${client.clientId}-market:all`

  test('makeSalesChannel: a guest\'s token is asked for once and kept', async () => {
    const shop = salesChannel()
    const [first, second] = await Promise.all([shop.getAuthorization(), shop.getAuthorization()])
    assert.equal(first.ownerType, 'guest')
    assert.equal(first.accessToken, second.accessToken)
    assert.equal((await salesChannel().getAuthorization()).accessToken, first.accessToken)
    assert.deepEqual([...storage.items.keys()], [keyOf('guest', storefront)])
  })

  test('makeSalesChannel: a customer\'s comes before the guest\'s, and works', async () => {
    const shop = salesChannel()
    await shop.getAuthorization()
    await shop.setCustomer(await logIn(customer.email))
    const authorization = await shop.getAuthorization()
    assert.deepEqual([authorization.ownerType, authorization.ownerId], ['customer', customer.id])
    const own = await connect(authorization.accessToken).customers.retrieve(authorization.ownerId)
    assert.equal(own.email, customer.email)
    await shop.removeAuthorization('customer')
    assert.equal((await shop.getAuthorization()).ownerType, 'guest')
  })

  test('makeSalesChannel: a customer\'s token that is about to expire is refreshed, once and again', async () => {
    const shop = salesChannel()
    let session = await logIn(customer.email)
    for (const _ of ['once', 'again']) {
      await shop.setCustomer({ ...session, accessToken: withLifeOf(session.accessToken, 300) })
      const refreshed = await shop.getAuthorization()
      assert.deepEqual([refreshed.ownerType, refreshed.ownerId], ['customer', customer.id])
      assert.ok(refreshed.expiresIn > 600)
      assert.notEqual(refreshed.refreshToken, session.refreshToken)
      assert.equal((await connect(refreshed.accessToken).customers.retrieve(customer.id)).id, customer.id)
      assert.equal(storage.items.get(keyOf('customer', storefront)).refreshToken, refreshed.refreshToken)
      session = refreshed
    }
  })

  test('makeSalesChannel: logoutCustomer revokes the token, and the guest is there again', async () => {
    const shop = salesChannel()
    const session = await logIn(customer.email)
    await shop.setCustomer(session)
    assert.deepEqual(await shop.logoutCustomer(), {})
    await refused(connect(session.accessToken).customers.retrieve(customer.id), 401, INVALID_TOKEN)
    assert.equal((await shop.getAuthorization()).ownerType, 'guest')
  })

  test('makeIntegration: kept, renewed when it is about to expire, revoked', async () => {
    const backOffice = auth.makeIntegration({ ...integration, domain: service.domain }, { storage })
    const { accessToken } = await backOffice.getAuthorization()
    assert.equal((await backOffice.getAuthorization()).accessToken, accessToken)
    const key = keyOf('guest', integration)
    storage.items.set(key, { accessToken: withLifeOf(accessToken, 300), scope: 'market:all' })
    const renewed = await backOffice.getAuthorization()
    assert.ok(renewed.expiresIn > 600)
    assert.equal(await connect(renewed.accessToken).customers.count({ email_eq: customer.email }), 1)
    assert.deepEqual(await backOffice.revokeAuthorization(), {})
    assert.equal(storage.items.has(key), false)
    await refused(connect(renewed.accessToken).customers.count(), 401, INVALID_TOKEN)
  })
})

function memory() {
  const items = new Map()
  return {
    items,
    getItem: async (key) => items.get(key) ?? null,
    setItem: async (key, value) => void items.set(key, value),
    removeItem: async (key) => void items.delete(key),
  }
}
