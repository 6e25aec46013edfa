// The SDK's connection: expired tokens, interceptors, raw responses, its entries.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import * as plain from 'sdk-7'
import { PASSWORD, logIn, newCustomer, sdks, tokenOf } from './clients.js'
import { ACCESS_DENIED, INVALID_TOKEN, NOT_FOUND, WRONG_TOKEN, about, refused } from './refusals.js'
import { credentials, here, network, newEmail, service, viaProxy } from './service.js'
import { resigned, withLifeOf } from './tokens.js'

for (const { name, connect } of sdks) {
  describe(`${name}, connections`, () => {
    let token, backOffice, customer

    before(async () => {
      token = await tokenOf('integration')
      backOffice = connect(token)
      customer = await newCustomer(backOffice)
    })

    test('organization and domain are taken from the token', async () => {
      assert.equal(backOffice.currentOrganization, service.organization)
      const asked = []
      const fetch = (url, init) => {
        asked.push(String(url))
        return viaProxy(url, init)
      }
      await connect(token, { fetch }).customers.retrieve(customer.id)
      assert.deepEqual(asked, [`https://${service.organization}.${service.domain}/api/customers/${customer.id}`])
    })

    test('a request interceptor is another way to a local service', async () => {
      const elsewhere = () => assert.fail('only where the interceptor leads')
      const client = connect(token, { fetch: (url, init) => (url.origin === service.url ? network(url, init) : elsewhere()) })
      client.addRequestInterceptor(({ url, options }) => ({ url: here(url), options }))
      assert.equal((await client.customers.retrieve(customer.id)).email, customer.email)
    })

    test('interceptors see the answer, and the failure', async () => {
      const client = connect(token)
      const seen = []
      client.addResponseInterceptor(
        (response) => {
          seen.push([response.status, response.headers.get('content-type')])
          return response
        },
        (error) => {
          seen.push([error.status, error.errors[0].code])
          return error
        },
      )
      await client.customers.retrieve(customer.id)
      await refused(client.customers.retrieve('nobodynobo'), 404, NOT_FOUND)
      assert.deepEqual(seen, [[200, 'application/vnd.api+json'], [404, 'RECORD_NOT_FOUND']])
    })

    test('the raw reader has the whole document, and its headers', async () => {
      const client = connect(token)
      const reader = client.addRawResponseReader({ headers: true })
      const created = await client.customers.create({ email: newEmail() })
      assert.equal(reader.ok, true)
      assert.equal(reader.headers['content-type'], 'application/vnd.api+json')
      const { data } = reader.rawResponse
      assert.deepEqual(Object.keys(data).sort(), ['attributes', 'id', 'links', 'meta', 'relationships', 'type'])
      const { mode, organization_id } = data.meta
      assert.equal(mode, service.test ? 'test' : 'live')
      assert.match(organization_id, /^[A-Za-z]{10}$/)
      assert.ok(data.links.self.endsWith(`/api/customers/${created.id}`))
      const relationships = ['customer_group', 'customer_password_resets', 'deliveries', 'event_stores', 'events', 'tags']
      assert.deepEqual(Object.keys(data.relationships).sort(), relationships)
      for (const [relationship, { links, data: linkage }] of Object.entries(data.relationships)) {
        assert.equal(links.self, `${data.links.self}/relationships/${relationship}`)
        assert.equal(links.related, `${data.links.self}/${relationship}`)
        assert.equal(linkage, undefined)
      }
      await refused(client.customers.create({ email: created.email }), 422, about('email', 'taken'))
      assert.equal(reader.ok, false)
      assert.equal(reader.rawResponse.errors[0].code, 'VALIDATION_ERROR')
    })

    test('a user agent, headers and parameters of the caller\'s own are accepted', async () => {
      const client = connect(token, { userAgent: 'shop/1', headers: { 'X-Shop': 'yes' } })
      const params = { utm_source: 'mail' }
      const found = await client.customers.retrieve(customer.id, {}, { params, headers: { 'X-Once': '1' } })
      assert.equal(found.id, customer.id)
      const [listed] = await client.customers.list({ filters: { id_eq: customer.id } }, { params })
      assert.equal(listed.id, customer.id)
    })

    test('a malformed, foreign or changed token is INVALID_TOKEN, and no refresh follows', async () => {
      const refreshToken = () => assert.fail('nothing has expired')
      const [header, payload, signature] = token.split('.')
      const other = (await tokenOf('storefront')).split('.')[2]
      for (const wrong of ['none', 'a.b.c', `${header}.${payload}.${other}`, `${header}.${payload}.`, `.${payload}.${signature}`]) {
        const client = connect(token, { refreshToken })
        await refused(client.customers.retrieve(customer.id, {}, { accessToken: wrong }), 401, INVALID_TOKEN)
      }
      const foreign = resigned(token, { iss: 'https://auth.example.com' })
      await refused(backOffice.customers.retrieve(customer.id, {}, { accessToken: foreign }), 401, INVALID_TOKEN)
    })

    test('refreshToken: an expired integration token is replaced, and the call is made again', async () => {
      const expired = withLifeOf(token, -60)
      await refused(connect(expired).customers.retrieve(customer.id), 401, INVALID_TOKEN)
      const given = []
      const client = connect(expired, {
        refreshToken: async (old) => {
          given.push(old)
          return token
        },
      })
      assert.equal((await client.customers.retrieve(customer.id)).id, customer.id)
      assert.deepEqual(given, [expired])
      assert.equal(client.currentAccessToken, token)
      assert.equal((await client.customers.retrieve(customer.id)).id, customer.id)
      assert.equal(given.length, 1)
    })

    test('refreshToken: an expired customer token is replaced by js-auth\'s refresh_token grant', async () => {
      const session = await logIn(customer.email, PASSWORD)
      const client = connect(withLifeOf(session.accessToken, -60), {
        refreshToken: async () => {
          const { authenticate } = await import('js-auth-8')
          const { refreshToken } = session
          const answer = await authenticate('refresh_token', { ...credentials.storefront, refreshToken, domain: service.domain })
          return answer.accessToken
        },
      })
      const updated = await client.customers.update({ id: customer.id, reference: name })
      assert.equal(updated.reference, name)
    })

    test('refreshToken: a call refused for another reason is not repeated', async () => {
      const guest = connect(await tokenOf('storefront'), { refreshToken: () => assert.fail('nothing has expired') })
      await refused(guest.customers.list(), 401, ACCESS_DENIED)
    })

    test('update: an id in the path that differs from the document\'s is KEY_NOT_INCLUDED_IN_URL', async () => {
      const client = connect(token)
      client.addRequestInterceptor(({ url, options }) => {
        const other = new URL(url)
        other.pathname = '/api/customers/nobodynobo'
        return { url: other, options }
      })
      const call = client.customers.update({ id: customer.id, reference: 'x' })
      await refused(call, 400, { code: 'KEY_NOT_INCLUDED_IN_URL' })
    })

    test('a malformed body and a document of another type are different errors', async () => {
      const client = connect(token)
      let body
      client.addRequestInterceptor(({ url, options }) => ({ url, options: { ...options, body } }))
      const create = () => client.customers.create({ email: newEmail() })
      body = '{"data":'
      await refused(create(), 400, { code: 'INVALID_DATA_FORMAT' })
      body = JSON.stringify({ data: { type: 'customer_password_resets', attributes: {} } })
      await refused(create(), 400, { code: 'INVALID_RESOURCE' })
    })
  })
}

describe('@commercelayer/sdk 7.x, the entry whose resources are imported one by one', () => {
  const { CommerceLayer, CommerceLayerStatic, customers, customer_password_resets: resets, events, event_stores } = plain

  test('a reset from creation to deletion', async () => {
    CommerceLayer({ accessToken: await tokenOf('integration'), fetch: viaProxy })
    const customer = await customers.create({ email: newEmail(), password: PASSWORD })
    const reset = await resets.create({ customer_email: customer.email }, { include: ['events', 'event_stores'] })
    assert.equal((await events.retrieve(reset.events[0].id)).name, 'customer_password_resets.create')
    assert.equal((await event_stores.retrieve(reset.event_stores[0].id)).event, 'create')
    const [listed] = await resets.list({ filters: { customer_email_eq: customer.email } })
    assert.equal(listed.reset_password_token, reset.reset_password_token)
    const guest = { accessToken: await tokenOf('storefront') }
    const used = { id: reset.id, customer_password: 'a brand new password', _reset_password_token: reset.reset_password_token }
    const wrong = { ...used, _reset_password_token: 'wrong' }
    await refused(resets.update(wrong, {}, guest), 422, WRONG_TOKEN)
    assert.ok((await resets.update(used, {}, guest)).reset_password_at)
    await customers.delete(customer)
    await refused(customers.retrieve(customer.id), 404, NOT_FOUND)
  })

  test('CommerceLayerStatic recognizes our errors and our expired tokens', async () => {
    const token = await tokenOf('integration')
    CommerceLayer({ accessToken: token, fetch: viaProxy })
    const error = await customers.retrieve('nobodynobo').catch((error) => error)
    assert.ok(CommerceLayerStatic.isApiError(error) && CommerceLayerStatic.isSdkError(error))
    const expired = [withLifeOf(token, -1), withLifeOf(token, 60)].map(CommerceLayerStatic.isTokenExpired)
    assert.deepEqual(expired, [true, false])
  })
})
