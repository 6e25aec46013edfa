// js-auth's `authenticate` and `revoke`: every grant, and the errors of refused ones.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { NEW_PASSWORD, PASSWORD, auths, logIn, newCustomer, sdks, tokenOf } from './clients.js'
import { INVALID_TOKEN, refused } from './refusals.js'
import { credentials, newEmail, service } from './service.js'
import { claimsOf } from './tokens.js'

const { domain } = service
const [{ connect }] = sdks

for (const auth of auths) {
  describe(auth.name, () => {
    const { authenticate, revoke } = auth
    const { integration, storefront } = credentials
    const refresh = (refreshToken, client = storefront) =>
      authenticate('refresh_token', { ...client, refreshToken, domain })
    let customer

    before(async () => {
      customer = await newCustomer(connect(await tokenOf('integration')))
    })

    test('client_credentials of an integration: a token without an owner and without a refresh token', async () => {
      const answer = await authenticate('client_credentials', { ...integration, domain })
      assert.equal(answer.errors, undefined)
      assertToken(answer)
      assert.deepEqual([answer.refreshToken, answer.ownerId, answer.ownerType], [undefined, undefined, undefined])
      assert.equal(claimsOf(answer.accessToken).application.kind, 'integration')
    })

    test('client_credentials of a sales channel: by its id alone, in the scope that is asked for', async () => {
      for (const scope of ['market:all', 'market:id:xYZkjABcde', 'market:code:EU stock_location:id:aBcDeFgHiJ']) {
        const answer = await authenticate('client_credentials', { ...storefront, scope, domain })
        assertToken(answer)
        assert.equal(answer.scope, scope)
        assert.equal(claimsOf(answer.accessToken).scope, scope)
        assert.equal(answer.refreshToken, undefined)
      }
    })

    test('client_credentials of an unknown client, of a wrong and of a missing secret: invalid_client, 401', async () => {
      const { clientId } = integration
      for (const client of [{ clientId: 'nobody' }, { clientId, clientSecret: 'wrong' }, { clientId }]) {
        const answer = await authenticate('client_credentials', { ...client, domain })
        assertRefused(answer, 'invalid_client', 401, 'UNAUTHORIZED')
      }
    })

    test('password: tokens of a customer', async () => {
      const answer = await logIn(customer.email, PASSWORD, auth)
      assertToken(answer)
      assert.equal(answer.ownerId, customer.id)
      assert.equal(answer.ownerType, 'customer')
      assert.ok(answer.refreshToken)
      assert.deepEqual(claimsOf(answer.accessToken).owner, { id: customer.id, type: 'Customer' })
      assert.equal(answer.scope, 'market:all')
    })

    test('password: an address is the same in upper case', async () => {
      const answer = await logIn(customer.email.toUpperCase(), PASSWORD, auth)
      assert.equal(answer.ownerId, customer.id)
    })

    test('password: a wrong one and an unknown customer get the same invalid_grant', async () => {
      const wrong = await logIn(customer.email, NEW_PASSWORD, auth)
      assertRefused(wrong, 'invalid_grant', 400)
      assert.deepEqual(await logIn(newEmail(), PASSWORD, auth), wrong)
    })

    test('refresh_token: gives the same customer the next pair, and is used up', async () => {
      const first = await logIn(customer.email, PASSWORD, auth)
      const second = await refresh(first.refreshToken)
      assertToken(second)
      assert.equal(second.ownerId, customer.id)
      assert.equal(second.ownerType, 'customer')
      assert.notEqual(second.refreshToken, first.refreshToken)
      assert.notEqual(second.accessToken, first.accessToken)
      assertRefused(await refresh(first.refreshToken), 'invalid_grant', 400)
      // As another tab at the same time: the session continues.
      assertToken(await refresh(second.refreshToken))
    })

    test('refresh_token: a wrong one, and one through another client, are refused', async () => {
      const { refreshToken } = await logIn(customer.email, PASSWORD, auth)
      assertRefused(await refresh('wrong'), 'invalid_grant', 400)
      assertRefused(await refresh(refreshToken, credentials.selfService), 'invalid_grant', 400)
      assertToken(await refresh(refreshToken))
    })

    test('a grant that the service does not have is refused in the same form', async () => {
      const bearer = { ...storefront, assertion: 'a.b.c', domain }
      const answer = await authenticate('urn:ietf:params:oauth:grant-type:jwt-bearer', bearer)
      assertRefused(answer, 'unsupported_grant_type', 400)
      const code = { ...storefront, code: 'c', redirectUri: 'https://shop.example', domain }
      assertRefused(await authenticate('authorization_code', code), 'unsupported_grant_type', 400)
    })

    test('revoke: an integration\'s token is dead, its next one works', async () => {
      const { accessToken } = await authenticate('client_credentials', { ...integration, domain })
      const backOffice = connect(accessToken)
      assert.equal(await backOffice.customers.count({ email_eq: customer.email }), 1)
      assert.deepEqual(await revoke({ ...integration, token: accessToken }), {})
      await refused(backOffice.customers.count(), 401, INVALID_TOKEN)
      assert.deepEqual(await revoke({ ...integration, token: accessToken }), {}, 'once more is no error')
      const next = await authenticate('client_credentials', { ...integration, domain })
      assert.equal(await connect(next.accessToken).customers.count({ email_eq: customer.email }), 1)
    })

    test('revoke: a customer\'s token takes its session with it, refresh token and all', async () => {
      const session = await logIn(customer.email, PASSWORD, auth)
      const other = await logIn(customer.email, PASSWORD, auth)
      assert.deepEqual(await revoke({ ...storefront, token: session.accessToken }), {})
      await refused(connect(session.accessToken).customers.retrieve(customer.id), 401, INVALID_TOKEN)
      assertRefused(await refresh(session.refreshToken), 'invalid_grant', 400)
      assert.equal((await connect(other.accessToken).customers.retrieve(customer.id)).id, customer.id)
    })

    test('revoke: another client\'s token, or without the client\'s secret, is a 403, and the token stays valid', async () => {
      const { accessToken } = await authenticate('client_credentials', { ...integration, domain })
      for (const client of [storefront, { clientId: integration.clientId }]) {
        const { errors } = await revoke({ ...client, token: accessToken })
        assert.equal(errors.length, 1)
        assert.deepEqual([errors[0].status, errors[0].code], [403, 'UNAUTHORIZED'])
        assert.equal(errors[0].title, 'unauthorized_client')
        assert.ok(errors[0].detail)
      }
      assert.equal(await connect(accessToken).customers.count({ email_eq: customer.email }), 1)
    })
  })
}

function assertToken({ accessToken, tokenType, expiresIn, expires, createdAt, errors, error }) {
  assert.deepEqual([errors, error], [undefined, undefined])
  assert.equal(accessToken.split('.').length, 3)
  assert.equal(tokenType, 'bearer')
  assert.ok(Math.abs(createdAt - Date.now() / 1000) < 60, `created at ${createdAt}`)
  const { exp, iat } = claimsOf(accessToken)
  assert.deepEqual([expiresIn, createdAt], [exp - iat, iat])
  assert.ok(Math.abs(expires - exp * 1000) < 60_000, `expires ${expires}`)
}

function assertRefused(answer, error, status, code = error.toUpperCase()) {
  assert.equal(answer.accessToken, undefined)
  assert.equal(answer.error, error)
  assert.equal(typeof answer.errorDescription, 'string')
  assert.equal(answer.errors.length, 1)
  const [found] = answer.errors
  assert.deepEqual([found.code, found.status], [code, status])
  assert.equal(found.title, error)
  assert.ok(found.detail)
}
