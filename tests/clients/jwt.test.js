// js-auth reads and verifies the access tokens, against the key set that the service publishes.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { auths, logIn, newCustomer, sdks, tokenOf } from './clients.js'
import { credentials, service, viaProxy } from './service.js'
import { claimsOf, resigned, withLifeOf } from './tokens.js'

const [{ connect }] = sdks

for (const auth of auths) {
  describe(auth.name, () => {
    const { jwtDecode, jwtVerify } = auth
    let integration, guest, customer, owner

    before(async () => {
      integration = await tokenOf('integration')
      guest = await tokenOf('storefront')
      owner = await newCustomer(connect(integration))
      customer = (await logIn(owner.email)).accessToken
    })

    test('jwtDecode: the header and the claims of each kind of client', () => {
      for (const [token, client, kind] of [
        [integration, credentials.integration, 'integration'],
        [guest, credentials.storefront, 'sales_channel'],
        [customer, credentials.storefront, 'sales_channel'],
      ]) {
        const { header, payload } = jwtDecode(token)
        assert.equal(header.alg, 'RS512')
        assert.equal(header.typ, 'JWT')
        assert.ok(header.kid)
        const { id, slug, enterprise, region } = payload.organization
        assert.match(id, /^[A-Za-z]{10}$/)
        assert.deepEqual([slug, enterprise, typeof region], [service.organization, false, 'string'])
        const { application } = payload
        assert.match(application.id, /^[A-Za-z]{10}$/)
        assert.deepEqual([application.client_id, application.kind], [client.clientId, kind])
        assert.equal(application.public, kind === 'sales_channel')
        assert.equal(application.confidential, kind === 'integration')
        assert.equal(payload.scope, 'market:all')
        assert.equal(payload.test, service.test)
        assert.equal(payload.iss, `https://auth.${service.domain}`)
        assert.ok(payload.rand > 0 && payload.rand < 1)
        assert.ok(payload.exp > payload.iat)
      }
      assert.deepEqual(jwtDecode(customer).payload.owner, { id: owner.id, type: 'Customer' })
      assert.equal(jwtDecode(guest).payload.owner, undefined)
    })

    test('jwtIsIntegration and jwtIsSalesChannel tell the kinds apart', () => {
      const kinds = [integration, guest, customer].map((token) => {
        const { payload } = jwtDecode(token)
        assert.ok(!auth.jwtIsWebApp(payload) && !auth.jwtIsUser(payload) && !auth.jwtIsDashboard(payload))
        return [auth.jwtIsIntegration(payload), auth.jwtIsSalesChannel(payload)]
      })
      assert.deepEqual(kinds, [[true, false], [false, true], [false, true]])
      // New in 7.x.
      const types = [integration, guest, customer].map((token) => auth.getTokenType?.(jwtDecode(token).payload))
      const expected = ['integration:guest', 'sales_channel:guest', 'sales_channel:customer']
      assert.deepEqual(types, auth.getTokenType ? expected : [undefined, undefined, undefined])
    })

    test('getCoreApiBaseEndpoint: where the SDK goes, too', () => {
      const expected = `https://${service.organization}.${service.domain}`
      assert.equal(auth.getCoreApiBaseEndpoint(integration), expected)
    })

    test('jwtVerify: against the published key set', async () => {
      for (const token of [integration, guest, customer]) {
        assert.deepEqual(await jwtVerify(token), jwtDecode(token))
      }
    })

    test('jwtVerify: against a key of that set that was kept', async () => {
      const { kid } = jwtDecode(integration).header
      const { keys } = await (await viaProxy(`https://auth.${service.domain}/.well-known/jwks.json`)).json()
      const jwk = keys.find((key) => key.kid === kid)
      assert.deepEqual([jwk.kty, jwk.alg, jwk.use], ['RSA', 'RS512', 'sig'])
      assert.deepEqual(await jwtVerify(integration, { jwk }), jwtDecode(integration))
    })

    test('jwtVerify: a changed token, another\'s signature and an unknown key are refused', async () => {
      const [header, , signature] = integration.split('.')
      const claims = { ...claimsOf(integration), test: !service.test }
      const changed = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
      const swapped = [...integration.split('.').slice(0, 2), guest.split('.')[2]].join('.')
      for (const token of [changed, swapped]) {
        await assert.rejects(jwtVerify(token), { name: 'InvalidTokenError', message: 'Invalid signature' })
      }
      const unknown = Buffer.from(JSON.stringify({ alg: 'RS512', typ: 'JWT', kid: 'unknown' })).toString('base64url')
      const other = [unknown, ...integration.split('.').slice(1)].join('.')
      await assert.rejects(jwtVerify(other), { name: 'InvalidTokenError', message: 'Invalid token "kid"' })
    })

    test('jwtVerify: an expired token is refused as such', async () => {
      const expired = withLifeOf(integration, -1)
      await assert.rejects(jwtVerify(expired), { name: 'TokenExpiredError' })
      assert.deepEqual(await jwtVerify(expired, { ignoreExpiration: true }), jwtDecode(expired))
    })

    test('a token\'s payload is read with plain atob, whatever it says', async () => {
      for (const scope of ['market:all', 'market:code:eu_1 stock_location:id:a-b', 'market:id:ZZZZZZZZZZ']) {
        const client = { ...credentials.storefront, scope, domain: service.domain }
        const { accessToken } = await auth.authenticate('client_credentials', client)
        assert.equal(claimsOf(accessToken).scope, scope)
        assert.ok(!/[-_]/.test(accessToken.split('.')[1]))
      }
      // The check would see one that can't.
      assert.throws(() => claimsOf(resigned(guest, { scope: 'ÿ?>ÿ?>' })))
    })
  })
}
