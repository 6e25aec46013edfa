// The SDK's `webhooks`, `event_callbacks` and `events`, and what receivers verify with: the vendor's own helper and Standard Webhooks' library.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { checkSignature, webhooks as received } from '@commercelayer/sdk-utils'
import { Webhook } from 'standardwebhooks'
import { column, newCustomer, sdks, tokenOf } from './clients.js'
import { receiver } from './receiver.js'
import { NOT_FOUND, about, refused } from './refusals.js'
import { newName } from './service.js'

const TOPIC = 'customer_password_resets.create'

for (const { name, connect } of sdks) {
  describe(`${name}, webhooks`, () => {
    let backOffice, webhooks, hook, target

    before(async () => {
      backOffice = connect(await tokenOf('integration'))
      webhooks = backOffice.webhooks
      target = await receiver()
      hook = await webhooks.create({ topic: TOPIC, callback_url: target.url, include_resources: ['customer'], name: newName() })
    })
    after(() => {
      target.close()
      return webhooks.delete(hook.id)
    })

    test('create, retrieve, list, update and delete', async () => {
      const callback_url = 'https://receiver.example/hooks'
      const made = await webhooks.create({ topic: 'customers.create', callback_url })
      assert.ok(webhooks.isWebhook(made))
      const { name, topic, circuit_state, circuit_failure_count, shared_secret, include_resources } = made
      assert.deepEqual(
        [name, topic, circuit_state, circuit_failure_count, include_resources],
        [`Webhook ${made.id}`, 'customers.create', 'closed', 0, []],
      )
      assert.equal(Buffer.from(shared_secret, 'base64').length, 32)
      assert.deepEqual(await webhooks.retrieve(made.id), made)
      const listed = await webhooks.list({ filters: { name_eq: name }, sort: { circuit_failure_count: 'desc' } })
      assert.deepEqual(column(listed, 'id'), [made.id])
      assert.ok((await webhooks._disable(made.id)).disabled_at)
      assert.equal((await webhooks._enable(made.id)).disabled_at, null)
      assert.equal((await webhooks._reset_circuit(made.id)).circuit_state, 'closed')
      assert.equal((await webhooks.update({ id: made.id, name: newName() })).topic, topic)
      await webhooks.delete(made.id)
      await refused(webhooks.retrieve(made.id), 404, NOT_FOUND)
    })

    test('create: what no webhook can be', async () => {
      const callback_url = 'https://receiver.example/hooks'
      await refused(webhooks.create({ callback_url }), 422, about('topic', 'blank', "can't be blank"))
      await refused(
        webhooks.create({ topic: 'orders.place', callback_url }), 422, about('topic', 'inclusion', 'is not the name of an event'),
      )
      const insecure = { topic: TOPIC, callback_url: 'http://receiver.example/' }
      await refused(webhooks.create(insecure), 422, about('callback_url', 'invalid', 'is invalid'))
    })

    test('an event arrives, is verified by both libraries, and is recorded', async () => {
      const { email } = await newCustomer(backOffice)
      const reset = await backOffice.customer_password_resets.create({ customer_email: email })
      const { headers, body } = await target.next()
      assert.deepEqual(checkSignature(body, headers, hook.shared_secret), {
        ok: true, topic: TOPIC, message: 'Signature successfully checked',
      })
      assert.equal(checkSignature(`${body} `, headers, hook.shared_secret).ok, false)
      const verified = new Webhook(`whsec_${hook.shared_secret}`).verify(body, headers)
      assert.deepEqual(verified, JSON.parse(body))
      assert.throws(() => new Webhook(`whsec_${hook.shared_secret}`).verify(body, { ...headers, 'webhook-id': 'other' }))
      const resource = received.parse.customer_password_resets(body)
      assert.deepEqual([resource.id, resource.customer_email, resource.customer.email], [reset.id, email, email])
      assert.ok(reset.reset_password_token && !body.includes(reset.reset_password_token))

      const event = headers['webhook-id']
      const taken = () => webhooks.last_event_callbacks(hook.id, { filters: { response_code_eq: '200' } })
      let callbacks
      do callbacks = await taken()
      while (callbacks.length === 0)
      const [callback] = callbacks
      assert.deepEqual([callback.response_message, callback.payload], ['thanks', verified])
      assert.equal((await backOffice.event_callbacks.webhook(callback.id)).id, hook.id)
      const retrieved = await backOffice.event_callbacks.retrieve(callback.id, { include: ['webhook'] })
      assert.equal(retrieved.webhook.id, hook.id)

      const listed = await backOffice.events.list({ filters: { id_eq: event }, include: ['webhooks', 'last_event_callbacks'] })
      assert.deepEqual(column(listed, 'name'), [TOPIC])
      assert.ok(column(listed[0].webhooks, 'id').includes(hook.id))
      assert.ok(column(listed[0].last_event_callbacks, 'id').includes(callback.id))
      await backOffice.events._trigger(event)
      const again = await target.next()
      assert.equal(again.headers['webhook-id'], event)
      assert.ok(checkSignature(again.body, again.headers, hook.shared_secret).ok)
    })
  })
}
