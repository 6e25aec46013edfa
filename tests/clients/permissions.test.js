// A storefront's permissions in the SDK: as a guest, by self-service, and as a customer who has logged in.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { NEW_PASSWORD, PASSWORD, canLogIn, logIn, newCustomer, sdks, tokenOf } from './clients.js'
import { ACCESS_DENIED, INVALID_TOKEN, WRONG_TOKEN, about, refused } from './refusals.js'
import { newEmail, service } from './service.js'

const denied = (call) => refused(call, 401, ACCESS_DENIED)

for (const { name, connect } of sdks) {
  describe(`${name}, a storefront`, () => {
    let backOffice, guest, selfService, customer, reset

    before(async () => {
      backOffice = connect(await tokenOf('integration'))
      guest = connect(await tokenOf('storefront'))
      selfService = connect(await tokenOf('selfService'))
      customer = await newCustomer(backOffice)
      reset = await backOffice.customer_password_resets.create({ customer_email: customer.email, reference: 'R' })
    })

    test('a guest can neither request, list, read nor delete resets, nor learn which exist', async () => {
      for (const client of [guest, selfService]) {
        const resets = client.customer_password_resets
        await denied(resets.list())
        await denied(resets.count())
        await denied(resets.customer(reset.id))
        await denied(resets.events(reset.id))
        await denied(resets.event_stores(reset.id))
        const bodies = []
        for (const id of [reset.id, 'nobodynobo']) {
          bodies.push((await denied(resets.retrieve(id))).errors, (await denied(resets.delete(id))).errors)
        }
        for (const body of bodies) assert.deepEqual(body, bodies[0])
      }
      await denied(guest.customer_password_resets.create({ customer_email: customer.email }))
      assert.equal((await backOffice.customer_password_resets.retrieve(reset.id)).id, reset.id)
    })

    test('a guest reads its shop, and the rules for a new password', async () => {
      const { name, slug, password_min_length, password_rules } = await guest.organization.retrieve()
      assert.ok(name)
      assert.deepEqual([slug, password_min_length], [service.organization, 8])
      assert.match(password_rules, /8/)
      const fields = { organizations: ['slug'] }
      const sparse = await guest.organization.retrieve({ fields })
      assert.deepEqual([sparse.slug, sparse.name], [service.organization, undefined])
    })

    test('a guest can create a customer, and nothing else with customers', async () => {
      const email = newEmail()
      const created = await guest.customers.create({ email, password: PASSWORD })
      assert.deepEqual([created.email, created.has_password], [email, true])
      assert.ok(await canLogIn(email, PASSWORD))
      await refused(guest.customers.create({ email }), 422, about('email', 'taken'))
      await denied(guest.customers.list())
      await denied(guest.customers.retrieve(created.id))
      await denied(guest.customers.update({ id: created.id, reference: 'mine' }))
      await denied(guest.customers.delete(created.id))
      await denied(guest.customers.events(created.id))
    })

    test('a guest sets the new password with the token of the mail, and learns nothing about the customer', async () => {
      const { email } = await newCustomer(backOffice)
      const made = await backOffice.customer_password_resets.create({ customer_email: email, reference: 'R', metadata: { a: 1 } })
      const done = await guest.customer_password_resets.update({
        id: made.id, customer_password: NEW_PASSWORD, _reset_password_token: made.reset_password_token, reference: 'mine',
      })
      const { reset_password_at, updated_at, ...rest } = done
      assert.ok(Date.parse(reset_password_at) >= Date.parse(made.created_at))
      assert.equal(updated_at, reset_password_at)
      assert.deepEqual(rest, {
        id: made.id, type: 'customer_password_resets', created_at: made.created_at,
        customer_email: null, reset_password_token: null, reference: null, reference_origin: null, metadata: {},
      })
      assert.ok(await canLogIn(email, NEW_PASSWORD))
      const kept = await backOffice.customer_password_resets.retrieve(made.id)
      assert.deepEqual([kept.reference, kept.metadata], ['R', { a: 1 }], 'a guest changes nothing but the password')
    })

    test('a guest with a wrong token, or with none, is refused', async () => {
      const { id } = reset
      const resets = guest.customer_password_resets
      const wrong = { customer_password: NEW_PASSWORD, _reset_password_token: 'wrong' }
      const first = await refused(resets.update({ id, ...wrong }), 422, WRONG_TOKEN)
      const unknown = await refused(resets.update({ id: 'nobodynobo', ...wrong }), 422, WRONG_TOKEN)
      assert.deepEqual(unknown.errors, first.errors)
      await refused(resets.update({ id, customer_password: NEW_PASSWORD }), 422, WRONG_TOKEN)
      await denied(resets.update({ id, reference: 'mine' }))
      assert.ok(await canLogIn(customer.email, PASSWORD))
    })

    test('self-service: known and unknown addresses get the same receipt', async () => {
      const { email } = await newCustomer(backOffice)
      const ids = new Set()
      for (const customer_email of [email, newEmail('nobody')]) {
        const receipt = await selfService.customer_password_resets.create({ customer_email })
        const { id, created_at, updated_at, ...rest } = receipt
        ids.add(id)
        assert.match(id, /^[A-Za-z]{10}$/)
        assert.equal(updated_at, created_at)
        assert.deepEqual(rest, {
          type: 'customer_password_resets', customer_email: null, reset_password_token: null, reset_password_at: null,
          reference: null, reference_origin: null, metadata: {},
        })
      }
      assert.equal(ids.size, 2)
      const call = selfService.customer_password_resets.create({ customer_email: 'x' })
      await refused(call, 422, about('customer_email', 'invalid'))
    })

    test('self-service: from the request to a log-in with the new password', async () => {
      const { email } = await newCustomer(backOffice)
      const receipt = await selfService.customer_password_resets.create({ customer_email: email })
      // What the mail carries; the back office sees it, too.
      const [made] = await backOffice.customer_password_resets.list({ filters: { customer_email_eq: email } })
      assert.equal(made.id, receipt.id)
      await selfService.customer_password_resets.update({
        id: made.id, customer_password: NEW_PASSWORD, _reset_password_token: made.reset_password_token,
      })
      assert.ok(await canLogIn(email, NEW_PASSWORD))
    })

    test('a customer reads, changes and deletes itself, and nobody else', async () => {
      const made = await newCustomer(backOffice)
      const own = connect((await logIn(made.email)).accessToken).customers
      assert.equal((await own.retrieve(made.id, { fields: ['email'] })).email, made.email)
      const changed = await own.update({ id: made.id, metadata: { newsletter: true } })
      assert.deepEqual(changed.metadata, { newsletter: true })
      for (const id of [customer.id, 'nobodynobo']) {
        await denied(own.retrieve(id))
        await denied(own.update({ id, reference: 'mine' }))
        await denied(own.delete(id))
      }
      await denied(own.list())
      await denied(own.create({ email: newEmail() }))
      assert.equal(await own.delete(made.id), undefined)
      await refused(own.retrieve(made.id), 401, INVALID_TOKEN)
      assert.equal(await canLogIn(made.email, PASSWORD), false)
    })

    test('a customer cannot read resets, not even its own, but can use a token', async () => {
      const made = await newCustomer(backOffice)
      const own = connect((await logIn(made.email)).accessToken)
      const resets = own.customer_password_resets
      const { id, reset_password_token } = await backOffice.customer_password_resets.create({ customer_email: made.email })
      await denied(resets.create({ customer_email: made.email }))
      await denied(resets.list())
      await denied(resets.retrieve(id))
      await denied(resets.delete(id))
      await denied(own.customers.retrieve(made.id, { include: ['customer_password_resets'] }))
      const used = { id, customer_password: NEW_PASSWORD, _reset_password_token: reset_password_token }
      assert.ok((await resets.update(used)).reset_password_at)
      await refused(own.customers.retrieve(made.id), 401, INVALID_TOKEN)
    })

    test('a customer that changes its password ends its sessions, this one too', async () => {
      const made = await newCustomer(backOffice)
      const own = connect((await logIn(made.email)).accessToken).customers
      assert.equal((await own.update({ id: made.id, password: NEW_PASSWORD })).id, made.id)
      await refused(own.retrieve(made.id), 401, INVALID_TOKEN)
      assert.ok(await canLogIn(made.email, NEW_PASSWORD))
      assert.equal(await canLogIn(made.email, PASSWORD), false)
    })
  })
}
