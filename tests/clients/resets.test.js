// The SDK's `customer_password_resets`, from creation to deletion, by the back office.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { NEW_PASSWORD, PASSWORD, canLogIn, column, logIn, newCustomer, sdks, tokenOf } from './clients.js'
import { INVALID_TOKEN, NOT_FOUND, WRONG_TOKEN, about, refused } from './refusals.js'
import { newEmail, tick } from './service.js'

for (const { name, connect } of sdks) {
  describe(`${name}, customer_password_resets`, () => {
    let backOffice, resets

    before(async () => {
      backOffice = connect(await tokenOf('integration'))
      resets = backOffice.customer_password_resets
    })
    const use = (reset, customer_password, _reset_password_token = reset.reset_password_token) =>
      resets.update({ id: reset.id, customer_password, _reset_password_token })

    test('create: the whole object, with its token', async () => {
      const { email } = await newCustomer(backOffice)
      const metadata = { channel: 'app' }
      const created = await resets.create({ customer_email: email, reference: 'T-1', reference_origin: 'desk', metadata })
      const { id, created_at, updated_at, reset_password_token, ...rest } = created
      assert.match(id, /^[A-Za-z]{10}$/)
      assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.equal(updated_at, created_at)
      assert.ok(reset_password_token.length >= 20)
      assert.deepEqual(rest, {
        type: 'customer_password_resets',
        customer_email: email, reset_password_at: null, reference: 'T-1', reference_origin: 'desk', metadata,
      })
      assert.ok(resets.isCustomerPasswordReset(created))
    })

    test('create: an unknown address, and an invalid one', async () => {
      await refused(resets.create({ customer_email: newEmail() }), 422, about('customer_email', 'not_found'))
      await refused(resets.create({}), 422, about('customer_email', 'blank', "can't be blank"))
      await refused(resets.create({ customer_email: 'x' }), 422, about('customer_email', 'invalid', 'is invalid'))
      const list = ['a@example.com', 'b@example.com']
      await refused(resets.create({ customer_email: list }), 422, about('customer_email', 'invalid', 'is not a string'))
    })

    test('create: with includes and sparse fields', async () => {
      const { id, email } = await newCustomer(backOffice)
      const created = await resets.create({ customer_email: email }, {
        include: ['customer', 'events'],
        fields: { customer_password_resets: ['customer_email'], customers: ['email'], events: ['name'] },
      })
      assert.deepEqual(created.customer, { id, type: 'customers', email })
      assert.deepEqual(column(created.events, 'name'), ['customer_password_resets.create'])
      assert.deepEqual([created.customer_email, created.reset_password_token, created.metadata], [email, undefined, undefined])
    })

    test('retrieve: as it was created, with the token', async () => {
      const { email } = await newCustomer(backOffice)
      const created = await resets.create({ customer_email: email })
      assert.deepEqual(await resets.retrieve(created.id), created)
      const fields = ['reset_password_token']
      const { id, type, reset_password_token } = created
      assert.deepEqual(await resets.retrieve(created, { fields }), { id, type, reset_password_token })
    })

    test('retrieve: with its customer, events and audit log, and what those are related to', async () => {
      const customer = await newCustomer(backOffice)
      const { id } = await resets.create({ customer_email: customer.email })
      const older = await resets.create({ customer_email: customer.email })
      const include = ['customer.customer_password_resets', 'events.event_stores', 'event_stores']
      const reset = await resets.retrieve(id, { include })
      assert.deepEqual([reset.customer.id, reset.customer.email], [customer.id, customer.email])
      assert.deepEqual(column(reset.customer.customer_password_resets, 'id').sort(), [id, older.id].sort())
      const other = reset.customer.customer_password_resets.find((related) => related.id === older.id)
      assert.equal(other.customer_email, customer.email)
      assert.deepEqual(column(reset.events, 'name'), ['customer_password_resets.create'])
      assert.ok(Array.isArray(reset.events[0].event_stores))
      const [entry] = reset.event_stores
      assert.deepEqual([entry.event, entry.resource_type, entry.resource_id], ['create', 'customer_password_resets', id])
    })

    test('customer, events and event_stores of a reset', async () => {
      const customer = await newCustomer(backOffice)
      const reset = await resets.create({ customer_email: customer.email })
      assert.deepEqual(await resets.customer(reset.id), customer)
      assert.deepEqual(await resets.customer(reset, { fields: ['email'] }), {
        id: customer.id, type: 'customers', email: customer.email,
      })
      await use(reset, NEW_PASSWORD)
      const events = await resets.events(reset, { sort: ['created_at'] })
      const names = ['customer_password_resets.create', 'customer_password_resets.reset_password']
      assert.deepEqual(column(events, 'name'), names)
      assert.deepEqual([events.recordCount, events.pageCount], [2, 1])
      const found = await resets.events(reset.id, { filters: { name_end: 'reset_password' } })
      assert.deepEqual(column(found, 'name'), names.slice(1))
      const entries = await resets.event_stores(reset.id, { sort: ['created_at'], pageSize: 1 })
      assert.deepEqual([entries.length, entries.recordCount, entries[0].event], [1, 2, 'create'])
      await refused(resets.customer('nobodynobo'), 404, NOT_FOUND)
      await refused(resets.events('nobodynobo'), 404, NOT_FOUND)
    })

    test('events.retrieve, its event_stores, and event_stores.retrieve', async () => {
      const { email } = await newCustomer(backOffice)
      const reset = await resets.create({ customer_email: email })
      const [listed] = await resets.events(reset)
      const event = await backOffice.events.retrieve(listed.id, { fields: ['name'] })
      assert.deepEqual(event, { id: listed.id, type: 'events', name: 'customer_password_resets.create' })
      assert.ok(Array.isArray(await backOffice.events.event_stores(listed.id)))
      const [entry] = await resets.event_stores(reset)
      assert.deepEqual(await backOffice.event_stores.retrieve(entry.id), entry)
      assert.deepEqual(entry.payload, { attributes: ['customer_email'] })
      assert.match(entry.who.application.id, /^[A-Za-z]{10}$/)
    })

    test('update with the token and a new password: used once, sessions over', async () => {
      const customer = await newCustomer(backOffice)
      const session = await logIn(customer.email)
      const reset = await resets.create({ customer_email: customer.email })
      await tick()
      const done = await use(reset, NEW_PASSWORD)
      assert.ok(done.reset_password_at > reset.created_at)
      const { reset_password_at, updated_at } = done
      assert.deepEqual(done, { ...reset, reset_password_token: null, reset_password_at, updated_at })
      assert.ok(await canLogIn(customer.email, NEW_PASSWORD))
      assert.equal(await canLogIn(customer.email, PASSWORD), false)
      await refused(connect(session.accessToken).customers.retrieve(customer.id), 401, INVALID_TOKEN)
      await refused(use(reset, 'a third password, too'), 422, WRONG_TOKEN)
      assert.ok(await canLogIn(customer.email, NEW_PASSWORD))
    })

    test('update: one use kills the customer\'s other pending tokens', async () => {
      const { email } = await newCustomer(backOffice)
      const [one, two] = [await resets.create({ customer_email: email }), await resets.create({ customer_email: email })]
      assert.equal((await resets.retrieve(one)).reset_password_token, one.reset_password_token)
      await use(two, NEW_PASSWORD)
      assert.equal((await resets.retrieve(one)).reset_password_token, null)
      await refused(use(one, PASSWORD), 422, WRONG_TOKEN)
    })

    test('update: a wrong, empty, foreign or missing token is one and the same error', async () => {
      const { email } = await newCustomer(backOffice)
      const reset = await resets.create({ customer_email: email })
      const other = await resets.create({ customer_email: (await newCustomer(backOffice)).email })
      const flipped = reset.reset_password_token.replace(/[a-z]/i, (letter) =>
        letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase())
      const bodies = []
      for (const wrong of ['wrong', '', null, other.reset_password_token, flipped, ` ${reset.reset_password_token}`]) {
        bodies.push((await refused(use(reset, NEW_PASSWORD, wrong), 422, WRONG_TOKEN)).errors)
      }
      const missing = resets.update({ id: reset.id, customer_password: NEW_PASSWORD })
      bodies.push((await refused(missing, 422, WRONG_TOKEN)).errors)
      for (const body of bodies) assert.deepEqual(body, bodies[0])
      assert.ok(await canLogIn(email, PASSWORD))
      // None of these calls has used the token.
      assert.ok((await use(reset, NEW_PASSWORD)).reset_password_at)
    })

    test('update: a password that the policy refuses does not use up the token', async () => {
      const { email } = await newCustomer(backOffice)
      const reset = await resets.create({ customer_email: email })
      await refused(use(reset, 'short'), 422, about('customer_password', { error: 'too_short', count: 8 }))
      const error = await refused(use(reset, email), 422, { source: about('customer_password').source })
      assert.equal(error.first().meta.error, 'contains_email')
      assert.ok((await use(reset, NEW_PASSWORD)).reset_password_at)
    })

    test('_reset_password_token, without a password: changes nothing', async () => {
      const { email } = await newCustomer(backOffice)
      const reset = await resets.create({ customer_email: email })
      const same = await resets._reset_password_token(reset, reset.reset_password_token)
      assert.deepEqual(same, reset)
      assert.ok(await canLogIn(email, PASSWORD))
    })

    test('update: reference, origin and metadata need no token; read-only attributes have no effect', async () => {
      const { email } = await newCustomer(backOffice)
      const reset = await resets.create({ customer_email: email, reference: 'A' })
      const sent = { reference: 'B', reference_origin: 'desk', metadata: { n: 1 } }
      const readOnly = { customer_email: newEmail(), reset_password_at: '2020-01-01T00:00:00Z', reset_password_token: 'x' }
      const updated = await resets.update({ id: reset.id, ...sent, ...readOnly })
      assert.deepEqual(updated, { ...reset, ...sent, updated_at: updated.updated_at })
      assert.deepEqual(await resets.retrieve(reset.id), updated)
    })

    test('update: references and the new password in one call, with its customer', async () => {
      const { email } = await newCustomer(backOffice)
      const reset = await resets.create({ customer_email: email })
      const done = await resets.update(
        { id: reset.id, reference: 'done', customer_password: NEW_PASSWORD, _reset_password_token: reset.reset_password_token },
        { include: ['customer'] },
      )
      assert.equal(done.reference, 'done')
      assert.ok(done.reset_password_at)
      assert.equal(done.customer.email, email)
      assert.ok(await canLogIn(email, NEW_PASSWORD))
    })

    test('delete: the token dies; once more is a 404', async () => {
      const { email } = await newCustomer(backOffice)
      const reset = await resets.create({ customer_email: email })
      assert.equal(await resets.delete(reset.id), undefined)
      await refused(resets.delete(reset.id), 404, NOT_FOUND)
      await refused(resets.delete(reset), 404, NOT_FOUND)
      await refused(resets.retrieve(reset.id), 404, NOT_FOUND)
      await refused(use(reset, NEW_PASSWORD), 404, NOT_FOUND)
      assert.ok(await canLogIn(email, PASSWORD))
    })
  })
}
