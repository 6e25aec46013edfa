// A customer changes its own address or password only shortly after its log-in: what the clients return, and what helps.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { NEW_PASSWORD, PASSWORD, auths, canLogIn, logIn, newCustomer, sdks, tokenOf } from './clients.js'
import { ACCESS_DENIED, refused } from './refusals.js'
import { credentials, newEmail, service } from './service.js'

const STALE = { ...ACCESS_DENIED, meta: { error: 'fresh_sign_in_required' } }
const [auth] = auths

describe('a fresh sign-in', { concurrency: true }, () => {
  for (const { name, connect } of sdks) {
    test(`${name}: an old session, refreshed or not, changes neither, and a new log-in does`, async () => {
      const backOffice = connect(await tokenOf('integration'))
      const { id, email } = await newCustomer(backOffice)
      const { accessToken, refreshToken } = await logIn(email)
      await sleep(service.freshSeconds * 1000 + 500)
      const { clientId } = credentials.storefront
      const refreshed = await auth.authenticate('refresh_token', { clientId, refreshToken, domain: service.domain })
      const moved = newEmail('moved')
      for (const token of [accessToken, refreshed.accessToken]) {
        const { customers } = connect(token)
        await refused(customers.update({ id, email: moved }), 401, STALE)
        await refused(customers.update({ id, password: NEW_PASSWORD }), 401, STALE)
        // It is no refusal of the token: everything else goes on.
        assert.equal((await customers.update({ id, email, reference: 'mine' })).reference, 'mine')
      }
      // As the guide shows it: ask for the password, log in, and send the change again.
      const again = connect((await logIn(email)).accessToken)
      assert.equal((await again.customers.update({ id, email: moved })).email, moved)
      assert.ok(await canLogIn(moved, PASSWORD))
    })
  }
})
