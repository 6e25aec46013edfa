// The SDK's `customers`: the five calls, related records, and invalid writes.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { NEW_PASSWORD, PASSWORD, canLogIn, column, newCustomer, sdks, tokenOf } from './clients.js'
import { NOT_FOUND, WRONG_TOKEN, about, refused } from './refusals.js'
import { newEmail, newName, tick } from './service.js'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

for (const { name, connect } of sdks) {
  describe(`${name}, customers`, () => {
    let backOffice, customers, resets

    before(async () => {
      backOffice = connect(await tokenOf('integration'))
      ;({ customers, customer_password_resets: resets } = backOffice)
    })

    test('create: the whole object, and no password in it', async () => {
      const email = newEmail()
      const metadata = { tier: 'gold', nested: { list: [1, null, 'ü'] } }
      const created = await customers.create({
        email, password: PASSWORD, reference: 'C-1', reference_origin: 'crm', metadata,
      })
      assert.match(created.id, /^[A-Za-z]{10}$/)
      assert.match(created.created_at, TIME)
      assert.equal(created.updated_at, created.created_at)
      const { id, created_at, updated_at, ...rest } = created
      assert.deepEqual(rest, {
        type: 'customers', email, status: 'prospect', has_password: true, reference: 'C-1', reference_origin: 'crm', metadata,
        locale: null, total_orders_count: 0, shopper_reference: null, profile_id: null, tax_exemption_code: null, jwt_custom_claim: null,
        anonymization_info: null, anonymization_status: null,
      })
      assert.ok(customers.isCustomer(created))
      assert.ok(await canLogIn(email, PASSWORD))
    })

    test('create: without a password there is nothing to log in with', async () => {
      const created = await customers.create({ email: newEmail() })
      assert.equal(created.has_password, false)
      assert.deepEqual([created.reference, created.reference_origin, created.metadata], [null, null, {}])
      assert.equal(await canLogIn(created.email, PASSWORD), false)
    })

    test('create: an address is kept in lower case, and taken in every case', async () => {
      const email = newEmail()
      const created = await customers.create({ email: email.toUpperCase() })
      assert.equal(created.email, email)
      const call = customers.create({ email: email.toUpperCase() })
      await refused(call, 422, about('email', 'taken', 'has already been taken'))
    })

    test('create: all errors are returned at once, each with its pointer', async () => {
      await refused(customers.create({}), 422, about('email', 'blank', "can't be blank"))
      await refused(
        customers.create({ email: 'nobody', password: 5, reference: {}, metadata: 'x' }),
        422,
        about('email', 'invalid', 'is invalid'),
        about('password', 'invalid', 'is not a string'),
        about('reference', 'invalid', 'is not a string'),
        about('metadata', 'invalid', 'is not an object'),
      )
      await refused(customers.create({ email: newEmail(), password: 'short' }), 422, about('password', { error: 'too_short', count: 8 }))
    })

    test('create: read-only and unknown attributes have no effect', async () => {
      const created = await customers.create({
        email: newEmail(), status: 'repeat', has_password: true, total_orders_count: 7, created_at: '2001-01-01', nobody: 1,
      })
      assert.deepEqual([created.status, created.has_password, created.total_orders_count], ['prospect', false, 0])
      assert.ok(Date.parse(created.created_at) > Date.parse('2020-01-01'))
      assert.equal(created.nobody, undefined)
    })

    test('retrieve: by id and by object, as it was created', async () => {
      const created = await newCustomer(backOffice)
      assert.deepEqual(await customers.retrieve(created.id), created)
      assert.deepEqual(await customers.retrieve(created), created)
    })

    test('retrieve: sparse fields', async () => {
      const { id, email } = await newCustomer(backOffice)
      assert.deepEqual(await customers.retrieve(id, { fields: ['email'] }), { id, type: 'customers', email })
      const of = { fields: { customers: ['email', 'has_password'] } }
      assert.deepEqual(await customers.retrieve(id, of), { id, type: 'customers', email, has_password: true })
    })

    test('retrieve: with its resets and its history', async () => {
      const { id, email } = await newCustomer(backOffice)
      const reset = await resets.create({ customer_email: email })
      const include = ['customer_password_resets', 'customer_password_resets.events', 'events', 'event_stores']
      const customer = await customers.retrieve(id, { include })
      assert.deepEqual(column(customer.customer_password_resets, 'id'), [reset.id])
      const [{ events }] = customer.customer_password_resets
      assert.deepEqual(column(events, 'name'), ['customer_password_resets.create'])
      assert.deepEqual(column(customer.events, 'name'), ['customers.create'])
      assert.deepEqual(customer.event_stores.map((entry) => [entry.event, entry.resource_id]), [['create', id]])
      // Relationships that are not included have no data.
      assert.equal((await customers.retrieve(id)).customer_password_resets, undefined)
    })

    test('update: what is sent, and nothing else', async () => {
      const created = await newCustomer(backOffice, { reference: 'A', metadata: { one: 1 } })
      await tick()
      const updated = await customers.update({ id: created.id, reference_origin: 'erp', metadata: { two: 2 } })
      assert.ok(updated.updated_at > created.updated_at)
      const changed = { reference_origin: 'erp', metadata: { two: 2 }, updated_at: updated.updated_at }
      assert.deepEqual(updated, { ...created, ...changed })
      const emptied = await customers.update({ id: created.id, reference: null, metadata: {} })
      assert.deepEqual([emptied.reference, emptied.reference_origin, emptied.metadata], [null, 'erp', {}])
      assert.ok(await canLogIn(created.email, PASSWORD))
    })

    test('locale: an attribute that the vendor does not have is written, changed and filtered by', async () => {
      const reference_origin = newName()
      const created = await newCustomer(backOffice, { locale: 'pt_br', reference_origin })
      assert.equal(created.locale, 'pt-BR')
      const changed = await customers.update({ id: created.id, locale: 'sv-SE' })
      assert.deepEqual([changed.locale, (await customers.retrieve(created.id)).locale], ['sv-SE', 'sv-SE'])
      const filters = { reference_origin_eq: reference_origin, locale_eq: 'sv-se' }
      assert.deepEqual(column(await customers.list({ filters }), 'id'), [created.id])
      await refused(customers.update({ id: created.id, locale: 'Swedish' }), 422, about('locale', 'invalid'))
    })

    test('update: another address or password invalidates pending resets', async () => {
      for (const change of [{ email: newEmail('moved') }, { password: NEW_PASSWORD }]) {
        const { id, email } = await newCustomer(backOffice)
        const { id: reset, reset_password_token } = await resets.create({ customer_email: email })
        await customers.update({ id, ...change })
        assert.equal((await resets.retrieve(reset)).reset_password_token, null)
        const use = { id: reset, customer_password: 'yet another password', _reset_password_token: reset_password_token }
        await refused(resets.update(use), 422, WRONG_TOKEN)
        assert.ok(await canLogIn(change.email ?? email, change.password ?? PASSWORD))
        assert.equal(await canLogIn(email, PASSWORD), false)
      }
    })

    test('update: with includes and sparse fields, as a retrieve', async () => {
      const { id } = await newCustomer(backOffice)
      const updated = await customers.update(
        { id, reference: 'B' },
        { include: ['events'], fields: { customers: ['reference'], events: ['name'] } },
      )
      const { events, ...rest } = updated
      assert.deepEqual(rest, { id, type: 'customers', reference: 'B' })
      assert.ok(events.every((event) => event.name.startsWith('customers.')))
    })

    test('update: an anonymization is requested, shown, filtered by and cancelled', async () => {
      const reference_origin = newName()
      const { id } = await newCustomer(backOffice, { reference_origin })
      const requested = await customers.update({ id, _request_anonymization: true })
      assert.equal(requested.anonymization_status, 'requested')
      const { status, requested_at, requester } = requested.anonymization_info
      assert.equal(status, 'requested')
      assert.ok(Math.abs(Date.parse(requested_at) - Date.now()) < 600_000, requested_at)
      assert.match(requester.id, /^[A-Za-z0-9]{10}$/)
      const filters = { reference_origin_eq: reference_origin, anonymization_status_eq: 'requested' }
      const found = await customers.list({ filters, sort: ['anonymization_status'] })
      assert.deepEqual(column(found, 'id'), [id])

      const cancelled = await customers.update({ id, _cancel_anonymization: true })
      assert.equal(cancelled.anonymization_status, 'cancelled')
      assert.ok(cancelled.anonymization_info.cancelled_at)
      await refused(customers.update({ id, _cancel_anonymization: true }), 422, about('_cancel_anonymization', 'invalid'))
      const { events } = await customers.retrieve(id, { include: ['events'] })
      assert.ok(column(events, 'name').includes('customers.anonymization_cancelled'))
    })

    test('update: another customer\'s address, null and nothing are refused', async () => {
      const [{ id }, { email }] = [await newCustomer(backOffice), await newCustomer(backOffice)]
      await refused(customers.update({ id, email }), 422, about('email', 'taken'))
      await refused(customers.update({ id, email: null }), 422, about('email', 'blank'))
      await refused(customers.update({ id, email: '' }), 422, about('email', 'blank'))
      await refused(customers.update({ id: 'nobodynobo', reference: 'x' }), 404, NOT_FOUND)
    })

    test('delete: by id and by object; once more is a 404', async () => {
      for (const by of [(customer) => customer.id, (customer) => customer]) {
        const customer = await newCustomer(backOffice)
        assert.equal(await customers.delete(by(customer)), undefined)
        await refused(customers.delete(by(customer)), 404, NOT_FOUND)
        await refused(customers.retrieve(customer.id), 404, NOT_FOUND)
        assert.equal(await canLogIn(customer.email, PASSWORD), false)
      }
    })

    test('list and count: with filters, sorting, pages', async () => {
      const reference_origin = newName()
      const made = []
      for (const reference of ['c', 'a', 'b']) made.push(await newCustomer(backOffice, { reference, reference_origin }))
      const filters = { reference_origin_eq: reference_origin }
      const page = await customers.list({ filters, sort: ['reference'], pageSize: 2 })
      assert.deepEqual(column(page, 'reference'), ['a', 'b'])
      assert.deepEqual([page.recordCount, page.pageCount, page.hasNextPage()], [3, 2, true])
      assert.equal(await customers.count(filters), 3)
      assert.equal(await customers.count({ filters }), 3)
      assert.equal(await customers.count({ id_in: column(made.slice(1), 'id') }), 2)
      const [found] = await customers.list({ filters: { email_eq: made[0].email.toUpperCase() } })
      assert.equal(found.id, made[0].id)
    })

    test('events and event_stores of a customer', async () => {
      const { id } = await newCustomer(backOffice)
      await customers.update({ id, password: NEW_PASSWORD })
      const events = await customers.events(id, { sort: ['created_at'] })
      assert.equal(events[0].name, 'customers.create')
      assert.ok(events.length > 1 && events.every((event) => event.type === 'events'))
      const entries = await customers.event_stores(id, { sort: ['created_at'] })
      assert.deepEqual(column(entries, 'event'), ['create', 'update'])
      assert.ok(!JSON.stringify(entries).includes(NEW_PASSWORD))
    })

    test('customer_group and tags: empty, and triggers of tags have no effect', async () => {
      const include = ['customer_group', 'tags']
      const created = await customers.create({ email: newEmail(), _add_tags: 'vip' }, { include })
      assert.deepEqual([created.customer_group, created.tags], [null, []])
      const updated = await customers.update({ id: created.id, _add_tags: 'vip', _remove_tags: 'new' }, { include })
      assert.deepEqual([updated.customer_group, updated.tags], [null, []])
      assert.equal((await customers.tags(created.id)).length, 0)
      assert.equal(await customers.customer_group(created.id), null)
    })

    test('the vendor\'s relationships that this service does not have are a 404', async () => {
      const { id } = await newCustomer(backOffice)
      await refused(customers.orders(id), 404, NOT_FOUND)
      await refused(backOffice.orders.list(), 404, NOT_FOUND)
    })
  })
}
